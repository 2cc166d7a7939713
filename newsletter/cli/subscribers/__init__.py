"""`newsletter subscribers`: a module for each command."""
