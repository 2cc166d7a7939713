"""Pages in a browser: the studio of the director, and the pages of subscribers."""
