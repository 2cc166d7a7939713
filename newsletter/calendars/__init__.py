"""Events of an issue as calendar files, links of calendar services, and data for search engines."""
