"""What a person types to compose an issue: a module for each command."""
