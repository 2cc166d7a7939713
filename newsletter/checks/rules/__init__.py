"""The rules that need nothing outside, a module a family of questions; `catalogue/` gives them their ids."""
