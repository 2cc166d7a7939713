"""Make a list part of the audience: take it in, then fill an empty audience, or merge it into one that exists."""
