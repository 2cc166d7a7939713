"""The commands that compose an issue, one module per command."""
