"""Stand-ins for what is across the internet; each enforces the documented rules of what it stands for."""
