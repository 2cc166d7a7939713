"""The commands of `newsletter suppressions`, one module per command."""
