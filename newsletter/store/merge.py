"""Merges a list into the audience: all of its rows, or none."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.imports import ImportBatch, ImportReport, ImportTerms, PastImport, RejectedRow, RowFate
from newsletter.store.database import Connection, Database
from newsletter.store.importing.fates import row_fates
from newsletter.store.importing.filling import fill, is_empty
from newsletter.store.importing.forgotten import is_anybody_forgotten
from newsletter.store.importing.intake import KEPT_ROWS, Intake
from newsletter.store.importing.merging import merge
from newsletter.store.importing.outcome import Outcome
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("import_remarks")
_NO_TERMS = ImportTerms()


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
    """Adds and updates subscribers, in one transaction that a failure or an exception of `batches` undoes.

    What a row leaves empty is kept; `importing.cells.merged` has the rules. Of several rows of one person one counts,
    whatever their order. Nobody who left comes back but by a newer consent of their own. `key` is the one that people
    were forgotten with; without it, InputError is raised where somebody was. A dry run reports the same and keeps
    nothing. `on_progress` is told now and then how many bytes were read, `on_fate` what became of each row, in order.
    """
    importing = _Import(terms=terms, key=key, now=text_of(now), on_progress=on_progress, on_fate=on_fate)
    with database.read() as connection:
        fills = _may_fill(connection)
    reports = []
    with (
        suppress(_DryRunIsOverError),
        database.filling_transaction() if fills else database.transaction() as connection,
    ):
        reports.append(importing.carry_out(connection, batches))
        if is_dry_run:
            raise _DryRunIsOverError
    return reports[0]


def past_imports(database: Database) -> tuple[PastImport, ...]:
    """What each import brought, the newest first."""
    with database.read() as connection:
        return tuple(
            PastImport(
                at=moment_of(at),
                file=file,
                added=added,
                updated=updated,
                unchanged=unchanged,
                rejected=rejected,
                basis=basis,
                tags=tags_in(tags),
            )
            for at, file, added, updated, unchanged, rejected, basis, tags in _SQL.past_imports(connection)
        )


class _DryRunIsOverError(Exception):
    """Ends the transaction of a dry run, so that nothing of it is kept."""


def _may_fill(connection: Connection) -> bool:
    return is_empty(connection) and not is_anybody_forgotten(connection)


class _Import:
    """One import, as it was asked for."""

    def __init__(
        self,
        *,
        terms: ImportTerms,
        key: bytes | None,
        now: str,
        on_progress: Callable[[int], None],
        on_fate: Callable[[RowFate], None] | None,
    ) -> None:
        self._terms = terms
        self._key = key
        self._now = now
        self._on_progress = on_progress
        self._on_fate = on_fate

    def carry_out(self, connection: Connection, batches: Iterable[ImportBatch]) -> ImportReport:
        """Does it all, within one transaction."""
        tells = self._on_fate is not None
        intake = Intake(connection, self._terms, keeps_remarks=tells, on_progress=self._on_progress)
        rows, fills = intake.rows_of(batches), _may_fill(connection)
        if fills:
            outcome = fill(connection, rows, now=self._now, makes_remarks=tells)
        else:
            outcome = merge(connection, rows, now=self._now, key=self._key, makes_remarks=tells)
        report = _report(connection, intake, outcome)
        self._keep(connection, report)
        if self._on_fate:
            for fate in row_fates(connection, outcome.fates):
                self._on_fate(fate)
        _SQL.drop_remark(connection)
        return report

    def _keep(self, connection: Connection, report: ImportReport) -> None:
        _SQL.keep_import(
            connection,
            at=self._now,
            file=self._terms.file,
            added=report.added,
            updated=report.updated,
            unchanged=report.unchanged,
            rejected=report.rejected,
            basis=self._terms.basis,
            tags=tags_text(self._terms.tags),
        )


def _report(connection: Connection, intake: Intake, outcome: Outcome) -> ImportReport:
    later = [
        RejectedRow(line=line, email=email, reason=reason)
        for line, email, reason in (_SQL.rejections(connection, size=KEPT_ROWS) if outcome.rejected else ())
    ]
    rejected_rows = {row.line: row for row in (*intake.rejected_rows, *later)}
    return ImportReport(
        added=outcome.added,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        rejected=intake.rejected + outcome.rejected,
        suppressed=outcome.suppressed,
        revived=outcome.revived,
        without_consent=outcome.without_consent,
        doubtful=intake.doubtful,
        rejected_rows=tuple(rejected_rows[line] for line in sorted(rejected_rows)[:KEPT_ROWS]),
        doubtful_rows=tuple(intake.doubtful_rows),
    )
