"""Measured promises: programs that print ratios against a named peer or floor, both timed in the same run."""
