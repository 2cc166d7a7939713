"""Bring people in, look them up, take them out."""
