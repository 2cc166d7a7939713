"""Services of the machine: complete file writes, the environment, logs and error reports."""
