"""The rules that need nothing outside, each beside the function that judges it: a module for each subject."""
