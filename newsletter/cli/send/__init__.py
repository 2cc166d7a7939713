"""What a person types to test, send and account for an issue: a module for each command."""
