"""Every rule, by family: its id, what it asks, why, who asks for it, and what judges it."""
