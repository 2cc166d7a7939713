"""Look at all that a newsletter depends on besides its content, and say what would go wrong. Nothing is changed."""
