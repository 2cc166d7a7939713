"""A workspace with everything in it: each section type, each key, and text that is difficult for email apps."""

from pathlib import Path

WORKSPACE = Path(__file__).parent
EVERYTHING = "everything"  # each section type with each key; long words, long addresses, emoji, ideographs, every mark
RIGHT_TO_LEFT = "right-to-left"  # the same in Arabic, with what runs the other way inside
LONG = "long"  # a letter of 60 KB
ISSUES = (EVERYTHING, RIGHT_TO_LEFT, LONG)
