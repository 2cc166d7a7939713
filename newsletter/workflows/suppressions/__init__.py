"""Keep track of the addresses that must not be emailed."""
