"""The checks that an email must pass before it is sent. They turn a `RenderedIssue` into findings."""
