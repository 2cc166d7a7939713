"""Merge a list into an existing audience: stage the rows, look them up, and write only what is new.

The table of columns names a merge rule for each column, and this module implements the rules. The queries rely on only
one fact about them: a row changes nothing if each of its cells is empty or equals the stored one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import orjson

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, MergeRule
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Connection
from newsletter.store.importing.filling import keep_last_id, last_id, unguessable_tokens
from newsletter.store.importing.intake import MARK, FateRow, Fates, reject_repeated
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
_CONSENT = COLUMN_NAMES.index("consented_at")


def merge(
    connection: Connection, rows: Iterator[ImportBatch], *, now: str, key: bytes | None, makes_remarks: bool
) -> tuple[ImportReport, Fates]:
    """Add new subscribers and update existing ones. `key` is needed if anyone was erased."""
    staged = _stage(connection, rows)
    if _look_up(connection, staged) and reject_repeated(
        connection, lambda: _FIND_CONTENDERS(connection, now=now, mark=MARK)
    ):
        REJECT_REMARKED(connection)
    returned = refuse_forgotten(connection, key=key, now=now)
    revived = revive(connection, lambda: _FIND_REVIVALS(connection, now=now), now=now)
    _update_known(connection, now=now)
    counts = _COUNT_FATES(connection)
    if counts.added:
        _add_newcomers(connection, counts.added, now=now)
    if makes_remarks:
        _REMARK_ON_SUPPRESSED(connection)
    report = ImportReport(
        added=counts.added,
        updated=counts.updated,
        unchanged=counts.unchanged,
        rejected=counts.rejected,
        suppressed=counts.suppressed - revived,
        revived=revived + returned,
        without_consent=_remark_on_missing_consent(connection),
    )
    return report, lambda line, size: _FATES(connection, line=line, size=size)


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


def _look_up(connection: Connection, staged: int) -> bool:
    """Match the rows to existing subscribers. Return True if a person may occur more than once.

    If the same list was imported before, its lines have the same order as the ids of its people: id = line + offset. A
    person is then found by id, which takes a third of the time. If all rows are found this way, no one can occur twice.
    """
    offset, found = _FIND_OFFSET(connection), 0
    if offset is not None:
        found = _LOOK_UP_BY_PLACE(connection, offset=offset)
    if found < staged:
        _LOOK_UP_BY_PERSON(connection)
    return found < staged


def _update_known(connection: Connection, *, now: str) -> None:
    """Save the new values of people who are already on the list."""
    _CREATE_CHANGE(connection)
    after = 0
    while page := connection.execute(_CANDIDATES.sql, {"after": after, "size": _PAGE}).fetchall():
        changes = []
        for line, subscriber, *cells in page:
            texts = cast("list[str]", cells)
            known = tuple(texts[:_WIDTH])
            result = merged(known, texts[_WIDTH:])
            if result != known:
                changes.append((line, subscriber, *result))
        connection.load("change", changes)
        after = cast("int", page[-1][0])
    if after:
        _SETTLE_UNCHANGED(connection)
        _KEEP_PAST_CONSENTS(connection, now=now)
        _MAKE_CHANGES(connection, now=now)
    _DROP_CHANGE(connection)


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


def merged(known: Sequence[str], row: Sequence[str]) -> tuple[str, ...]:
    """Return the cells to store after merging a row into the known cells.

    All cells are texts as the database stores them, in the order of COLUMNS. A consent is merged as a whole. A newer
    consent replaces the older one and all of its details. A consent with the same time completes or corrects the
    details. An older consent changes nothing.
    """
    consents = _Consents(known[_CONSENT], row[_CONSENT])
    return tuple(rule(before, cell, consents) for rule, before, cell in zip(_ROW_RULES, known, row, strict=True))


class _Consents(NamedTuple):
    """The time of the stored consent and that of a row's consent. Each is empty if there is no consent."""

    known: str
    row: str


def _both_tags(known: str, row: str) -> str:
    return tags_text((*tags_in(known), *tags_in(row))) if row not in {"", known} else known


def _both_attributes(known: str, row: str) -> str:
    """Merge two JSON objects by name. If the row has nothing new, return the stored text unchanged."""
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
