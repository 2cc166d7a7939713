"""Answer people who join: ask them to confirm by email, and welcome them."""
