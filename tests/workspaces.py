"""Scratch workspaces for tests: the smallest that works, and whatever a test lays over it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

CONFIG = """\
[newsletter]
name = "Small Letter"
organization = "Small Press"
from = "Small Press <news@example.org>"
reply_to = "hello@example.org"
address = "Small Press, 1 Example Street, 12345 Example Town"
website = "https://www.example.org"
reason = "You receive this letter because you signed up for it."
timezone = "America/Los_Angeles"

[service]
url = "https://news.example.org"

[segments]
teachers = 'tagged("teacher")'

[reviewers]
reviewers = ["Ana Lima <ana@example.org>", "noor@example.net"]
"""

ISSUE = """\
subject: A small letter for everybody
preheader: A few words about small things, and a link that leads somewhere.
title: A small letter
date: 2026-02-19
sections:
  - letter
"""

LETTER = """\
---
greeting: Dear {{ first_name | default("Friends") }},
---
This is a small letter, with [a page about it](https://www.example.org/small).
"""


_MEMORY = tempfile.TemporaryDirectory(prefix="newsletter-memory-")  # what builds of these workspaces remember


def write_workspace(root: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """Writes the smallest workspace with the issue `2026-02`; `files` are added to it or replace a file of it."""
    smallest: dict[str, str | bytes] = {
        "newsletter.toml": CONFIG,
        "issues/2026-02/issue.yaml": ISSUE,
        "issues/2026-02/letter.md": LETTER,
    }
    for name, content in {**smallest, **(files or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    memory = root / "build" / ".memory"
    memory.parent.mkdir(exist_ok=True)
    if not memory.exists():
        memory.symlink_to(_MEMORY.name)
    return root
