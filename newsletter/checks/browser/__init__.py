"""The mail as a browser shows it: what axe finds in it (A6), and whether it fits a phone (S13)."""
