"""Issue → RenderedIssue: HTML and text parts, finished, with slots where merge fields stood."""
