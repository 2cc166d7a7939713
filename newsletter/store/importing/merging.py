"""Merges a list into an audience that exists: its rows are staged and looked up, and only what is new is written."""

from collections.abc import Iterator

from newsletter.store.database import Connection
from newsletter.store.importing.cells import Cells, merged
from newsletter.store.importing.filling import keep_last_id, last_id, unguessable_tokens
from newsletter.store.importing.forgotten import refuse_forgotten
from newsletter.store.importing.intake import TakenRows
from newsletter.store.importing.outcome import Outcome
from newsletter.store.importing.repeated import MARK, reject_repeated
from newsletter.store.importing.revivals import revive
from newsletter.store.queries import load_queries

_SQL = load_queries("import_merging")
_PAGE = 10_000
_TOKENS_AT_ONCE = 10_000
_WIDTH = len(Cells._fields)


def merge(
    connection: Connection, rows: Iterator[TakenRows], *, now: str, key: bytes | None, makes_remarks: bool
) -> Outcome:
    """Adds who is new and updates who is known. `key` is asked for where somebody was forgotten."""
    staged = _stage(connection, rows)
    if _look_up(connection, staged) and reject_repeated(
        connection, lambda: _SQL.find_contenders(connection, now=now, mark=MARK)
    ):
        _SQL.reject_remarked(connection)
    returned = refuse_forgotten(connection, key=key, now=now)
    revived = revive(connection, lambda: _SQL.find_revivals(connection, now=now), now=now)
    _update_known(connection, now=now)
    added, updated, unchanged, rejected, suppressed = _SQL.count_fates(connection)
    if added:
        _add_newcomers(connection, added, now=now)
    if makes_remarks:
        _SQL.remark_on_suppressed(connection)
    return Outcome(
        added=added,
        updated=updated,
        unchanged=unchanged,
        rejected=rejected,
        suppressed=suppressed - revived,
        revived=revived + returned,
        without_consent=_count_without_consent(connection, makes_remarks=makes_remarks),
        fates=lambda line, size: _SQL.fates(connection, line=line, size=size),
    )


def _stage(connection: Connection, rows: Iterator[TakenRows]) -> int:
    """Stages the list; how many rows."""
    for prepare in (_SQL.drop_incoming, _SQL.drop_standing, _SQL.create_incoming, _SQL.create_standing):
        prepare(connection)
    staged = 0
    for some in rows:
        connection.load_columns("incoming", {"line": some.lines, **some.columns}, {})
        staged += len(some.lines)
    _SQL.count_incoming(connection)
    return staged


def _look_up(connection: Connection, staged: int) -> bool:
    """Finds on the list whom the rows are about; whether somebody may stand in them several times.

    A list that was imported before stands in the order of the ids that its people were given. There a person is found
    by the place alone, in a third of the time; and there nobody can stand twice.
    """
    offset, found = _SQL.find_offset(connection), 0
    if offset is not None:
        found = _SQL.look_up_by_place(connection, offset=offset)
    if found < staged:
        _SQL.look_up_by_person(connection)
    return found < staged


def _update_known(connection: Connection, *, now: str) -> None:
    """Puts on record what is new of people who are on the list."""
    _SQL.create_change(connection)
    after = 0
    while page := list(_SQL.candidates(connection, after=after, size=_PAGE)):
        changes = []
        for line, subscriber, *cells in page:
            known = Cells._make(cells[:_WIDTH])
            result = merged(known, Cells._make(cells[_WIDTH:]))
            if result != known:
                changes.append((line, subscriber, *result))
        connection.load("change", changes)
        after = page[-1][0]
    if after:
        _SQL.settle_unchanged(connection)
        _SQL.keep_past_consents(connection, now=now)
        _SQL.make_changes(connection, now=now)
    _SQL.drop_change(connection)


def _add_newcomers(connection: Connection, count: int, *, now: str) -> None:
    _SQL.create_token(connection)
    for start in range(1, count + 1, _TOKENS_AT_ONCE):
        numbers = range(start, min(start + _TOKENS_AT_ONCE, count + 1))
        connection.load("token", zip(numbers, unguessable_tokens(len(numbers)), strict=True))
    _SQL.add_newcomers(connection, after=last_id(connection), now=now)
    keep_last_id(connection)
    _SQL.drop_token(connection)


def _count_without_consent(connection: Connection, *, makes_remarks: bool) -> int:
    if not _SQL.is_anybody_without_consent(connection):
        return 0
    _SQL.create_without_consent(connection)
    found: int = _SQL.find_without_consent(connection)
    if makes_remarks:
        _SQL.remark_on_missing_consent(connection)
    _SQL.drop_without_consent(connection)
    return found
