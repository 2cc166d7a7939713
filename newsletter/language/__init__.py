"""Everything that is a matter of language: dates, directions, words."""
