"""Fill a list into an empty audience: the rows go straight to their place, and are indexed by person at the end.

It takes two thirds of the time of a merge. Who stands in the list twice is noticed by the index, and only then sought.
"""

import secrets
from collections.abc import Iterator, Sequence

from newsletter.model.columns import COLUMNS, NOW
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Connection
from newsletter.store.importing.intake import MARK, FateRow, Fates, reject_repeated
from newsletter.store.importing.returning import revive
from newsletter.store.queries import change, query_all, query_one, query_value

_IS_ANYBODY_THERE = query_value("import_filling", "is_anybody_there", bool)
_LAST_ID = query_value("import_filling", "last_id", int)
_KEEP_LAST_ID = query_one("import_filling", "keep_last_id", int)
_DROP_PERSON_INDEX = change("import_filling", "drop_person_index")
_CREATE_PERSON_INDEX = change("import_filling", "create_person_index")
_INDEX_REPEATED = change("import_filling", "index_repeated")
_FIND_CONTENDERS = change("import_filling", "find_contenders")
_DELETE_REJECTED = change("import_filling", "delete_rejected")
_DROP_REPEATED_INDEX = change("import_filling", "drop_repeated_index")
_FIND_REVIVALS = change("import_filling", "find_revivals")
_REMARK_ON_SUPPRESSED = change("import_filling", "remark_on_suppressed")
_REMARK_ON_MISSING_CONSENT = change("import_filling", "remark_on_missing_consent")
_COUNT_SUPPRESSED = query_value("import_filling", "count_suppressed", int)
_COUNT_WITHOUT_CONSENT = query_value("import_filling", "count_without_consent", int)
_FATES = query_all("import_filling", "fates", FateRow)
_TOKEN_BYTES = 16


def is_empty(connection: Connection) -> bool:
    """Return whether nobody is on the list."""
    return not _IS_ANYBODY_THERE(connection)


def fill(
    connection: Connection, rows: Iterator[ImportBatch], *, now: str, makes_remarks: bool
) -> tuple[ImportReport, Fates]:
    """Add everybody; the list must be empty, and nobody forgotten."""
    after = last_id(connection)
    _DROP_PERSON_INDEX(connection)
    taken = 0
    for some in rows:
        _load(connection, some, after, now)
        taken += len(some.lines)
    repeated = 0
    if not connection.attempt(_CREATE_PERSON_INDEX.sql):
        repeated = _drop_repeated(connection, after, now)
    if taken:
        keep_last_id(connection)
    revived = revive(connection, lambda: _FIND_REVIVALS(connection, after=after, now=now), now=now)
    if makes_remarks:
        _REMARK_ON_SUPPRESSED(connection, after=after)
        _REMARK_ON_MISSING_CONSENT(connection, after=after)
    report = ImportReport(
        added=taken - repeated,
        updated=0,
        unchanged=0,
        rejected=repeated,
        suppressed=_COUNT_SUPPRESSED(connection),
        revived=revived,
        without_consent=_COUNT_WITHOUT_CONSENT(connection),
    )
    return report, lambda line, size: _FATES(connection, after=after, line=line, size=size)


def _load(connection: Connection, rows: ImportBatch, after: int, now: str) -> None:
    people: dict[str, Sequence[object]] = {
        "id": [after + line for line in rows.lines],
        "token": unguessable_tokens(len(rows.lines)),
        **rows.columns,
    }
    constants = {"updated_at": now}
    for column in COLUMNS:
        default = now if column.default == NOW else column.default
        if column.name not in people:
            constants[column.name] = default
        elif default and "" in people[column.name]:
            people[column.name] = [cell or default for cell in people[column.name]]
    connection.load_columns("subscriber", people, constants)


def last_id(connection: Connection) -> int:
    """Return the last id that was ever given; none is given twice, not even that of somebody who was removed."""
    return _LAST_ID(connection)


def keep_last_id(connection: Connection) -> None:
    """Make ids go on from the last one, after people were added with theirs; somebody must be on the list."""
    _KEEP_LAST_ID(connection)


def unguessable_tokens(count: int) -> list[str]:
    """Return random numbers of 128 bits, drawn all at once because each draw is a system call."""
    drawn, width = secrets.token_hex(_TOKEN_BYTES * count), 2 * _TOKEN_BYTES
    return [drawn[start : start + width] for start in range(0, width * count, width)]


def _drop_repeated(connection: Connection, after: int, now: str) -> int:
    """Leave each person the row that counts. Return how many rows were rejected."""
    _INDEX_REPEATED(connection)
    rejected = reject_repeated(connection, lambda: _FIND_CONTENDERS(connection, after=after, now=now, mark=MARK))
    _DELETE_REJECTED(connection, after=after)
    _DROP_REPEATED_INDEX(connection)
    _CREATE_PERSON_INDEX(connection)
    return rejected
