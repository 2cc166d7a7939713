"""What email apps do to an email before they show it, by their published rules: the HTML, and what is lost of it."""
