"""One file per command or page; each combines the stages to do what that command or page does."""
