"""How email apps are simulated."""
