"""What a person types: each command reads its options, calls one workflow, and hands the result to `output`."""
