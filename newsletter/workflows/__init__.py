"""One file per command or page. Each combines the stages that its command or page needs."""
