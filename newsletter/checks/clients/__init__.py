"""What the readers' mail programs make of the mail's HTML and CSS, by caniemail's published tests."""
