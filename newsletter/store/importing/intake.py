"""Take the batches of a list as they come: state the terms on every row, and keep account of what was read.

Filling and merging take their rows from here, and return a report of what became of them, with the `Fates`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.imports import DoubtfulRow, ImportBatch, ImportTerms, RejectedRow
from newsletter.store.database import Connection
from newsletter.store.queries import Change, change


class FateRow(NamedTuple):
    """What became of a row that was taken."""

    line: int
    email: str
    fate: str  # a Fate: to read it here would cost each of a million rows more than all the rest


Fates = Callable[[int, int], list[FateRow]]  # of the first so many rows after a line, in order

KEPT_ROWS = 1000  # of those to be shown; a file may hold millions of them
_KNOWN_NAMES = 10_000  # names that are remembered as kept already
MARK = "\x1f"  # between the cells of a row: ASCII's separator of units, and no cell holds control characters

_CREATE_REMARK = change("import_shared", "create_remark")
_ADD_TAG_NAME = change("import_shared", "add_tag_name")
_ADD_ATTRIBUTE_NAME = change("import_shared", "add_attribute_name")
_CREATE_CONTENDER = change("import_shared", "create_contender")
_REJECT_REPEATED = change("import_shared", "reject_repeated")
_DROP_CONTENDER = change("import_shared", "drop_contender")


class Intake:
    """What was read so far of one list."""

    def __init__(
        self, connection: Connection, terms: ImportTerms, *, keeps_remarks: bool, on_progress: Callable[[int], None]
    ) -> None:
        self.rejected = 0
        self.doubtful = 0
        self.rejected_rows: list[RejectedRow] = []
        self.doubtful_rows: list[DoubtfulRow] = []
        self._connection = connection
        self.terms = terms
        self.keeps_remarks = keeps_remarks
        self._on_progress = on_progress
        self._tags: set[str] = set()
        self._attributes: set[str] = set()
        _CREATE_REMARK(connection)

    def rows_of(self, batches: Iterable[ImportBatch]) -> Iterator[ImportBatch]:
        """Yield the batches with rows to be taken, with the terms stated on them."""
        self._keep_names(_ADD_TAG_NAME, self._tags, self.terms.tags)
        for batch in batches:
            self._account_for(batch)
            if batch.lines:
                yield replace(batch, columns=self._with_terms(batch))
            self._on_progress(batch.bytes_read)

    def _account_for(self, batch: ImportBatch) -> None:
        self.rejected += len(batch.rejected)
        self.doubtful += len(batch.doubtful)
        self.rejected_rows += batch.rejected[: KEPT_ROWS - len(self.rejected_rows)]
        self.doubtful_rows += batch.doubtful[: KEPT_ROWS - len(self.doubtful_rows)]
        self._keep_names(_ADD_TAG_NAME, self._tags, batch.tag_names)
        self._keep_names(_ADD_ATTRIBUTE_NAME, self._attributes, batch.attribute_names)
        if self.keeps_remarks:
            self._connection.load("remark", [(row.line, row.email, 1, row.reason) for row in batch.rejected])
            self._connection.load("remark", [(row.line, row.email, 0, row.doubt) for row in batch.doubtful])

    def _keep_names(self, keep: Change, known: set[str], names: Iterable[str]) -> None:
        if new := sorted(set(names) - known):
            keep.for_each(self._connection, [{"name": name} for name in new])
            if len(known) + len(new) > _KNOWN_NAMES:
                known.clear()
            known.update(new[:_KNOWN_NAMES])

    def _with_terms(self, batch: ImportBatch) -> Mapping[str, Sequence[str]]:
        terms, size = self.terms, len(batch.lines)
        if not terms.tags and not terms.basis:
            return batch.columns
        columns, empty = dict(batch.columns), [""] * size
        if terms.tags:
            columns["tags"] = [_tags_with(tags, terms.tags) for tags in columns.get("tags", empty)]
        if terms.basis:
            consents, own = columns.get("consented_at", empty), columns.get("consent_basis", empty)
            columns["consent_basis"] = [
                basis or ("" if consent else terms.basis) for consent, basis in zip(consents, own, strict=True)
            ]
        return columns


def reject_repeated(connection: Connection, find_contenders: Callable[[], object]) -> int:
    """Reject all but one row of each person who has several. Return how many.

    Which row counts does not depend on their order; the others are told its line. `find_contenders` puts all rows of
    such people into the table `contender`.
    """
    _CREATE_CONTENDER(connection)
    find_contenders()
    rejected = _REJECT_REPEATED(connection)
    _DROP_CONTENDER(connection)
    return rejected


@lru_cache(maxsize=1024)
def _tags_with(tags: str, more: tuple[str, ...]) -> str:
    return tags_text((*tags_in(tags), *more))
