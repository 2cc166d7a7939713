"""Show, export, import and accept the translations of an issue."""
