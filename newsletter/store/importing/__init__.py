"""How a list becomes part of the audience: taken in, then filled into an empty list, or merged into one that exists."""
