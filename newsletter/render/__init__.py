"""Renders an issue into finished HTML and plain text, with slots in place of the merge fields."""
