"""Merge a list into an audience that exists: its rows are staged and looked up, and only what is new is written.

The table of columns names a rule for each; here is what each rule does. The queries know one thing of the rules alone:
a row whose cells are empty, or repeat what is on record, says nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, MergeRule
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Connection
from newsletter.store.importing.filling import keep_last_id, last_id, unguessable_tokens
from newsletter.store.importing.intake import MARK, Fates, reject_repeated
from newsletter.store.importing.returning import refuse_forgotten, revive
from newsletter.store.queries import load_queries

_SQL = load_queries("import_merging")
_PAGE = 10_000
_TOKENS_AT_ONCE = 10_000
_WIDTH = len(COLUMNS)
_CONSENT = COLUMN_NAMES.index("consented_at")


def merge(
    connection: Connection, rows: Iterator[ImportBatch], *, now: str, key: bytes | None, makes_remarks: bool
) -> tuple[ImportReport, Fates]:
    """Add who is new and update who is known. `key` is needed where somebody was forgotten."""
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
    report = ImportReport(
        added=added,
        updated=updated,
        unchanged=unchanged,
        rejected=rejected,
        suppressed=suppressed - revived,
        revived=revived + returned,
        without_consent=_remark_on_missing_consent(connection),
    )
    return report, lambda line, size: _SQL.fates(connection, line=line, size=size)


def _stage(connection: Connection, rows: Iterator[ImportBatch]) -> int:
    """Stage the list, and return how many rows it has."""
    for prepare in (_SQL.drop_incoming, _SQL.drop_standing, _SQL.create_incoming, _SQL.create_standing):
        prepare(connection)
    staged = 0
    for some in rows:
        connection.load_columns("incoming", {"line": some.lines, **some.columns}, {})
        staged += len(some.lines)
    _SQL.count_incoming(connection)
    return staged


def _look_up(connection: Connection, staged: int) -> bool:
    """Find on the list whom the rows are about, and return whether somebody may have several rows.

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
    """Put on record what is new of people who are on the list."""
    _SQL.create_change(connection)
    after = 0
    while page := list(_SQL.candidates(connection, after=after, size=_PAGE)):
        changes = []
        for line, subscriber, *cells in page:
            known = tuple(cells[:_WIDTH])
            result = merged(known, cells[_WIDTH:])
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


def _remark_on_missing_consent(connection: Connection) -> int:
    if not _SQL.is_anybody_without_consent(connection):
        return 0
    found: int = _SQL.remark_on_missing_consent(connection)
    return found


def merged(known: Sequence[str], row: Sequence[str]) -> tuple[str, ...]:
    """Return the cells that are on record after a row; both as the database keeps them, in the order of COLUMNS.

    A consent is taken as a whole: a newer one replaces the older with all that belongs to it, the same one (of the
    same moment) is completed or corrected, and an older one says nothing.
    """
    consents = _Consents(known[_CONSENT], row[_CONSENT])
    return tuple(rule(before, cell, consents) for rule, before, cell in zip(_ROW_RULES, known, row, strict=True))


class _Consents(NamedTuple):
    """The moments of consent on record and in a row; empty where there is none."""

    known: str
    row: str


def _both_tags(known: str, row: str) -> str:
    return tags_text((*tags_in(known), *tags_in(row))) if row not in {"", known} else known


def _both_attributes(known: str, row: str) -> str:
    """Keep the text on record where the row says nothing new, so that it stays as it is written."""
    if row in {"", known}:
        return known
    before = orjson.loads(known)
    after = {**before, **orjson.loads(row)}
    return known if after == before else orjson.dumps(after).decode()


def _of_consent(known: str, row: str, consents: _Consents) -> str:
    if consents.row > consents.known:
        return row
    return row or known if consents.row == consents.known else known


_RULES: Mapping[MergeRule, Callable[[str, str, _Consents], str]] = {
    MergeRule.NEWER: lambda known, row, _: row or known,
    MergeRule.UNION: lambda known, row, _: _both_tags(known, row),
    MergeRule.BY_NAME: lambda known, row, _: _both_attributes(known, row),
    MergeRule.EARLIER: lambda known, row, _: min(known, row or known),
    MergeRule.CONSENT: lambda known, row, _: max(known, row),
    MergeRule.OF_CONSENT: _of_consent,
    MergeRule.WITHOUT_CONSENT: lambda known, row, consents: known if consents.known else row or known,
}
_ROW_RULES = tuple(_RULES[column.merge] for column in COLUMNS)
