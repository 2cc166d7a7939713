"""Tokens → slots when the mail is finished, and how a value is written in each."""

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from urllib.parse import quote

from newsletter.model.slots import MERGE_TOKEN, Escape, MergeField, Slot, Template, source_of

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
# What an attribute's name says about how a value in it must be written.
_LINK_ATTRIBUTE = re.compile(r"""(?:href|src)\s*=\s*(?:"[^"]*|'[^']*)\Z""", re.IGNORECASE)


class SlotTable:
    """The slots of a variant, numbered in the order in which they are met."""

    def __init__(self, fields: Iterable[MergeField]) -> None:
        self._fields = {field.token: field for field in fields}
        self._numbers: dict[Slot, int] = {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All slots met so far."""
        return tuple(self._numbers)

    def template(self, text: str, escape_at: Callable[[str, int], Escape]) -> Template:
        """Cuts the text at its tokens; `escape_at` tells how a value must be written at a position."""
        parts: list[str] = []
        slots: list[int] = []
        last = 0
        for match in MERGE_TOKEN.finditer(text):
            field = self._fields.get(match[0])
            if field is None:
                continue
            source = source_of(field)
            slot = Slot(source, source.escape or escape_at(text, match.start()))
            parts.append(text[last : match.start()])
            slots.append(self._numbers.setdefault(slot, len(self._numbers)))
            last = match.end()
        parts.append(text[last:])
        return Template(tuple(parts), tuple(slots))


def in_html(html: str, position: int) -> Escape:
    """How a value must be written at a position of an HTML document."""
    opened = html.rfind("<", 0, position)
    if opened > html.rfind(">", 0, position) and _LINK_ATTRIBUTE.search(html, opened, position):
        return Escape.URL
    return Escape.HTML


def in_text(text: str, position: int) -> Escape:
    """How a value must be written at a position of the plain text: percent-encoded inside an address."""
    start = max(text.rfind(sign, 0, position) for sign in (" ", "\n", "<")) + 1
    return Escape.URL if text.startswith(("https://", "http://", "mailto:"), start) else Escape.TEXT


def in_header(text: str, position: int) -> Escape:  # noqa: ARG001 - one signature for all three
    """How a value must be written in a header."""
    return Escape.HEADER


def _header(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()


def _text(value: str) -> str:
    return value if value.isalnum() else _CONTROL.sub(" ", value)


def _html(value: str) -> str:
    # Most values are one word, and a million of them are made: letters and digits need nothing.
    return value if value.isalnum() else escape(_text(value))


def _url(value: str) -> str:
    return quote(value, safe="")


ESCAPES: Mapping[Escape, Callable[[str], str]] = {
    Escape.HTML: _html,
    Escape.URL: _url,
    Escape.LINK: str,
    Escape.TEXT: _text,
    Escape.HEADER: _header,
}
