"""Check everything that a newsletter depends on besides its content, and report problems without changing anything."""
