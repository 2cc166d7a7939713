"""The list as files and the segments as expressions: CSV in and out, and what a boolean expression means."""
