"""The commands that make, open and verify proofs, one module per command."""
