"""The checks that run in a browser: accessibility, tested with axe (A6), and sideways scrolling on phones (S13)."""
