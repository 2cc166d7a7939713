"""What providers reported about messages that they took; repeated reports are kept once.

Of openings and clicks the table `reaction` keeps, beside the events, who did it and when last: segments ask that.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from newsletter.model.event import Event, EventType, Evidence
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import text_of

_SQL = load_queries("events")
_REACTIONS = frozenset({EventType.OPENED, EventType.CLICKED})


def add_events(database: Database, events: Iterable[Event]) -> int:
    """Keeps events of broadcasts of ours, in one transaction; how many were new."""
    rows = [
        {
            "at": text_of(event.at),
            "id": event.id,
            "type": event.type.value,
            "broadcast": event.broadcast,
            "nonce": event.nonce,
            "chunk": event.chunk,
            "attempt": event.attempt,
            "subscriber": event.subscriber,
            "detail": event.detail,
        }
        for event in events
    ]
    if not rows:
        return 0
    # In the order in which they are stored, so that each page is written once.
    reactions = sorted(
        (row for row in rows if row["type"] in _REACTIONS), key=itemgetter("broadcast", "type", "subscriber")
    )
    with database.transaction() as connection:
        added = int(_SQL.add(connection, rows))
        if reactions:
            _SQL.react(connection, reactions)
        return added


def evidence_of(database: Database, broadcast_id: int) -> tuple[Evidence, ...]:
    """What events prove of chunks that are unknown: one of any type says that the provider took the request."""
    with database.read() as connection:
        rows = list(_SQL.evidence(connection, broadcast=broadcast_id))
    return tuple(
        Evidence(chunk, attempt, f"the provider reported: {', '.join(type_ for *_, type_ in group)}")
        for (chunk, attempt), group in groupby(rows, key=lambda row: (row[0], row[1]))
    )
