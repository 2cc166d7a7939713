"""Events that providers reported about messages that they had accepted. A repeated report is stored once.

The `reaction` table also stores who opened or clicked a broadcast, and when they last did so. Segments query this
table.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from newsletter.model.event import Event, EventType, Evidence
from newsletter.store.database import Database
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


class EvidenceRow(NamedTuple):
    """A type of event that was reported for one attempt to send an unknown chunk."""

    chunk: int
    attempt: int
    type: EventType


_ADD = change("events", "add")
_REACT = change("events", "react")
_EVIDENCE = query_all("events", "evidence", EvidenceRow)
_REACTIONS = frozenset({EventType.OPENED, EventType.CLICKED})


def add_events(database: Database, events: Iterable[Event]) -> int:
    """Save events about the broadcasts of this database in one transaction. Return the number of new events."""
    rows: list[dict[str, str | int]] = [
        {
            "at": text_of(event.at),
            "id": _without_nul(event.id),
            "type": event.type.value,
            "broadcast": event.broadcast,
            "nonce": event.nonce,
            "chunk": event.chunk,
            "attempt": event.attempt,
            "subscriber": event.subscriber,
            "detail": _without_nul(event.detail),
        }
        for event in events
    ]
    if not rows:
        return 0
    # The rows are sorted like the table's primary key, so that each page of the table is written only once.
    reactions = sorted(
        (row for row in rows if row["type"] in _REACTIONS), key=itemgetter("broadcast", "type", "subscriber")
    )
    with database.transaction() as connection:
        added = _ADD.for_each(connection, rows)
        if reactions:
            _REACT.for_each(connection, reactions)
        return added


def _without_nul(text: str) -> str:
    """Replace the one character that PostgreSQL cannot store, so that both engines keep the same event."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def evidence_of(database: Database, broadcast_id: int) -> tuple[Evidence, ...]:
    """Return the evidence about unknown chunks. An event of any type proves that the provider accepted the request."""
    rows = _EVIDENCE.ask(database, broadcast=broadcast_id)
    return tuple(
        Evidence(chunk, attempt, f"the provider reported: {', '.join(row.type for row in group)}")
        for (chunk, attempt), group in groupby(rows, key=lambda row: (row.chunk, row.attempt))
    )
