"""What may stand in `newsletter.toml`: a record for each table. Secrets are no part of it."""
