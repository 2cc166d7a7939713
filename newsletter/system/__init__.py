"""What the program needs of the machine: files written whole or not at all, secrets, helper processes."""
