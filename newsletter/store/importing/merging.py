"""Merge a list into an audience that exists: its rows are staged and looked up, and only what is new is written.

The table of columns names a rule for each; here is what each rule does. The queries know one thing of the rules alone:
a row whose cells are empty, or repeat what is on record, says nothing.
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
    """Somebody of whom the list may say something new; further columns hold what is on record, and what it says."""

    line: int
    subscriber: int


class FateCounts(NamedTuple):
    """How many rows have which fate, and how many of those taken are of suppressed addresses."""

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
    """Add who is new and update who is known. `key` is needed where somebody was forgotten."""
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
    """Stage the list. Return how many rows it has."""
    for prepare in _PREPARE:
        prepare(connection)
    staged = 0
    for some in rows:
        connection.load_columns("incoming", {"line": some.lines, **some.columns}, {})
        staged += len(some.lines)
    _COUNT_INCOMING(connection)
    return staged


def _look_up(connection: Connection, staged: int) -> bool:
    """Find on the list whom the rows are about. Return whether somebody may have several rows.

    A list that was imported before stands in the order of the ids that its people were given. There a person is found
    by the place alone, in a third of the time; and there nobody can stand twice.
    """
    offset, found = _FIND_OFFSET(connection), 0
    if offset is not None:
        found = _LOOK_UP_BY_PLACE(connection, offset=offset)
    if found < staged:
        _LOOK_UP_BY_PERSON(connection)
    return found < staged


def _update_known(connection: Connection, *, now: str) -> None:
    """Put on record what is new of people who are on the list."""
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
