"""RenderedIssue → findings: every rule that a mail must keep before it goes out."""
