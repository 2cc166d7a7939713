"""Merge a list into the audience, completely or not at all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from newsletter.model.audience import normal_tag, tags_in, tags_text
from newsletter.model.imports import Fate, ImportBatch, ImportReport, ImportTerms, PastImport, RejectedRow, RowFate
from newsletter.store.database import Connection, Database
from newsletter.store.dry_run import unless_dry_run
from newsletter.store.forgotten import is_anybody_forgotten, without_forgotten
from newsletter.store.importing.filling import fill, is_empty, last_id
from newsletter.store.importing.import_record import time_by_hand
from newsletter.store.importing.intake import KEPT_ROWS, FateRow, Fates, Intake
from newsletter.store.importing.leavers import keep_left_topics
from newsletter.store.importing.merging import merge
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


class RemarkRow(NamedTuple):
    """A remark about a row of the list."""

    line: int
    email: str
    fate: str  # the value of a Fate, or an empty string if the row is imported
    text: str


_KEEP_IMPORT = change("import_shared", "keep_import")
_PAST_IMPORTS = query_all("import_shared", "past_imports", PastImport, {tuple[str, ...]: tags_in})
_REJECTIONS = query_all("import_shared", "rejections", RejectedRow)
_INDEX_REMARK = change("import_shared", "index_remark")
_REMARKS = query_all("import_shared", "remarks", RemarkRow)
_DROP_REMARK = change("import_shared", "drop_remark")
_NO_TERMS = ImportTerms()
_PAGE = 10_000
_LAST_LINE = 2**31 - 1


def merge_subscribers(
    database: Database,
    batches: Iterable[ImportBatch],
    *,
    terms: ImportTerms = _NO_TERMS,
    key: bytes | None = None,
    is_dry_run: bool = False,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _: None,
    on_fate: Callable[[RowFate], None] | None = None,
) -> ImportReport:
    """Add and update subscribers in one transaction. A failure, or an exception from `batches`, undoes all of it.

    An empty cell changes nothing, unless the terms say that it clears its column. If one person has several rows, one
    of them is used, and their order does not matter. A person who unsubscribed is added again only with their own newer
    consent. `key` is the key with which people were erased; raise InputError if anyone was erased and it is
    missing. A dry run returns the same report and saves nothing. `on_progress` is called from time to time with the
    number of bytes read, `on_fate` with the result of each row, in order.
    """
    with database.read() as connection:
        fills = _may_fill(connection)
    reports = []
    transaction = database.filling_transaction() if fills else database.transaction()
    with unless_dry_run(transaction, is_dry_run=is_dry_run) as connection:
        at = time_by_hand(connection, now) if terms.is_by_hand else text_of(now)
        intake = Intake(
            connection,
            _without_forgotten(connection, terms, key),
            key=key,
            now=at,
            keeps_remarks=on_fate is not None,
            on_progress=on_progress,
        )
        report, fates = _carry_out(connection, intake, batches, key=key, now=at)
        if on_fate:
            for fate in _row_fates(connection, fates):
                on_fate(fate)
        _DROP_REMARK(connection)
        reports.append(report)
    return reports[0]


def past_imports(database: Database) -> tuple[PastImport, ...]:
    """Return the results of all past imports, newest first."""
    return _PAST_IMPORTS.ask(database)


def _without_forgotten(connection: Connection, terms: ImportTerms, key: bytes | None) -> ImportTerms:
    """Return the terms without the addresses of erased people. A file may be called after one of them."""
    tags = {normal_tag(without_forgotten(connection, tag, key=key)) for tag in terms.tags}
    return replace(
        terms,
        file=without_forgotten(connection, terms.file, key=key),
        basis=without_forgotten(connection, terms.basis, key=key),
        tags=tuple(sorted(tags)),
    )


def _may_fill(connection: Connection) -> bool:
    return is_empty(connection) and not is_anybody_forgotten(connection)


def _carry_out(
    connection: Connection, intake: Intake, batches: Iterable[ImportBatch], *, key: bytes | None, now: str
) -> tuple[ImportReport, Fates]:
    """Carry out an import inside a transaction, except for reporting the fates."""
    rows, after = intake.rows_of(batches), last_id(connection)
    if _may_fill(connection):
        report, fates = fill(connection, intake, rows, now=now)
    else:
        report, fates = merge(connection, intake, rows, now=now, key=key)
    if report.added:
        intake.record.begin()
    left_topics = keep_left_topics(connection, intake)
    report = replace(_with_intake(connection, report, intake), left_topics=left_topics)
    _KEEP_IMPORT(
        connection,
        at=now,
        file=intake.terms.file,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        blocked=report.blocked,
        rejected=report.rejected,
        basis=intake.terms.basis,
        tags=tags_text(intake.terms.tags),
        after=after,
        until=last_id(connection),
        is_undoable=int(intake.record.is_begun),
    )
    return report, fates


def _with_intake(connection: Connection, report: ImportReport, intake: Intake) -> ImportReport:
    """Add to the report the rows that were rejected or found doubtful while reading. Return the report."""
    later = _REJECTIONS(connection, size=KEPT_ROWS) if report.rejected else ()
    rejected_rows = {row.line: row for row in (*intake.rejected_rows, *later)}
    return replace(
        report,
        rejected=intake.rejected + report.rejected,
        to_correct=intake.rejected + report.to_correct,
        doubtful=intake.doubtful,
        rejected_rows=tuple(rejected_rows[line] for line in sorted(rejected_rows)[:KEPT_ROWS]),
        doubtful_rows=tuple(intake.doubtful_rows),
    )


def _row_fates(connection: Connection, fates: Fates) -> Iterator[RowFate]:
    """Yield the fate of every row, imported or rejected, in the order of the lines. Rows are read page by page."""
    _INDEX_REMARK(connection)
    after = 0
    while True:
        page = fates(after, _PAGE)
        last = page[-1].line if len(page) == _PAGE else _LAST_LINE
        yield from _with_remarks(connection, page, after, last)
        if last == _LAST_LINE:
            return
        after = last


def _with_remarks(connection: Connection, taken: Iterable[FateRow], after: int, last: int) -> Iterator[RowFate]:
    """Yield the fates of the lines after `after` up to `last`. `taken` are the rows among them that were imported."""
    remarks: dict[int, list[str]] = defaultdict(list)
    fates = {line: (email, Fate(fate)) for line, email, fate in taken}
    for line, email, fate, text in _REMARKS(connection, after=after, last=last):
        remarks[line].append(text)
        if fate:
            fates[line] = (email, Fate(fate))
    for line in sorted(fates):
        email, fate = fates[line]
        yield RowFate(line=line, email=email, fate=fate, remark="; ".join(remarks.get(line, ())))
