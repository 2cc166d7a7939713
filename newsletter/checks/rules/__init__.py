"""The checks that need nothing but the issue, one module per subject."""
