"""The commands that test, send and audit issues, one module per command."""
