"""A small workspace that keeps every rule, so that a test breaks one by one edit of one file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks.base import Subject
from newsletter.checks.registry import check_issue
from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.finding import Finding
from newsletter.model.merge import Template
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme

ISSUE = "issues/2026-03"
CONFIG = """\
[newsletter]
name = "Harbour Letters"
organisation = "Harbour House"
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
<mj-image src="{{ picture(section.fields.signature.portrait).src }}" alt="" />
<mj-text>{{ section.fields.signature.name }}</mj-text>
{% endif %}
{% if section.type == "meditation" %}
<mj-image src="{{ video_still(section.fields.video.still, none).src }}" alt="Play: {{ section.fields.video.alt }}"
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
    "templates/author.css.j2": ".prose p { margin: 0 0 16px; }\n",
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
        theme = Theme(self.root)
        issue = load_issue(config, self.root / ISSUE, theme.section_types)
        return Subject(
            issue=issue,
            rendered=render_issue(issue, config, theme),
            settings=config.settings,
            at=at or issue.date_begins,
            known_fields=known_fields,
        )

    def findings(self) -> list[tuple[str, str]]:
        """Rule and place of everything that the checks find."""
        return summary(check_issue(self.subject()))


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Rule and place of each finding, with the folder of the issue left out."""
    return [(finding.rule, str(finding.place).removeprefix(f"{ISSUE}/")) for finding in findings]


def with_html(subject: Subject, edit: Callable[[str], str]) -> Subject:
    """The subject with the literal parts of its HTML edited: for faults that the renderer does not make."""
    variants = tuple(
        replace(variant, html=Template(tuple(edit(part) for part in variant.html.parts), variant.html.slots))
        for variant in subject.rendered.variants
    )
    return replace(subject, rendered=replace(subject.rendered, variants=variants))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace in which nothing is to be found."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pictures = tmp_path / ISSUE / "images"
    pictures.mkdir()
    for name, size in {"ana.png": (144, 144), "cup.png": (600, 400), "still.png": (640, 360)}.items():
        Image.new("RGB", size, "#9C3353").save(pictures / name)
    return Workspace(tmp_path)
