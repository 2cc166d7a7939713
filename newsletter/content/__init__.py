"""Files → Issue: reads an issue's folder, collects every mistake in it, and returns typed content."""
