"""Segment expressions and the conditions that they mean."""
