"""The tables and keys of `newsletter.toml`, one record per table. Secrets are never among them."""
