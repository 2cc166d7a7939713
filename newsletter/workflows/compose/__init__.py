"""Work on an issue: create, load, render, check and build it."""
