"""The command line. Each command reads its options, calls one workflow and passes the result to `output`."""
