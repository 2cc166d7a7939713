"""What an import reads, batch by batch, and what it did with each row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class RejectedRow(Struct, frozen=True, kw_only=True):
    """A row that was not taken: the line of the file on which it starts, and what is wrong with it."""

    line: int
    email: str
    reason: str


class DoubtfulRow(Struct, frozen=True, kw_only=True):
    """A row that was taken, and what somebody should look at: a likely typo, an address that no one person reads."""

    line: int
    email: str
    doubt: str


class ImportBatch(Struct, frozen=True, kw_only=True):
    """Some rows of a list, in their order; columns rather than rows, because a list may have a million.

    `columns` are of equal length, and the same ones in every batch of a list; `lines` tells on which line of the file
    each row starts, and no two rows of a list have the same. There are always `person`
    (the form that decides who is the same person) and `email` (checked, its domain in lower case); any other of
    COLUMNS, and `attributes` among them, only where the file has them. Cells are texts as the database keeps them: an
    empty one says nothing, moments are in UTC (`2026-02-19T08:00:00Z`), tags stand between bars, `attributes` is a
    JSON object of texts, or empty.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]
    rejected: tuple[RejectedRow, ...] = ()
    doubtful: tuple[DoubtfulRow, ...] = ()
    attribute_names: frozenset[str] = frozenset()
    tag_names: frozenset[str] = frozenset()
    bytes_read: int = 0  # of the file, up to the end of the batch


class ImportTerms(Struct, frozen=True, kw_only=True):
    """What whoever imports says about all rows of a list."""

    file: str = ""  # its name
    basis: str = ""  # why those may be mailed of whom no consent is known
    tags: tuple[str, ...] = ()  # given to everybody


class Fate(StrEnum):
    """What became of a row."""

    ADDED = "added"
    UPDATED = "updated"  # the person was known, and the row said something new
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class RowFate(Struct, frozen=True, kw_only=True):
    """What became of one row, and what is to be said about it."""

    line: int
    email: str
    fate: Fate
    remark: str = ""  # why it was rejected, what is doubtful, that the person is suppressed or has come back


class ImportReport(Struct, frozen=True, kw_only=True):
    """Every row accounted for: added + updated + unchanged + rejected = rows."""

    added: int
    updated: int
    unchanged: int
    rejected: int
    suppressed: int = 0  # rows taken whose address is suppressed: kept on record, never mailed
    revived: int = 0  # people who had left, and whose row holds a newer consent
    without_consent: int = 0  # rows taken of people whom nothing on record allows to mail
    doubtful: int = 0
    # The first of those that somebody should look at, for the screen; all of them are in the file of fates.
    rejected_rows: tuple[RejectedRow, ...] = ()
    doubtful_rows: tuple[DoubtfulRow, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the file held."""
        return self.added + self.updated + self.unchanged + self.rejected


class PastImport(Struct, frozen=True, kw_only=True):
    """An import as the database remembers it."""

    at: datetime
    file: str
    added: int
    updated: int
    unchanged: int
    rejected: int
    basis: str
    tags: tuple[str, ...]


class PastConsent(Struct, frozen=True, kw_only=True):
    """A consent that a newer one replaced, or that was corrected, as it was on record before."""

    replaced_at: datetime
    consented_at: datetime
    source: str
    wording: str
    confirmed_at: datetime | None
