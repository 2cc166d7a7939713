"""The commands about what comes back: bounces, complaints and a provider's events."""
