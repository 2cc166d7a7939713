"""Compose an e-mail newsletter from Markdown files, see it, check it, test it and send it safely."""

__version__ = "0.1.0"
