"""The pages for subscribers, which `newsletter serve` answers: they leave, join and choose there."""
