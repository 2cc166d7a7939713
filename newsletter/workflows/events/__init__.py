"""What comes back about sent email: saved first, and interpreted afterwards."""
