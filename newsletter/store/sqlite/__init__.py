"""The SQLite engine: the database is a file in the workspace, and one process at a time can write to it."""
