"""Merge fields, such as `{{ first_name | default("Friends") }}`, and the slots that replace them in the finished email.

While an issue is composed, an opaque token replaces each merge field: a word of plain letters and digits, which
Markdown, MJML and the inliner leave unchanged. In the finished email the tokens are cut out. The result is a
`Template`: literal parts with a slot after each part but the last. A subscriber's value is inserted between parts and
never searched again, so no value can be mistaken for a field.

A slot has a source, which provides the values for all readers of a chunk at once, and an escape, which is the way to
write a value in that place. Nothing but the source depends on the field's name in content.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from newsletter.model.typography import columns_of

# A field cannot contain opening braces. Without this rule, searching text with thousands of them would take seconds.
MERGE_FIELD = re.compile(r"\{\{(?P<inside>(?:(?!\{\{).)*?)\}\}", re.DOTALL)
_TOKENS_BEGIN = "mfq"
MERGE_TOKEN = re.compile(r"mfq[0-9a-f]{16}q")
_INSIDE = re.compile(
    r"""\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*
        (?:\|\s*default\(\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*\)\s*)?""",
    re.VERBOSE,
)


_USUAL_COLUMNS = 8  # about a first name
_LINK_COLUMNS = 60


def with_usual_widths(text: str) -> str:
    """Return the text with letters in place of each token, as many as a usual value of its field has."""
    if _TOKENS_BEGIN not in text:  # asked for every word of the plain text, and a search in the pattern is slower
        return text
    return MERGE_TOKEN.sub(lambda token: "x" * int(token[0][-3:-1], 16), text)


def token_of(meaning: str, columns: int) -> str:
    """Return an opaque word for a slot with this meaning, whose usual value takes so many columns in plain text."""
    digest = blake2b(meaning.encode(), digest_size=7).hexdigest()
    return f"mfq{digest}{columns:02x}q"


class Link(StrEnum):
    """The personal links that each reader has."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    TRACKING = "tracking"  # the page that ends tracking
    ASKED = "asked"  # only in the email that someone asked for
    CONFIRM = "confirm"  # only in the email that asks for it, so content and templates cannot name it


# The names of the personal links in content and templates. No column or attribute can have one of these names.
LINK_FIELDS: Mapping[str, Link] = {
    "unsubscribe_url": Link.UNSUBSCRIBE,
    "preferences_url": Link.PREFERENCES,
    "tracking_url": Link.TRACKING,
}


class MergeField(Struct, frozen=True):
    """A value that differs per subscriber. `default` is shown to subscribers for whom the value is unknown."""

    name: str
    default: str | None = None

    @property
    def token(self) -> str:
        """Return the opaque word that replaces this field while the email is composed.

        Its last two digits are the columns that the default takes in plain text, or a usual value if there is none.
        """
        usual = _LINK_COLUMNS if self.name in LINK_FIELDS else _USUAL_COLUMNS
        columns = usual if self.default is None else min(columns_of(self.default), 255)
        return token_of(f"{self.name}\0{self.default}", columns)

    def __str__(self) -> str:
        default = "" if self.default is None else f' | default("{self.default}")'
        return f"{{{{ {self.name}{default} }}}}"


def parse_merge_field(inside: str) -> MergeField | None:
    """Return the text between the braces as a merge field, or None if it is not a merge field."""
    match = _INSIDE.fullmatch(inside)
    if match is None:
        return None
    default = match["double"] if match["double"] is not None else match["single"]
    return MergeField(match["name"], default)


class Escape(StrEnum):
    """The ways in which a value can be escaped for its place."""

    HTML = "html"  # text or an attribute of HTML
    URL = "url"  # part of a URL: percent-encoded
    ADDRESS = "address"  # a whole URL: empty unless it is a web or email address
    LINK = "link"  # a personal link, made of characters that need no escaping anywhere
    TEXT = "text"  # the plain-text version: control characters become spaces
    HEADER = "header"  # a header: one line, no control characters


class LocalTimes(Struct, frozen=True):
    """The times of an event, in UTC and on the clocks of its own zone, and the language of the text about them."""

    language: str
    # Each occurrence: when it starts and ends, both in seconds since 1970 in UTC. The end is None if it is not told.
    occurrences: tuple[tuple[int, int | None], ...]
    own_offsets: tuple[int, ...]  # the event's own difference from UTC at each of `moments`, in seconds

    @property
    def moments(self) -> tuple[int, ...]:
        """Return every start and end."""
        return tuple(moment for occurrence in self.occurrences for moment in occurrence if moment is not None)


# Returns, for the times of an event, the text after them for readers in each time zone. It is empty if their clocks
# show the same, and None if the zone is not known, or the times differ too much from week to week for one line.
LocalTexts = Callable[[LocalTimes], Mapping[str, str | None]]


class ChunkColumns(Struct, frozen=True, kw_only=True):
    """The known values of a chunk's readers, by column: one string per reader, in the same order in every column."""

    fields: Mapping[str, Sequence[str]]  # the columns and attributes that the sources read; an empty string if unknown
    links: Mapping[Link, Sequence[str]]  # those that the sources read
    local_texts: LocalTexts = lambda _times: {"": None}
    people: Sequence[tuple[int, str]] = ()  # the id and the token of each reader
    broadcast: int = 0
    nonce: str = ""  # of the broadcast


class SlotSource(Protocol):
    """The source of the values of a slot."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns and attributes that the source reads."""

    @property
    def links(self) -> tuple[Link, ...]:
        """Return the personal links that the source reads."""

    @property
    def escape(self) -> Escape | None:
        """Return the escape that the values need in every place, or None if it depends on the place."""

    @property
    def is_shared(self) -> bool:
        """Return whether many readers have the same value."""

    @property
    def token(self) -> str:
        """Return the opaque word that represents the source while the email is composed, and that checks see."""

    @property
    def data(self) -> list[str | None]:
        """Return the form that is saved with a frozen broadcast: a key of `SOURCES`, then the arguments."""

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return one unescaped value per reader of the chunk."""


# The fields that the theme's templates receive.
UNSUBSCRIBE_FIELD = MergeField("unsubscribe_url")
PREFERENCES_FIELD = MergeField("preferences_url")
TRACKING_FIELD = MergeField("tracking_url")
OWN_FIELDS = (UNSUBSCRIBE_FIELD, PREFERENCES_FIELD, TRACKING_FIELD)


class Slot(Struct, frozen=True):
    """A kind of place in a variant that is filled for each reader. A field in two kinds of places has two slots."""

    source: SlotSource
    escape: Escape


class Template(Struct, frozen=True):
    """Text with slots between its parts. `slots` are indexes of the variant's slots, one fewer than there are parts."""

    parts: tuple[str, ...]
    slots: tuple[int, ...] = ()

    def fill(self, values: tuple[str, ...]) -> str:
        """Return the text with the values inserted. They must be escaped, and in the order of the variant's slots."""
        if not self.slots:
            return self.parts[0]
        pieces = [self.parts[0]]
        for index, part in zip(self.slots, self.parts[1:], strict=True):
            pieces += (values[index], part)
        return "".join(pieces)
