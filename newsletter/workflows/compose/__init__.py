"""Compose an issue: load, render, check, build and show it."""
