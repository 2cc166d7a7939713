"""Reads an issue's folder into an `Issue`, or collects every mistake in its files."""
