"""Undo the last import: remove the people whom it added, and restore what it changed.

Whatever happened since wins. Someone who was edited, was a recipient of a broadcast or left stays as they are now, and
is reported. In doubt, no suppression is lifted: it is only if no other report says that the person left.
"""

from datetime import datetime
from typing import NamedTuple

from newsletter.errors import InputError
from newsletter.model.columns import COLUMN_NAMES
from newsletter.model.undo import KeptChange, UndoReport
from newsletter.store.database import Connection, Database
from newsletter.store.dry_run import unless_dry_run
from newsletter.store.erasing import erase_person
from newsletter.store.forgotten import name_of_forgotten
from newsletter.store.importing.import_record import clear_record
from newsletter.store.importing.merge_rules import MARK
from newsletter.store.importing.merging import change_table, save_cells
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class UndoableImport(NamedTuple):
    """The import that can be undone, and the range of the ids that it assigned."""

    id: int
    at: datetime
    file: str
    added_after: int
    added_until: int


class UndoCounts(NamedTuple):
    """How much an undo changes, and how much stays."""

    removed: int
    restored: int
    lifted: int
    blocked: int
    kept_people: int
    kept_suppressions: int


class ReturnedPerson(NamedTuple):
    """A forgotten person who had returned, and is forgotten again."""

    email: str
    digest: bytes


class CellsBefore(NamedTuple):
    """The cells of a subscriber before the import."""

    subscriber: int
    cells: str


_FIND_IMPORT = query_one("undo", "find_import", UndoableImport)
_LAST_FILE = query_one("undo", "last_file", str)
_CREATE_UNDOING = change("undo", "create_undoing")
_CREATE_RESTORING = change("undo", "create_restoring")
_DROP_UNDOING = change("undo", "drop_undoing")
_DROP_RESTORING = change("undo", "drop_restoring")
_COLLECT_PEOPLE = change("undo", "collect_people")
_NOTE_DELIVERIES = change("undo", "note_deliveries")
_COLLECT_SUPPRESSIONS = change("undo", "collect_suppressions")
_NOTE_EVENTS = change("undo", "note_events")
_NOTE_CONSENTS = change("undo", "note_consents")
_COUNTS = query_value("undo", "counts", UndoCounts)
_KEPT = query_all("undo", "kept", KeptChange)
_LIFT_ADDED = change("undo", "lift_added")
_PUT_BACK = change("undo", "put_back")
_DROP_PAST_SUPPRESSIONS = change("undo", "drop_past_suppressions")
_CELLS_BEFORE = query_all("undo", "cells_before", CellsBefore)
_DROP_PAST_CONSENTS = change("undo", "drop_past_consents")
_RESTORE_TIMES = change("undo", "restore_times")
_REMOVE_ADDED = change("undo", "remove_added")
_PEOPLE_TO_FORGET = query_all("undo", "people_to_forget", ReturnedPerson)
_FORGET_AGAIN = change("undo", "forget_again")
_MARK_UNDONE = change("undo", "mark_undone")
_PAGE = 10_000


def undo_last_import(
    database: Database, *, shown: int, is_dry_run: bool = False, confirmed: UndoReport | None = None, now: datetime
) -> UndoReport:
    """Undo the last import in one transaction. Return what was changed, with the first `shown` things that stay.

    `confirmed` is the report of a dry run that someone confirmed. Raise InputError if there is no import that can be
    undone, or if it is not the confirmed one.
    """
    with unless_dry_run(database.transaction(), is_dry_run=is_dry_run) as connection:
        found = _require_import(connection)
        if confirmed is not None and confirmed.import_id != found.id:
            raise InputError(
                "another list was imported in the meantime, so nothing was undone; run the command again to see which"
            )
        _CREATE_UNDOING(connection)
        _CREATE_RESTORING(connection)
        _collect(connection, found, now=text_of(now))
        counts = _COUNTS(connection)
        report = UndoReport(
            import_id=found.id,
            file=found.file,
            at=found.at,
            removed=counts.removed,
            restored=counts.restored,
            lifted=counts.lifted,
            blocked=counts.blocked,
            kept=counts.kept_people + counts.kept_suppressions,
            kept_changes=tuple(_KEPT(connection, size=shown)),
        )
        _restore(connection, at=text_of(found.at))
        _MARK_UNDONE(connection, id=found.id, now=text_of(now))
        clear_record(connection)
        _DROP_UNDOING(connection)
        _DROP_RESTORING(connection)
    return report


def _require_import(connection: Connection) -> UndoableImport:
    found = _FIND_IMPORT(connection)
    if found is not None:
        return found
    if _LAST_FILE(connection) is None:
        raise InputError("nothing was imported yet; to import a list, run `newsletter subscribers import FILE`")
    raise InputError(
        "there is no import to undo: only the last import can be undone, once, and not after a restore; to correct the "
        "list, use `newsletter subscribers edit`, or import a file with --replace"
    )


def _collect(connection: Connection, found: UndoableImport, *, now: str) -> None:
    """Find what the import added and changed, and what happened since."""
    at, ids = text_of(found.at), {"after": found.added_after, "until": found.added_until}
    _COLLECT_PEOPLE(connection, at=at, **ids)
    _NOTE_DELIVERIES(connection, at=at, **ids)
    if _COLLECT_SUPPRESSIONS(connection, at=at):
        _NOTE_EVENTS(connection)
        _NOTE_CONSENTS(connection, at=at, now=now)


def _restore(connection: Connection, *, at: str) -> None:
    _LIFT_ADDED(connection)
    _PUT_BACK(connection)
    _DROP_PAST_SUPPRESSIONS(connection, at=at)
    with change_table(connection):
        after = 0
        while page := _CELLS_BEFORE(connection, after=after, size=_PAGE):
            connection.load("change", [(row.subscriber, row.subscriber, *_unpacked(row.cells)) for row in page])
            after = page[-1].subscriber
        save_cells(connection, now=at)
    _DROP_PAST_CONSENTS(connection, at=at)
    _RESTORE_TIMES(connection)
    _forget_again(connection)
    _REMOVE_ADDED(connection)


def _forget_again(connection: Connection) -> None:
    """Erase the people who had been erased before the import, with everything that is stored about them since."""
    people = _PEOPLE_TO_FORGET(connection)
    _FORGET_AGAIN(connection)
    for person in people:
        erase_person(connection, person.email, instead=name_of_forgotten(person.digest))


def _unpacked(cells: str) -> list[str]:
    values = cells.split(MARK)
    if len(values) != len(COLUMN_NAMES):
        raise InputError(
            "an earlier version of newsletter made the last import, with other columns, so it cannot be undone; "
            "to correct the list, use `newsletter subscribers edit`"
        )
    return values
