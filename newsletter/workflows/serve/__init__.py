"""What `newsletter serve` does beside answering requests."""
