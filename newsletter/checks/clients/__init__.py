"""How well the readers' email apps support the HTML and CSS of the email, from caniemail's published tests."""
