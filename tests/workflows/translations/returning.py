"""Workspaces whose issues are translated, and a translator whose language is English read backwards."""

import re
import shutil
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po, write_po
from lxml import etree

from newsletter.config import Config, load_config
from newsletter.content.loader import load_issue
from newsletter.workflows.translations.export import TranslationForm, exported_translations
from newsletter.workflows.translations.import_ import ImportPlan, plan_import, write_import
from newsletter.workflows.translations.overview import LanguageStatus, translations_of
from tests.workspaces import CONFIG, write_workspace

ROOT = Path(__file__).parents[3]
CORE = "{urn:oasis:names:tc:xliff:document:2.0}"
OFFERED = '\n[languages]\noffered = ["es", "ja", "ar", "de"]\n'
ISSUE = """\
subject: Three days in spring, {{ first_name | default("friend") }} 🌷
# keep this comment
preheader: A letter, a price and three days.
title: Three days in spring
date: 2026-02-19
sections:
  - letter
  - prices
"""
LETTER = """\
---
greeting: Dear {{ first_name | default("Friends") }},
closing: With warm wishes,
---
We meet on February 25–27, 2026, at 8:00 am. [Reserve your *place*](https://www.example.org/place "Places") today!
Dr. Germer and C. Neff will be there.

- It costs $25, or 20 €, for two.
- Write to hello@example.org, or read <https://www.example.org/more>.

> Be **kind** to yourself.[^1] A picture ![of a field](field.png) stands here.

| Day | Price |
|-----|------:|
| Friday, March 6 | **$1,200.50** |

[^1]: Read [the note](https://www.example.org/note) by `code`.
"""
PRICES = """\
---
type: text
title: What it costs
button:
  label: Pay now
  url: https://www.example.org/pay
---
A word for all. A word for all. [Muchas gracias]{lang=es}, {{ first_name }}, and {{ first_name | default("you") }}.
"""
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def translated_workspace(root: Path) -> Config:
    """A workspace with one issue that has every kind of code, and that is offered in four other languages."""
    files: dict[str, str | bytes] = {
        "newsletter.toml": CONFIG + OFFERED,
        "issues/2026-02/issue.yaml": ISSUE,
        "issues/2026-02/letter.md": LETTER,
        "issues/2026-02/prices.md": PRICES,
        "issues/2026-02/field.png": PICTURE,
    }
    return load_config(write_workspace(root, files))


def copied_workspace(root: Path, source: Path) -> Config:
    """A copy of a workspace that offers other languages."""
    for name in ("issues", "newsletter.toml", "brand", "templates"):
        if (source / name).is_dir():
            shutil.copytree(source / name, root / name)
        elif (source / name).exists():
            shutil.copy(source / name, root / name)
    path = root / "newsletter.toml"
    text = path.read_text()
    if "[languages]" not in text:
        path.write_text(text + OFFERED)
    return load_config(root)


def status_of(config: Config, language: str = "es", *, issue: str = "2026-02") -> LanguageStatus:
    """The translations into one language."""
    (status,) = translations_of(config, config.root / "issues" / issue, language=language)
    return status


def export(config: Config, language: str = "es", *, issue: str = "2026-02", form: str = "xliff") -> bytes:
    """What a translator gets."""
    source = load_issue(config, config.root / "issues" / issue).language
    status = status_of(config, language, issue=issue)
    return exported_translations(status, TranslationForm(form), issue=issue, source=source)


def backwards(text: str) -> str:
    """The text with each word read backwards."""
    return re.sub(r"[^\W\d_]+", lambda word: word[0][::-1], text)


def translate(content: bytes) -> bytes:
    """The file with every sentence translated, and its codes in place."""
    return translate_xliff(content) if content.startswith(b"<") else translate_po(content)


def translate_xliff(content: bytes, *, state: str = "translated") -> bytes:
    """An XLIFF document with every sentence translated."""
    root: Any = etree.fromstring(content)
    for segment in root.iter(f"{CORE}segment"):
        source, former = segment.find(f"{CORE}source"), segment.find(f"{CORE}target")
        if former is not None:
            segment.remove(former)
        target = deepcopy(source)
        target.tag, target.tail = f"{CORE}target", None
        for element in target.iter():
            element.text = backwards(element.text or "")
            if element is not target:
                element.tail = backwards(element.tail or "")
        segment.append(target)
        segment.set("state", state)
        segment.attrib.pop("subState", None)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def translate_po(content: bytes) -> bytes:
    """A PO file with every sentence translated."""
    catalog = read_po(BytesIO(content))
    for message in catalog:
        if message.id:
            parts = re.split(r"(\{[\w-]+\}|</?[a-z]+-\d+>)", str(message.id))
            message.string = "".join(part if part[:1] in {"{", "<"} else backwards(part) for part in parts)
            message.flags.discard("fuzzy")
    written = BytesIO()
    write_po(written, catalog, width=0)
    return written.getvalue()


def plan(config: Config, content: bytes, *, replaces_newer: bool = False) -> tuple[ImportPlan, ...]:
    """What an import of a returned file would do."""
    path = config.root / ("back.xlf" if content.lstrip()[:1] == b"<" else "back.po")
    path.write_bytes(content)
    return plan_import(config, [path], replaces_newer=replaces_newer)


def take(config: Config, content: bytes, *, replaces_newer: bool = False) -> tuple[ImportPlan, ...]:
    """Import a returned file."""
    plans = plan(config, content, replaces_newer=replaces_newer)
    write_import(plans)
    return plans
