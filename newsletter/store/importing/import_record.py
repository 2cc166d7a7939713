"""Record what an import changes, so that it can be undone until the next import that changes something.

For people whom it adds, the range of their ids is enough. For the others, their cells and suppressions are saved as
they were before. What happens later wins over an undo, so later changes must be recognizable. A change by hand is dated
at least a second after the import, and reports that people left are saved separately.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from newsletter.model.imports import ImportTerms
from newsletter.store.database import Connection
from newsletter.store.importing.merge_rules import MARK
from newsletter.store.queries import change, query_one, query_value
from newsletter.system.moments import moment_of, text_of

_CLEAR = tuple(
    change("import_record", name)
    for name in ("clear_changes", "clear_suppressions", "clear_returns", "clear_left", "close")
)
_KEEP_CELLS = change("import_record", "keep_cells")
_KEEP_REPORTED = change("import_record", "keep_reported")
_KEEP_LIFTED = change("import_record", "keep_lifted")
_KEEP_RETURN = change("import_record", "keep_return")
_COUNT_REPORTED = query_value("suppressions", "count_reported", int)
_COUNT_REVIVALS = query_value("import_record", "count_revivals", int)
_HEAR_LEAVERS = change("import_record", "hear_leavers")
_HEAR_TOPIC_LEAVERS = change("import_record", "hear_topic_leavers")
_CONFIRM = change("import_record", "confirm")
_CONFIRM_UNCHANGED = change("import_record", "confirm_unchanged")
_UNDOABLE_AT = query_one("import_record", "undoable_at", str)


class ImportRecord:
    """The record of one import. A change by hand is not recorded, and leaves the record of the last import.

    So does an import that changes nothing. What it says about leaving is then saved as a report since the last import.
    """

    def __init__(self, connection: Connection, terms: ImportTerms) -> None:
        self.is_begun = False  # whether the import changes something, so that it is the one that can be undone
        self._is_by_hand = terms.is_by_hand
        self._connection = connection

    def begin(self) -> None:
        """Replace the record of the last import. Call this once the import is known to change something."""
        if not (self._is_by_hand or self.is_begun):
            clear_record(self._connection)
            self.is_begun = True

    def keep_cells(self) -> None:
        """Save the cells of the people in the table `change`. Call this before they are changed."""
        if not self._is_by_hand:
            self.begin()
            _KEEP_CELLS(self._connection, mark=MARK)

    def keep_reported(self) -> None:
        """Save the suppressions of the people in the table `reported`. Call this before they are suppressed."""
        if not self._is_by_hand and _COUNT_REPORTED(self._connection):
            self.begin()
            _KEEP_REPORTED(self._connection)

    def keep_lifted(self) -> None:
        """Save the suppressions of the people in the table `revival`. Call this before they are lifted."""
        if not self._is_by_hand and _COUNT_REVIVALS(self._connection):
            self.begin()
            _KEEP_LIFTED(self._connection)

    def confirm_unchanged(self, now: str) -> None:
        """Save that someone confirmed by hand what is recorded about the people in the table `standing`."""
        if self._is_by_hand:
            _CONFIRM_UNCHANGED(self._connection, now=now)

    def keep_returns(self, returning: Sequence[Mapping[str, object]]) -> None:
        """Save the records of forgotten people, each given by `line` and `digest`, before they are deleted."""
        if not self._is_by_hand and returning:
            self.begin()
            _KEEP_RETURN.for_each(
                self._connection, [{"line": row["line"], "digest": row["digest"]} for row in returning]
            )

    def hear_leavers(self) -> None:
        """Save who left, according to the tables `leaver` and `topic_leaver`, unless this import can be undone."""
        if not self.is_begun:
            _HEAR_LEAVERS(self._connection)
            _HEAR_TOPIC_LEAVERS(self._connection)


def clear_record(connection: Connection) -> None:
    """Delete the record of the last import, which can no longer be undone then."""
    for clear in _CLEAR:
        clear(connection)


def confirm(connection: Connection, ids: Sequence[int], *, now: str) -> None:
    """Save that someone confirmed by hand what is recorded about these subscribers, so that no undo changes it."""
    _CONFIRM(connection, ids=orjson.dumps(list(ids)).decode(), now=now)


def time_by_hand(connection: Connection, now: datetime) -> str:
    """Return the time of a change by hand: now, but later than the import that can be undone.

    Times are saved to the second, so an import and a later change could otherwise have the same one.
    """
    at = _UNDOABLE_AT(connection)
    return text_of(now) if at is None else max(text_of(now), text_of(moment_of(at) + timedelta(seconds=1)))
