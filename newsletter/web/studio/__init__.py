"""The pages of the director, on this machine alone."""
