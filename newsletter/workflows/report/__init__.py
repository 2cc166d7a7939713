"""Reports: what came of an issue, and of all issues of a year."""
