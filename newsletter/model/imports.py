"""The rows of an import, in batches, and the result for each row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.model.audience import SuppressionReason


class RejectedRow(Struct, frozen=True, kw_only=True):
    """A row that was not imported: the line of the file on which it starts, and what is wrong with it."""

    line: int
    email: str
    reason: str


class DoubtfulRow(Struct, frozen=True, kw_only=True):
    """A row that was imported but should be checked, for example because of a likely typo or a shared mailbox."""

    line: int
    email: str
    doubt: str


class LeavingRow(Struct, frozen=True, kw_only=True):
    """A row that says that its person left, or does not make clear whether they did.

    It is never imported, except that someone who left only a topic is.
    """

    line: int
    email: str
    person: str
    reason: SuppressionReason | None  # None if no one is suppressed for it, such as for an unconfirmed address
    left_at: str = ""  # the time of leaving as the list gives it, or an empty string
    until: str = ""  # the latest time that this can mean
    topic: str = ""  # the topic that they left; empty for all email
    consented_at: str = ""  # the consent that the list knew when it said so; it does not bring them back
    told: str  # what the row says, in words


class ImportBatch(Struct, frozen=True, kw_only=True):
    """Some consecutive rows of a list, stored by column because a list may have a million rows.

    All `columns` have the same length, and every batch of a list has the same columns. `lines` gives the line of the
    file on which each row starts; no two rows share a line. Every batch has `person` (the key that identifies a person)
    and `email` (checked, with its domain in lowercase). It has other COLUMNS, including `attributes`, only if the file
    has them. Cells are strings as the database stores them. An empty cell means that the value is unknown, times are in
    UTC (`2026-02-19T08:00:00Z`), tags are enclosed in bars, and `attributes` is a JSON object of strings, or empty.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]
    leaving: tuple[LeavingRow, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    doubtful: tuple[DoubtfulRow, ...] = ()
    attribute_names: frozenset[str] = frozenset()
    tag_names: frozenset[str] = frozenset()
    bytes_read: int = 0  # from the start of the file to the end of the batch


class ImportTerms(Struct, frozen=True, kw_only=True):
    """The statements about all rows of a list, made by the person who imports it."""

    file: str = ""  # its name
    basis: str = ""  # why people without recorded consent may be emailed
    tags: tuple[str, ...] = ()  # added to everyone
    replaces: frozenset[str] = frozenset()  # columns and attributes whose cells replace what is recorded, even if empty
    suppresses_leavers: bool = False  # whether people who left are suppressed even if they are not on the list
    is_by_hand: bool = False  # whether this is one person whom someone added, not an import that can be undone


class Fate(StrEnum):
    """The possible results for a row."""

    ADDED = "added"
    UPDATED = "updated"  # the person was on the list, and the row had something new
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"  # the person left, according to the row, and is suppressed
    REJECTED = "rejected"


class RowFate(Struct, frozen=True, kw_only=True):
    """The result for one row, and a remark."""

    line: int
    email: str
    fate: Fate
    remark: str = ""  # why it was rejected, what to check, or that the person is suppressed or has resubscribed


class ImportReport(Struct, frozen=True, kw_only=True):
    """The counts of an import, which cover every row: added + updated + unchanged + blocked + rejected = rows."""

    added: int
    updated: int
    unchanged: int
    rejected: int
    blocked: int = 0  # rows of people who left, according to the row, and are suppressed
    left_rejected: int = 0  # rejected rows of people who left, according to the row, and are not suppressed
    to_correct: int = 0  # rejected rows that would be imported if they were corrected
    left_topics: int = 0  # new suppressions from single topics
    in_doubt: int = 0  # people on the list who are not emailed until someone answers whether they left
    suppressed: int = 0  # imported rows with a suppressed address, which is saved but never emailed
    revived: int = 0  # people who had unsubscribed, but whose row has newer consent
    without_consent: int = 0  # imported rows of people without recorded consent or basis
    doubtful: int = 0
    # The first of these rows, for the screen. All of them are in the report file.
    rejected_rows: tuple[RejectedRow, ...] = ()
    doubtful_rows: tuple[DoubtfulRow, ...] = ()

    @property
    def rows(self) -> int:
        """Return how many rows the file had."""
        return self.added + self.updated + self.unchanged + self.blocked + self.rejected


class PastImport(Struct, frozen=True, kw_only=True):
    """An import, as stored in the database."""

    at: datetime
    file: str
    added: int
    updated: int
    unchanged: int
    blocked: int
    rejected: int
    basis: str
    tags: tuple[str, ...]
    undone_at: datetime | None = None


class PastConsent(Struct, frozen=True, kw_only=True):
    """Earlier consent, as it was recorded before newer consent replaced or corrected it."""

    replaced_at: datetime
    consented_at: datetime
    source: str
    wording: str
    confirmed_at: datetime | None
