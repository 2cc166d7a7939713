"""Reviews: what reviewers are shown of an issue, how they are asked, and what they answer."""
