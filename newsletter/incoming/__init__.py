"""Files of other tools and feeds, read as texts for an issue or pages of the archive."""
