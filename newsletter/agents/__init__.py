"""The server for agents: they may read, write, check and propose, and a person sends (docs/agents.md)."""
