"""Turn segment expressions into conditions."""
