"""Everything that depends on a language: dates, text direction and words."""
