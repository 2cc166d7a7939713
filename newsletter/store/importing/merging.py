"""Merge a list into an existing audience: stage the rows, look them up, and write only what is new.

`merge_rules.py` says what a person's cells are after a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from newsletter.model.columns import COLUMNS
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Connection
from newsletter.store.importing.filling import keep_last_id, last_id, unguessable_tokens
from newsletter.store.importing.import_record import ImportRecord
from newsletter.store.importing.intake import FateRow, Fates, Intake, reject_repeated
from newsletter.store.importing.leavers import act_on_leavers
from newsletter.store.importing.merge_rules import MARK, MergeRules
from newsletter.store.importing.returning import REJECT_REMARKED, refuse_forgotten, revive
from newsletter.store.queries import change, query_all, query_one, query_value


class CandidateRow(NamedTuple):
    """A subscriber for whom the list may have new values. The stored cells follow, then the cells of the row."""

    line: int
    subscriber: int


class FateCounts(NamedTuple):
    """The number of rows with each fate, and how many of the imported ones have a suppressed address."""

    added: int
    updated: int
    unchanged: int
    rejected: int
    suppressed: int


_PREPARE = tuple(
    change("import_merging", name) for name in ("drop_incoming", "drop_standing", "create_incoming", "create_standing")
)
_COUNT_INCOMING = change("import_merging", "count_incoming")
_FIND_OFFSET = query_one("import_merging", "find_offset", int)
_LOOK_UP_BY_PLACE = change("import_merging", "look_up_by_place")
_LOOK_UP_BY_PERSON = change("import_merging", "look_up_by_person")
_REJECT_LEFT = change("import_merging", "reject_left")
_NOTE_SUPPRESSED = change("import_merging", "note_suppressed")
_FIND_CONTENDERS = change("import_merging", "find_contenders")
_FIND_REVIVALS = change("import_merging", "find_revivals")
_CREATE_CHANGE = change("import_merging", "create_change")
_CANDIDATES = query_all("import_merging", "candidates", CandidateRow)
_SETTLE_UNCHANGED = change("import_merging", "settle_unchanged")
_KEEP_PAST_CONSENTS = change("import_merging", "keep_past_consents")
_MAKE_CHANGES = change("import_merging", "make_changes")
_DROP_CHANGE = change("import_merging", "drop_change")
_COUNT_FATES = query_value("import_merging", "count_fates", FateCounts)
_CREATE_TOKEN = change("import_merging", "create_token")
_ADD_NEWCOMERS = change("import_merging", "add_newcomers")
_DROP_TOKEN = change("import_merging", "drop_token")
_IS_ANYBODY_WITHOUT_CONSENT = query_value("import_merging", "is_anybody_without_consent", bool)
_REMARK_ON_MISSING_CONSENT = change("import_merging", "remark_on_missing_consent")
_REMARK_ON_SUPPRESSED = change("import_merging", "remark_on_suppressed")
_FATES = query_all("import_merging", "fates", FateRow)
_PAGE = 10_000
_TOKENS_AT_ONCE = 10_000
_WIDTH = len(COLUMNS)


def merge(
    connection: Connection, intake: Intake, rows: Iterator[ImportBatch], *, now: str, key: bytes | None
) -> tuple[ImportReport, Fates]:
    """Add new subscribers and update existing ones. `key` is needed if anyone was erased."""
    rules = MergeRules(intake.terms.replaces)
    staged = _stage(connection, rows)
    if _look_up(connection, rules, staged) and reject_repeated(
        connection, lambda: _FIND_CONTENDERS(connection, now=now, mark=MARK)
    ):
        REJECT_REMARKED(connection)
    left = act_on_leavers(
        connection, intake, key=key, fills=False, reject_left=lambda: _reject_left(connection, now=now)
    )
    if left.blocked:
        _NOTE_SUPPRESSED(connection)
    returned = refuse_forgotten(connection, intake, key=key, now=now)
    revived = revive(connection, intake, lambda: _FIND_REVIVALS(connection, now=now), now=now)
    _update_known(connection, rules, intake.record, now=now)
    intake.record.confirm_unchanged(now)
    counts = _COUNT_FATES(connection)
    if counts.added:
        _add_newcomers(connection, counts.added, now=now)
    if intake.keeps_remarks:
        _REMARK_ON_SUPPRESSED(connection)
    report = ImportReport(
        added=counts.added,
        updated=counts.updated,
        unchanged=counts.unchanged,
        blocked=left.blocked,
        left_rejected=left.strangers,
        to_correct=left.unclear,
        in_doubt=left.in_doubt,
        rejected=counts.rejected + left.rejected,
        suppressed=counts.suppressed - revived,
        revived=revived + returned,
        without_consent=_remark_on_missing_consent(connection),
    )
    return report, lambda line, size: _FATES(connection, line=line, size=size)


def _reject_left(connection: Connection, *, now: str) -> None:
    if _REJECT_LEFT(connection, now=now):
        REJECT_REMARKED(connection)


def _stage(connection: Connection, rows: Iterator[ImportBatch]) -> int:
    """Load the list into the temporary table `incoming`. Return the number of its rows."""
    for prepare in _PREPARE:
        prepare(connection)
    staged = 0
    for some in rows:
        connection.load_columns("incoming", {"line": some.lines, **some.columns}, {})
        staged += len(some.lines)
    _COUNT_INCOMING(connection)
    return staged


def _look_up(connection: Connection, rules: MergeRules, staged: int) -> bool:
    """Match the rows to existing subscribers. Return True if a person may occur more than once.

    If the same list was imported before, its lines have the same order as the ids of its people: id = line + offset. A
    person is then found by id, which takes a third of the time. If all rows are found this way, no one can occur twice.
    """
    offset, found = _FIND_OFFSET(connection), 0
    if offset is not None:
        found = _LOOK_UP_BY_PLACE(connection, offset=offset, **rules.says_nothing)
    if found < staged:
        _LOOK_UP_BY_PERSON(connection, **rules.says_nothing)
    return found < staged


def _update_known(connection: Connection, rules: MergeRules, record: ImportRecord, *, now: str) -> None:
    """Save the new values of people who are already on the list."""
    with change_table(connection):
        after, has_changes = 0, False
        while page := connection.execute(_CANDIDATES.sql, {"after": after, "size": _PAGE}).fetchall():
            changes = []
            for line, subscriber, *cells in page:
                texts = cast("list[str]", cells)
                known = tuple(texts[:_WIDTH])
                result = rules.merged(known, texts[_WIDTH:])
                if result != known:
                    changes.append((line, subscriber, *result))
            connection.load("change", changes)
            has_changes = has_changes or bool(changes)
            after = cast("int", page[-1][0])
        if after:
            _SETTLE_UNCHANGED(connection)
        if has_changes:
            record.keep_cells()
            make_changes(connection, now=now)


@contextmanager
def change_table(connection: Connection) -> Iterator[None]:
    """Create the temporary table `change` of people's new cells, and drop it afterward."""
    _CREATE_CHANGE(connection)
    yield
    _DROP_CHANGE(connection)


def make_changes(connection: Connection, *, now: str) -> None:
    """Save the cells in the table `change`, and keep the consents that they replace as past ones."""
    _KEEP_PAST_CONSENTS(connection, now=now)
    save_cells(connection, now=now)


def save_cells(connection: Connection, *, now: str) -> None:
    """Save the cells in the table `change`, and keep nothing of what they replace."""
    _MAKE_CHANGES(connection, now=now)


def _add_newcomers(connection: Connection, count: int, *, now: str) -> None:
    _CREATE_TOKEN(connection)
    for start in range(1, count + 1, _TOKENS_AT_ONCE):
        numbers = range(start, min(start + _TOKENS_AT_ONCE, count + 1))
        connection.load("token", zip(numbers, unguessable_tokens(len(numbers)), strict=True))
    _ADD_NEWCOMERS(connection, after=last_id(connection), now=now)
    keep_last_id(connection)
    _DROP_TOKEN(connection)


def _remark_on_missing_consent(connection: Connection) -> int:
    return _REMARK_ON_MISSING_CONSENT(connection) if _IS_ANYBODY_WITHOUT_CONSENT(connection) else 0
