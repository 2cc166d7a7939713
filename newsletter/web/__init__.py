"""Pages in a browser: the director's studio."""
