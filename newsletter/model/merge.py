"""Merge fields: `{{ first_name | default("Friends") }}` in content, and the template that they leave behind.

While an issue is composed, each merge field travels as an opaque token, a word of plain letters and digits that
Markdown, MJML and the inliner leave alone. When the mail is finished the tokens are cut out, and what stays is a
`Template`: literal parts with a slot between each two. A subscriber's value is put between parts and never searched
again, so no value can pose as a field.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

MERGE_FIELD = re.compile(r"\{\{(?P<inside>.*?)\}\}", re.DOTALL)
MERGE_TOKEN = re.compile(r"mfq[0-9a-f]{16}q")
_INSIDE = re.compile(
    r"""\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*
        (?:\|\s*default\(\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*\)\s*)?""",
    re.VERBOSE,
)

UNSUBSCRIBE_FIELD = "unsubscribe_url"
RESERVED_FIELDS = frozenset({UNSUBSCRIBE_FIELD})


@dataclass(frozen=True, slots=True)
class MergeField:
    """A per-subscriber value in an issue; `default` stands in where a subscriber has none."""

    name: str
    default: str | None = None

    @property
    def token(self) -> str:
        """The opaque word that stands for this field while the mail is composed."""
        digest = blake2b(f"{self.name}\0{self.default}".encode(), digest_size=8).hexdigest()
        return f"mfq{digest}q"

    def __str__(self) -> str:
        return (
            f"{{{{ {self.name} }}}}" if self.default is None else f'{{{{ {self.name} | default("{self.default}") }}}}'
        )


def parse_merge_field(inside: str) -> MergeField | None:
    """What stands between the braces as a merge field; None where it is not one."""
    match = _INSIDE.fullmatch(inside)
    if match is None:
        return None
    default = match["double"] if match["double"] is not None else match["single"]
    return MergeField(match["name"], default)


class Escape(StrEnum):
    """How a value must be written where it stands."""

    HTML = "html"  # text or an attribute of HTML
    URL = "url"  # a piece of an address: percent-encoded
    LINK = "link"  # the reader's own link, made of signs that need no escaping anywhere
    TEXT = "text"  # the plain-text part: as it is
    HEADER = "header"  # a header: one line, no control characters


@dataclass(frozen=True, slots=True)
class Slot:
    """A merge field in one kind of place; a field used in two kinds of place is two slots."""

    field: MergeField
    escape: Escape


@dataclass(frozen=True, slots=True)
class Template:
    """Text with slots between its parts; `slots` are indexes into the variant's slots, one fewer than the parts."""

    parts: tuple[str, ...]
    slots: tuple[int, ...] = ()

    def fill(self, values: tuple[str, ...]) -> str:
        """The text with its values put in; `values` stand in the order of the variant's slots, already escaped."""
        if not self.slots:
            return self.parts[0]
        pieces = [self.parts[0]]
        for index, part in zip(self.slots, self.parts[1:], strict=True):
            pieces += (values[index], part)
        return "".join(pieces)
