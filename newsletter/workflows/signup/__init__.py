"""Take what people fill in to join, confirm it, and make the form for other websites."""
