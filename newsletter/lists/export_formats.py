"""Recognize lists exported by other newsletter tools, whose formats are described in export_formats.toml."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from msgspec import Struct

from newsletter.lists.leaving import (
    STAYS,
    LeavingColumn,
    LeavingKind,
    LeavingOutcome,
    LeavingVerdict,
)
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.lists.leaving_reasons import LeavingReason
from newsletter.model.audience import SuppressionReason
from newsletter.model.columns import LIST_COLUMNS

LEFT_OUT = ""  # the target of a column that is not imported
JSON = "json"  # a column with further attributes, as a JSON object
_GOES_ON = "*"  # at the end of a name in `known_by`


class ExportFormat(Struct, frozen=True, kw_only=True):
    """The format of a tool's lists."""

    tool: str
    known_by: tuple[tuple[str, ...], ...]  # sets of column names; a list with all names of one set has this format
    columns: Mapping[str, tuple[str, ...]]  # name → the columns of ours that it fills, LEFT_OUT, or JSON
    leaving: tuple[LeavingColumn, ...] = ()  # columns whose cells have a meaning of their own in this tool
    is_day_first: bool | None = None  # whether 1/2/2026 is the first of February; None: unknown
    is_ours: bool = False  # an export of this program: columns that it does not explain are attributes
    is_address_book: bool = False  # only the columns named here are used
    separator: str = ""  # what stands between several values in a cell, if the tool has a separator of its own
    skipped_tags: re.Pattern[str] | None = None  # the tool's own tags, in lowercase
    topics: re.Pattern[str] | None = None  # the names of the columns that say who left one topic

    def topic_in(self, name: str) -> str:
        """Return the topic that people left who have a yes in this column, or an empty text.

        A name that surely speaks of leaving, such as "Global Unsubscribe", means all email.
        """
        found = self.topics.fullmatch(name) if self.topics else None
        topic = next(filter(None, found.groups()), "") if found else ""
        about = column_about_leaving(topic) if topic else None
        is_all_email = about is not None and about.is_certain and about.kind in {LeavingKind.LEFT, LeavingKind.REASON}
        return "" if is_all_email else topic


def _leaving(described: Mapping[str, Any]) -> LeavingColumn:
    """Return a column about leaving from its description in export_formats.toml."""
    reasons = {
        word: LeavingVerdict(LeavingOutcome.LEFT, LeavingReason(reason))
        for reason, words in described.get("left", {}).items()
        for word in words
    }
    return LeavingColumn(
        name=described["name"],
        kind=LeavingKind(described["kind"]),
        reason=LeavingReason(described.get("reason", LeavingReason.UNSUBSCRIBED)),
        own=reasons | dict.fromkeys(described.get("mailed", ()), STAYS),
    )


def _format(described: Mapping[str, Any]) -> ExportFormat:
    """Return a format from its description in export_formats.toml."""
    columns = {name: tuple(fields) for name, fields in described["columns"].items()}
    columns |= dict.fromkeys(described.get("left_out", ()), (LEFT_OUT,)) | dict.fromkeys(
        described.get("json", ()), (JSON,)
    )
    return ExportFormat(
        tool=described["tool"],
        known_by=tuple(map(tuple, described["known_by"])),
        columns=columns,
        leaving=tuple(map(_leaving, described.get("leaving", ()))),
        is_day_first=described.get("is_day_first"),
        is_address_book=described.get("is_address_book", False),
        separator=described.get("separator", ""),
        skipped_tags=re.compile(described["skipped_tags"]) if "skipped_tags" in described else None,
        topics=re.compile(described["topics"], re.I) if "topics" in described else None,
    )


_TOLD = tomllib.loads((files("newsletter") / "lists" / "export_formats.toml").read_text("utf-8"))
OWN = ExportFormat(tool="", known_by=(), columns={})  # your own list, or one from an unknown tool
FORMATS = tuple(map(_format, _TOLD["format"]))
# The columns of `subscribers export` that say who is not emailed, and why. They are not imported, but judged.
STATUS, LEFT_AT, LEFT_TOPICS = STANDING_COLUMNS = ("status", "left_at", "left_topics")
SUBSCRIBED, NO_CONSENT = "subscribed", "no consent"  # the statuses of people who have not left
ATTRIBUTE_PREFIX = "attribute "  # before the name of an attribute that would otherwise be read as such a column
# The format of `subscribers export`. Its columns have our names. The status says why someone left. A time of leaving
# without a reason, which a person must have written, leaves it open.
OUR_EXPORT = ExportFormat(
    tool="",
    is_ours=True,
    known_by=(("email", *STANDING_COLUMNS),),
    columns=dict.fromkeys((STATUS, LEFT_AT), (LEFT_OUT,)),
    leaving=(
        LeavingColumn(
            name=STATUS,
            kind=LeavingKind.STATUS,
            own=dict.fromkeys((SUBSCRIBED, NO_CONSENT), STAYS)
            | {
                reason.value: LeavingVerdict(LeavingOutcome.LEFT, LeavingReason(reason.value))
                for reason in SuppressionReason
            },
        ),
        LeavingColumn(name=LEFT_AT, kind=LeavingKind.LEFT, reason=LeavingReason.IN_DOUBT),
    ),
)
# The same before these columns existed. A column with one of their names is then an attribute, or was added by hand.
# Only the complete columns show that we wrote the list.
EARLIER_EXPORT = ExportFormat(tool="", is_ours=True, known_by=(LIST_COLUMNS,), columns={})


def letters_of(name: str) -> str:
    """Return the letters and digits of a column's name, so that `E-Mail Address` and `email_address` are equal."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def recognize(names: Sequence[str]) -> ExportFormat:
    """Return the format of a list with these columns."""
    letters, small = frozenset(map(letters_of, names)), [name.casefold() for name in names]

    def has(known: str) -> bool:
        if not known.endswith(_GOES_ON):
            return letters_of(known) in letters
        beginning = known.removesuffix(_GOES_ON).casefold()
        return any(name.startswith(beginning) and name != beginning for name in small)

    by_names = ((found, known) for found in (OUR_EXPORT, EARLIER_EXPORT, *FORMATS) for known in found.known_by)
    return next((found for found, known in by_names if all(map(has, known))), OWN)
