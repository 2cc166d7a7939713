"""The commands of `newsletter subscribers`, one module per command."""
