"""What is done with the issues of a newsletter as a whole."""
