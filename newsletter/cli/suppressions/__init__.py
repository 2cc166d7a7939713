"""`newsletter suppressions`: a module for each command."""
