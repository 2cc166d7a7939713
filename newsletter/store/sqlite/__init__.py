"""SQLite: the database is a file in the workspace, and one process at a time writes to it."""
