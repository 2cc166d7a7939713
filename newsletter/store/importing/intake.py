"""Read the batches of a list: apply the import's terms to every row, and count the rows that were read.

Filling and merging both get their rows from this module. Both return a report of what happened to the rows, and the
`Fates`, which returns the result of each row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from newsletter.model.audience import normal_tag, tags_in, tags_text
from newsletter.model.imports import DoubtfulRow, ImportBatch, ImportTerms, LeavingRow, RejectedRow
from newsletter.store.database import Connection
from newsletter.store.forgotten import has_address, text_cleaner
from newsletter.store.importing.import_record import ImportRecord
from newsletter.store.queries import Change, change


class FateRow(NamedTuple):
    """The fate of a row that was imported."""

    line: int
    email: str
    fate: str  # the value of a Fate; converting it for each of a million rows would cost more than all the rest


Fates = Callable[[int, int], list[FateRow]]  # takes a line and a size; returns the next `size` rows after that line

KEPT_ROWS = 1000  # the number of rejected or doubtful rows to keep for display, because a file may have millions
_WHOSE = ("person", "email")  # the columns that say whose row it is
_KNOWN_NAMES = 10_000  # the number of saved names to remember, so that they are not saved again

_CREATE_REMARK = change("import_shared", "create_remark")
_CREATE_LEAVER = change("import_shared", "create_leaver")
_CREATE_TOPIC_LEAVER = change("import_shared", "create_topic_leaver")
ADD_TAG_NAME = change("import_shared", "add_tag_name")
_ADD_ATTRIBUTE_NAME = change("import_shared", "add_attribute_name")
_CREATE_CONTENDER = change("import_shared", "create_contender")
_REJECT_REPEATED = change("import_shared", "reject_repeated")
_DROP_CONTENDER = change("import_shared", "drop_contender")


class Intake:
    """The rows of one list, and the counts of the rows read so far.

    With the `key`, no text has the address of someone who was erased. Reading a text with an address raises InputError
    if anyone was erased and the key is missing or different.
    """

    def __init__(
        self,
        connection: Connection,
        terms: ImportTerms,
        *,
        key: bytes | None,
        now: str,
        keeps_remarks: bool,
        on_progress: Callable[[int], None],
    ) -> None:
        self.rejected = 0
        self.doubtful = 0
        self.rejected_rows: list[RejectedRow] = []
        self.doubtful_rows: list[DoubtfulRow] = []
        self._connection = connection
        self.terms = terms
        self.keeps_remarks = keeps_remarks
        self._on_progress = on_progress
        self._now = now
        self._clean = text_cleaner(connection, key)
        self.record = ImportRecord(connection, terms)
        self._tags: set[str] = set()
        self._attributes: set[str] = set()
        _CREATE_REMARK(connection)
        _CREATE_LEAVER(connection)
        _CREATE_TOPIC_LEAVER(connection)

    def rows_of(self, batches: Iterable[ImportBatch]) -> Iterator[ImportBatch]:
        """Yield the batches that have rows to import, with the terms applied to each row."""
        self._keep_names(ADD_TAG_NAME, self._tags, self.terms.tags)
        for batch in batches:
            self._account_for(batch)
            if batch.lines:
                yield replace(batch, columns=self._without_forgotten(self._with_terms(batch)))
            self._on_progress(batch.bytes_read)

    def _account_for(self, batch: ImportBatch) -> None:
        self.rejected += len(batch.rejected)
        self.doubtful += len(batch.doubtful)
        self.rejected_rows += batch.rejected[: KEPT_ROWS - len(self.rejected_rows)]
        self.doubtful_rows += batch.doubtful[: KEPT_ROWS - len(self.doubtful_rows)]
        tags = map(self._cleaned_tag, batch.tag_names) if self._clean else batch.tag_names
        self._keep_names(ADD_TAG_NAME, self._tags, tags)
        self._keep_names(_ADD_ATTRIBUTE_NAME, self._attributes, batch.attribute_names)
        if batch.leaving:
            leavers = (self._leaver(row) for row in batch.leaving if not row.topic)
            self._connection.load("leaver", leavers)
            self._connection.load("topic_leaver", (self._topic_leaver(row) for row in batch.leaving if row.topic))
        if self.keeps_remarks:
            self._connection.load("remark", [(row.line, row.email, "rejected", row.reason) for row in batch.rejected])
            self._connection.load("remark", [(row.line, row.email, "", row.doubt) for row in batch.doubtful])

    def _leaver(self, row: LeavingRow) -> tuple[object, ...]:
        """Return a row about leaving as the table `leaver` has it. Without a time of its own, they left by now."""
        left_at, until = row.left_at or self._now, row.until or self._now
        return (
            row.line,
            row.person,
            row.email,
            row.reason or "",
            left_at,
            until,
            self._detail(row),
            row.told,
            row.consented_at,
        )

    def _topic_leaver(self, row: LeavingRow) -> tuple[object, ...]:
        """Return a row about leaving a topic as the table `topic_leaver` has it."""
        return row.line, row.person, row.topic, row.email, row.left_at or self._now, self._detail(row)

    def _detail(self, row: LeavingRow) -> str:
        told = self._clean(row.told) if self._clean else row.told
        return f"{self.terms.file}: {told}" if self.terms.file else told

    def _without_forgotten(self, columns: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Return the columns without the addresses of erased people, except those that say whose row it is."""
        if self._clean is None:
            return columns
        return {
            name: cells
            if name in _WHOSE or not any(map(has_address, cells))
            else list(map(self._cleaned_tags if name == "tags" else self._clean, cells))
            for name, cells in columns.items()
        }

    def _cleaned_tags(self, cell: str) -> str:
        return tags_text([*map(self._cleaned_tag, tags_in(cell))])

    def _cleaned_tag(self, tag: str) -> str:
        return normal_tag(self._clean(tag)) if self._clean else tag

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
    """Reject all but one row of each person who has several. Return the number of rejected rows.

    The choice does not depend on the order of the rows. The remark on each rejected row names the line that was kept.
    `find_contenders` puts all rows of such people into the table `contender`.
    """
    _CREATE_CONTENDER(connection)
    find_contenders()
    rejected = _REJECT_REPEATED(connection)
    _DROP_CONTENDER(connection)
    return rejected


@lru_cache(maxsize=1024)
def _tags_with(tags: str, more: tuple[str, ...]) -> str:
    return tags_text((*tags_in(tags), *more))
