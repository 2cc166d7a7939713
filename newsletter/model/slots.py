"""Merge fields, `{{ first_name | default("Friends") }}` in content, and the template with slots that they leave behind.

While an issue is composed, each merge field travels as an opaque token, a word of plain letters and digits that
Markdown, MJML and the inliner leave alone. When the mail is finished the tokens are cut out, and what stays is a
`Template`: literal parts with a slot between each two. A subscriber's value is put between parts and never searched
again, so no value can pose as a field.

A slot has a source, which fills it for all readers of a chunk at once, and an escape, which says how a value must be
written where the slot stands. Nobody but a source knows what it is called in content.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import ClassVar, Protocol

from msgspec import Struct

MERGE_FIELD = re.compile(r"\{\{(?P<inside>.*?)\}\}", re.DOTALL)
MERGE_TOKEN = re.compile(r"mfq[0-9a-f]{16}q")
_INSIDE = re.compile(
    r"""\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*
        (?:\|\s*default\(\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*\)\s*)?""",
    re.VERBOSE,
)


class Link(StrEnum):
    """A link of the reader's own."""

    UNSUBSCRIBE = "unsubscribe"


# What content and templates call each reader's own links; no column or attribute can have one of these names.
LINK_FIELDS: Mapping[str, Link] = {"unsubscribe_url": Link.UNSUBSCRIBE}


class MergeField(Struct, frozen=True):
    """A per-subscriber value in an issue; `default` stands in where a subscriber has none."""

    name: str
    default: str | None = None

    @property
    def token(self) -> str:
        """The opaque word that stands for this field while the mail is composed."""
        digest = blake2b(f"{self.name}\0{self.default}".encode(), digest_size=8).hexdigest()
        return f"mfq{digest}q"

    def __str__(self) -> str:
        default = "" if self.default is None else f' | default("{self.default}")'
        return f"{{{{ {self.name}{default} }}}}"


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


class ChunkColumns(Struct, frozen=True, kw_only=True):
    """What is known of the readers of a chunk, column by column: one text per reader, in the same order everywhere."""

    fields: Mapping[str, Sequence[str]]  # the columns and attributes that the sources read; empty where unknown
    links: Mapping[Link, Sequence[str]]


class SlotSource(Protocol):
    """Where the values of a slot come from."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns and attributes that it reads."""

    @property
    def escape(self) -> Escape | None:
        """The one escape that its values need anywhere; None where that depends on the place."""

    @property
    def token(self) -> str:
        """The opaque word that stands for it while the mail is composed, and that checks read in its place."""

    @property
    def data(self) -> list[str | None]:
        """What it is kept as beside a frozen broadcast: its kind, a key of `SOURCES`, then what that is given."""

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return one value per reader of the chunk, not yet escaped."""


class Column(Struct, frozen=True):
    """A column or an attribute of the list; the default stands in for an empty one."""

    name: str
    default: str | None = None
    escape: ClassVar[Escape | None] = None  # what a subscriber is called can hold anything, so the place decides

    @property
    def fields(self) -> tuple[str, ...]:
        """The column."""
        return (self.name,)

    @property
    def token(self) -> str:
        """The token of the merge field with this name and default."""
        return MergeField(self.name, self.default).token

    @property
    def data(self) -> list[str | None]:
        """Its kind, name and default."""
        return ["column", self.name, self.default]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the values, each empty one replaced by the default."""
        values = chunk.fields[self.name]
        if not self.default or "" not in values:  # looked for in C, a thousand values at a time
            return values
        default = self.default
        return [value or default for value in values]


class OwnLink(Struct, frozen=True):
    """A link of the reader's own, made of characters that need no escaping anywhere."""

    link: Link
    fields: ClassVar[tuple[str, ...]] = ()  # it is made from the subscriber's id and token, which every delivery has
    escape: ClassVar[Escape | None] = Escape.LINK  # it stays as it is, in HTML, in text and inside another address

    @property
    def token(self) -> str:
        """The token of the merge field by which content names the link."""
        return next(MergeField(name).token for name, link in LINK_FIELDS.items() if link is self.link)

    @property
    def data(self) -> list[str | None]:
        """Its kind and which link it is."""
        return ["link", self.link.value]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the links."""
        return chunk.links[self.link]


SOURCES: dict[str, Callable[..., SlotSource]] = {"column": Column, "link": lambda link: OwnLink(Link(link))}


def value_of_nobody(source: SlotSource, *, link: str = "") -> str:
    """Return the value for somebody of whom nothing is known: the default, or `link` in the place of their own."""
    fields, links = dict.fromkeys(source.fields, ("",)), dict.fromkeys(Link, (link,))
    return source.column(ChunkColumns(fields=fields, links=links))[0]


def source_of(field: MergeField) -> SlotSource:
    """Return where the values of a merge field come from."""
    link = LINK_FIELDS.get(field.name)
    return OwnLink(link) if link else Column(field.name, field.default)


def source_from(data: Sequence[str | None]) -> SlotSource:
    """Return the source that was kept as `data`."""
    kind, *details = data
    return SOURCES[kind or ""](*details)


UNSUBSCRIBE_FIELD = MergeField("unsubscribe_url")  # as the theme's templates are given it


class Slot(Struct, frozen=True):
    """A place in a variant that is filled per reader; a field used in two kinds of place is two slots."""

    source: SlotSource
    escape: Escape


class Template(Struct, frozen=True):
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
