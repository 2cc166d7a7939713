"""Import a list: read its rows, then fill an empty audience with them, or merge them into an existing one."""
