"""Fill an empty audience with a list: insert the rows directly, and create the index by person at the end.

Filling takes two thirds of the time of a merge. Creating the unique index fails if a person is in the list twice. Only
then does the import look for repeated rows.
"""

import secrets
from collections.abc import Iterator, Sequence

from newsletter.model.columns import COLUMNS, NOW
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Connection
from newsletter.store.importing.intake import FateRow, Fates, Intake, reject_repeated
from newsletter.store.importing.leavers import act_on_leavers
from newsletter.store.importing.merge_rules import MARK
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
_REJECT_LEFT = change("import_filling", "reject_left")
_DROP_REPEATED_INDEX = change("import_filling", "drop_repeated_index")
_FIND_REVIVALS = change("import_filling", "find_revivals")
_REMARK_ON_SUPPRESSED = change("import_filling", "remark_on_suppressed")
_REMARK_ON_MISSING_CONSENT = change("import_filling", "remark_on_missing_consent")
_COUNT_SUPPRESSED = query_value("import_filling", "count_suppressed", int)
_COUNT_WITHOUT_CONSENT = query_value("import_filling", "count_without_consent", int)
_FATES = query_all("import_filling", "fates", FateRow)
_TOKEN_BYTES = 16


def is_empty(connection: Connection) -> bool:
    """Return whether the list is empty."""
    return not _IS_ANYBODY_THERE(connection)


def fill(
    connection: Connection, intake: Intake, rows: Iterator[ImportBatch], *, now: str
) -> tuple[ImportReport, Fates]:
    """Add all rows. The list must be empty, and no one may have been erased."""
    after = last_id(connection)
    _DROP_PERSON_INDEX(connection)
    taken = 0
    for some in rows:
        _load(connection, some, after, now)
        taken += len(some.lines)
    rejected = 0
    if not connection.attempt(_CREATE_PERSON_INDEX.sql):
        rejected = _drop_repeated(connection, after, now)
    if taken:
        keep_last_id(connection)

    def reject_left() -> None:
        nonlocal rejected
        if _REJECT_LEFT(connection, after=after, now=now):
            rejected += _DELETE_REJECTED(connection, after=after)

    left = act_on_leavers(connection, intake, key=None, fills=True, reject_left=reject_left)
    revived = revive(connection, intake, lambda: _FIND_REVIVALS(connection, after=after, now=now), now=now)
    if intake.keeps_remarks:
        _REMARK_ON_SUPPRESSED(connection, after=after)
        _REMARK_ON_MISSING_CONSENT(connection, after=after)
    report = ImportReport(
        added=taken - rejected,
        updated=0,
        unchanged=0,
        blocked=left.blocked,
        left_rejected=left.strangers,
        to_correct=left.unclear,
        in_doubt=left.in_doubt,
        rejected=rejected + left.rejected,
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
    """Return the highest id ever assigned. No id is used twice, not even that of a person who was removed."""
    return _LAST_ID(connection)


def keep_last_id(connection: Connection) -> None:
    """Make new ids continue after the highest id on the list, which must not be empty.

    Call this after adding people with their ids.
    """
    _KEEP_LAST_ID(connection)


def unguessable_tokens(count: int) -> list[str]:
    """Return random numbers of 128 bits, in hexadecimal.

    All are drawn at once, because each draw is a system call.
    """
    drawn, width = secrets.token_hex(_TOKEN_BYTES * count), 2 * _TOKEN_BYTES
    return [drawn[start : start + width] for start in range(0, width * count, width)]


def _drop_repeated(connection: Connection, after: int, now: str) -> int:
    """Keep one row per person and delete the others. Return the number of rows deleted."""
    _INDEX_REPEATED(connection)
    rejected = reject_repeated(connection, lambda: _FIND_CONTENDERS(connection, after=after, now=now, mark=MARK))
    _DELETE_REJECTED(connection, after=after)
    _DROP_REPEATED_INDEX(connection)
    _CREATE_PERSON_INDEX(connection)
    return rejected
