"""Merge a list into the audience, completely or not at all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.imports import Fate, ImportBatch, ImportReport, ImportTerms, PastImport, RejectedRow, RowFate
from newsletter.store.database import Connection, Database
from newsletter.store.importing.filling import fill, is_empty
from newsletter.store.importing.intake import KEPT_ROWS, FateRow, Fates, Intake
from newsletter.store.importing.merging import merge
from newsletter.store.importing.returning import is_anybody_forgotten
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


class RemarkRow(NamedTuple):
    """A remark about a row of the list."""

    line: int
    email: str
    is_rejected: int  # 0 or 1; converting a million of them to bool would take time
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

    An empty cell changes nothing; `importing.merging.merged` implements the rules. If one person has several rows, one
    of them is used, and their order does not matter. A person who unsubscribed is added again only with their own newer
    consent. `key` is the key with which people were erased; raise InputError if someone was erased and it is
    missing. A dry run returns the same report and saves nothing. `on_progress` is called from time to time with the
    number of bytes read, `on_fate` with the result of each row, in order.
    """
    with database.read() as connection:
        fills = _may_fill(connection)
    reports = []
    with (
        suppress(_DryRunIsOverError),
        database.filling_transaction() if fills else database.transaction() as connection,
    ):
        intake = Intake(connection, terms, keeps_remarks=on_fate is not None, on_progress=on_progress)
        report, fates = _carry_out(connection, intake, batches, key=key, now=text_of(now))
        if on_fate:
            for fate in _row_fates(connection, fates):
                on_fate(fate)
        _DROP_REMARK(connection)
        reports.append(report)
        if is_dry_run:
            raise _DryRunIsOverError
    return reports[0]


def past_imports(database: Database) -> tuple[PastImport, ...]:
    """Return the results of all past imports, newest first."""
    return _PAST_IMPORTS.ask(database)


class _DryRunIsOverError(Exception):
    """Raised to roll back the transaction of a dry run."""


def _may_fill(connection: Connection) -> bool:
    return is_empty(connection) and not is_anybody_forgotten(connection)


def _carry_out(
    connection: Connection, intake: Intake, batches: Iterable[ImportBatch], *, key: bytes | None, now: str
) -> tuple[ImportReport, Fates]:
    """Carry out an import inside a transaction, except for reporting the fates."""
    rows = intake.rows_of(batches)
    if _may_fill(connection):
        report, fates = fill(connection, rows, now=now, makes_remarks=intake.keeps_remarks)
    else:
        report, fates = merge(connection, rows, now=now, key=key, makes_remarks=intake.keeps_remarks)
    report = _with_intake(connection, report, intake)
    _KEEP_IMPORT(
        connection,
        at=now,
        file=intake.terms.file,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        rejected=report.rejected,
        basis=intake.terms.basis,
        tags=tags_text(intake.terms.tags),
    )
    return report, fates


def _with_intake(connection: Connection, report: ImportReport, intake: Intake) -> ImportReport:
    """Add to the report the rows that were rejected or found doubtful while reading. Return the report."""
    later = _REJECTIONS(connection, size=KEPT_ROWS) if report.rejected else ()
    rejected_rows = {row.line: row for row in (*intake.rejected_rows, *later)}
    return replace(
        report,
        rejected=intake.rejected + report.rejected,
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
    for line, email, is_rejected, text in _REMARKS(connection, after=after, last=last):
        remarks[line].append(text)
        if is_rejected:
            fates[line] = (email, Fate.REJECTED)
    for line in sorted(fates):
        email, fate = fates[line]
        yield RowFate(line=line, email=email, fate=fate, remark="; ".join(remarks.get(line, ())))
