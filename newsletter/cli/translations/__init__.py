"""The commands `newsletter translations …`."""
