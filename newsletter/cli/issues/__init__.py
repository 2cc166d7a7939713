"""The commands about all issues."""
