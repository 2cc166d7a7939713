"""A guided way to a working newsletter, which can be left and taken up again. The terminal and the studio show it."""
