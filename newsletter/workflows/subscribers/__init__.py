"""Import, look up, export and erase subscribers."""
