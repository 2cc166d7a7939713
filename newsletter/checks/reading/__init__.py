"""What is read out of a mail and its sources, once for all rules: words, links, looks, headers, and their places."""
