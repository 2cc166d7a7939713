"""What people see, ask for and decide on the pages with their preferences."""
