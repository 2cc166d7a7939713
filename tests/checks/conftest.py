"""A small workspace that keeps every rule, so that a test breaks one by one edit of one file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from newsletter.checks.base import Subject
from newsletter.checks.registry import check_issue
from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.finding import Finding
from newsletter.model.slots import Template
from newsletter.render.memory import Memory
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import subject_of

ISSUE = "issues/2026-03"
CONFIG = """\
[newsletter]
name = "Harbour Letters"
organization = "Harbour House"
from = "Harbour House <letters@example.org>"
address = "Harbour House, 7 Quay Street, Galway, Ireland"
website = "https://example.org"
reason = "You asked for this letter on our website."
timezone = "Europe/Dublin"

[service]
url = "https://news.example.org"

[segments]
teachers = 'tagged("teacher")'
"""
ISSUE_YAML = """\
subject: A letter for the first days of March
preheader: Three small practices, two courses and a poem to carry with you
title: The first days of March
date: 2026-03-01
sections: [letter, meditation, events]
"""
LETTER = """\
---
title: Spring by the water
signature:
  name: Ana Lima
  portrait: images/ana.png
---
Dear {{ first_name | default("friends") }},

the days grow longer, and with them our walks.
We tell of them in [our study of kindness](https://example.org/study).

![Two hands around a cup](images/cup.png)

## What we read

A book, and [the poem that opens it](https://example.org/poem).
"""
MEDITATION = """\
---
title: A practice for the evening
video:
  still: images/still.png
  url: https://example.org/video
  alt: a practice for the evening
---
Sit down where it is quiet.
"""
EVENTS = """\
---
title: Courses this spring
---
"""
WORKSHOP = """\
---
title: A day of rest
starts: 2026-03-07 09:00
ends: 2026-03-07 12:00
deadline:
  label: Early price ends
  date: 2026-03-04
button:
  label: Reserve a place for the day of rest
  url: https://example.org/rest
---
Bring a blanket.
"""
MJML = """\
<mjml lang="{{ language }}" dir="{{ direction }}">
<mj-head>
<mj-title>{{ issue.title }}</mj-title>
<mj-preview>{{ issue.preheader }}</mj-preview>
<mj-attributes><mj-all font-family="Georgia, serif" /></mj-attributes>
<mj-style></mj-style>
</mj-head>
<mj-body>
<mj-section><mj-column><mj-text><h1>{{ issue.title }}</h1></mj-text></mj-column></mj-section>
{% for section in sections %}
<mj-section><mj-column>
<mj-text><h2>{{ section.fields.title }}</h2></mj-text>
<mj-text>{{ prose(section.prose) }}</mj-text>
{% if section.type == "letter" %}
<mj-image src="{{ picture(section.fields.signature.portrait, width=72).src }}" width="72px" alt="" />
<mj-text>{{ section.fields.signature.name }}</mj-text>
{% endif %}
{% if section.type == "meditation" %}
<mj-image src="{{ video_still(section.fields.video.still, none).src }}" width="536px"
  alt="Play: {{ section.fields.video.alt }}"
  href="{{ section.fields.video.url }}" />
{% endif %}
{% for item in section.items %}
<mj-text><h3>{{ item.fields.title }}</h3>{{ when(item) }} {{ deadline(item) }} {{ prose(item.prose, 4) }}</mj-text>
{% if item.fields.button %}
<mj-button href="{{ item.fields.button.url }}">{{ item.fields.button.label }}</mj-button>
{% endif %}
{% endfor %}
</mj-column></mj-section>
{% endfor %}
<mj-section><mj-column>
<mj-text>{{ newsletter.address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section>
</mj-body>
</mjml>
"""
TEXT = """\
{{ issue.title | upper }}

{% for section in sections %}
{{ section.fields.title | upper }}

{{ prose_text(section.prose) }}

{% if section.type == "letter" %}{{ section.fields.signature.name }}{% endif %}
{% if section.type == "meditation" %}

{{ section.fields.video.url }}
{% endif %}
{% for item in section.items %}
{{ item.fields.title }}
{{ when(item) }}
{{ deadline(item) }}

{{ prose_text(item.prose) }}

{% if item.fields.button %}
{{ item.fields.button.label }}:
{{ item.fields.button.url }}
{% endif %}
{% endfor %}
{% endfor %}

{{ newsletter.address }}
Unsubscribe: {{ unsubscribe_url }}
"""
FILES = {
    "newsletter.toml": CONFIG,
    f"{ISSUE}/issue.yaml": ISSUE_YAML,
    f"{ISSUE}/letter.md": LETTER,
    f"{ISSUE}/meditation.md": MEDITATION,
    f"{ISSUE}/events/index.md": EVENTS,
    f"{ISSUE}/events/workshop.md": WORKSHOP,
    "templates/email.mjml.j2": MJML,
    "templates/author.css.j2": ".prose p { margin: 0 0 16px; }\n.prose h5, .prose h6 { font-size: 16px; }\n",
    "templates/text/email.txt.j2": TEXT,
}
SHORT = {
    "toml": "newsletter.toml",
    "issue": f"{ISSUE}/issue.yaml",
    "letter": f"{ISSUE}/letter.md",
    "meditation": f"{ISSUE}/meditation.md",
    "workshop": f"{ISSUE}/events/workshop.md",
    "mjml": "templates/email.mjml.j2",
    "txt": "templates/text/email.txt.j2",
}


_MEMORY = Memory()  # of what all these workspaces have in common: most tests change a word or two


@dataclass(frozen=True, slots=True)
class Workspace:
    """A scratch workspace with one issue."""

    root: Path

    def edit(self, name: str, old: str, new: str) -> "Workspace":
        """Replaces a text that stands in a file exactly once; files have the short names of `SHORT`."""
        path = self.root / SHORT[name]
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
        return self

    def subject(self, *, at: datetime | None = None, known_fields: frozenset[str] | None = None) -> Subject:
        """The issue, loaded and rendered, judged at a moment or by its own date."""
        config = load_config(self.root)
        theme = Theme(self.root, _MEMORY)
        issue = load_issue(config, self.root / ISSUE, theme.section_types)
        rendered = render_issue(issue, config, theme)
        return subject_of(config, issue, rendered, at=at, known_fields=known_fields)

    def findings(self) -> list[tuple[str, str]]:
        """Rule and place of everything that the checks find."""
        return summary(findings_of(self.subject()))


def findings_of(subject: Subject) -> tuple[Finding, ...]:
    """All that the checks find without a probe."""
    return check_issue(subject).findings


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Rule and place of each finding, with the folder of the issue left out.

    Features that some email apps lack (S14) are left out, because many faults are reported for that reason too.
    """
    told = (finding for finding in findings if finding.rule != "S14")
    return [(finding.rule, str(finding.place).removeprefix(f"{ISSUE}/")) for finding in told]


def with_html(subject: Subject, edit: Callable[[str], str]) -> Subject:
    """The subject with the literal parts of its HTML edited: for faults that the renderer does not make."""
    variants = tuple(
        replace(variant, html=Template(tuple(edit(part) for part in variant.html.parts), variant.html.slots))
        for variant in subject.rendered.variants
    )
    return replace(subject, rendered=replace(subject.rendered, variants=variants))


@cache
def _picture(size: tuple[int, int]) -> bytes:
    content = BytesIO()
    Image.new("RGB", size, "#9C3353").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace in which nothing is to be found."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pictures = tmp_path / ISSUE / "images"
    pictures.mkdir()
    for name, size in {"ana.png": (144, 144), "cup.png": (1072, 700), "still.png": (1200, 675)}.items():
        (pictures / name).write_bytes(_picture(size))
    return Workspace(tmp_path)
