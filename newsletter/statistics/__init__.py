"""Statistics as pure functions: what counts say, and how certain it is. Nothing here reads or writes anything."""
