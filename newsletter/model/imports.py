"""The rows of an import, in batches, and the result for each row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


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


class Fate(StrEnum):
    """The possible results for a row."""

    ADDED = "added"
    UPDATED = "updated"  # the person was on the list, and the row had something new
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class RowFate(Struct, frozen=True, kw_only=True):
    """The result for one row, and a remark."""

    line: int
    email: str
    fate: Fate
    remark: str = ""  # why it was rejected, what to check, or that the person is suppressed or has resubscribed


class ImportReport(Struct, frozen=True, kw_only=True):
    """The counts of an import, which cover every row: added + updated + unchanged + rejected = rows."""

    added: int
    updated: int
    unchanged: int
    rejected: int
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
        return self.added + self.updated + self.unchanged + self.rejected


class PastImport(Struct, frozen=True, kw_only=True):
    """An import, as stored in the database."""

    at: datetime
    file: str
    added: int
    updated: int
    unchanged: int
    rejected: int
    basis: str
    tags: tuple[str, ...]


class PastConsent(Struct, frozen=True, kw_only=True):
    """Earlier consent, as it was recorded before newer consent replaced or corrected it."""

    replaced_at: datetime
    consented_at: datetime
    source: str
    wording: str
    confirmed_at: datetime | None
