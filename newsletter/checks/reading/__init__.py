"""Parsers that run once for all checks. They find an email's text, links, appearance and headers, and their places."""
