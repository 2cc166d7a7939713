"""Measured promises: programs that print the ratio to a named peer or a floor. Both are timed in the same run."""
