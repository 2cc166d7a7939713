"""Read lists from any newsletter tool, and write lists."""
