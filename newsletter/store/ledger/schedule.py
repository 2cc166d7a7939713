"""The time of a broadcast and of its parts: what is due, what is overdue, and under which batch id it is held."""

from datetime import datetime

from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry, ZoneProgress
from newsletter.store.database import Database
from newsletter.store.ledger.states import BROADCAST_READS, find, set_running
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_SCHEDULED = query_all("schedule", "scheduled", Broadcast, BROADCAST_READS)
_NEXT_DUE = query_one("schedule", "next_due", datetime)
_OVERDUE = query_value("schedule", "overdue", int)
_DUE_NOW = query_value("schedule", "due_now", int)
_LAST_CLAIMED = query_one("schedule", "last_claimed", datetime)
_KEEP_BATCH_ID = change("schedule", "keep_batch_id")
_ZONES = query_all("schedule", "zones", ZoneProgress)


def scheduled_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return each broadcast with a time of its own that is scheduled, running or being cancelled, earliest first."""
    with database.read() as connection:
        return tuple(_SCHEDULED(connection))


def next_due(database: Database, broadcast_id: int) -> datetime | None:
    """Return the earliest moment that a ready chunk waits for, past or ahead; None where none waits for one."""
    with database.read() as connection:
        return _NEXT_DUE(connection, broadcast=broadcast_id)


def overdue(database: Database, broadcast_id: int, *, before: datetime) -> int:
    """Return how many deliveries should have left before a moment, and have not."""
    with database.read() as connection:
        return _OVERDUE(connection, broadcast=broadcast_id, before=text_of(before))


def due_now(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Return how many deliveries that have not left are to leave now, or were to leave before."""
    with database.read() as connection:
        return _DUE_NOW(connection, broadcast=broadcast_id, now=text_of(now))


def last_claimed(database: Database, broadcast_id: int) -> datetime | None:
    """Return when somebody last began to hand over something that may have left; None where nobody did."""
    with database.read() as connection:
        return _LAST_CLAIMED(connection, broadcast=broadcast_id)


def start_scheduled(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Let a scheduled broadcast run, because its time has come or its provider can hold it; no other."""
    with database.transaction() as connection:
        broadcast = find(connection, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            is_ahead = broadcast.due_at is not None and broadcast.due_at > now
            detail = "ahead of its time, for the provider to hold" if is_ahead else "its time has come"
            set_running(connection, broadcast_id, Entry.STARTED, detail, now=now)
        return find(connection, broadcast_id)


def keep_batch_id(database: Database, broadcast_id: int, batch_id: str) -> str:
    """Keep the id under which the provider is to hold mail, unless there is one already. Return the one kept."""
    with database.transaction() as connection:
        _KEEP_BATCH_ID(connection, broadcast=broadcast_id, batch_id=batch_id)
        return find(connection, broadcast_id).batch_id


def zone_progress(database: Database, broadcast_id: int) -> tuple[ZoneProgress, ...]:
    """Return how each time zone of a broadcast in local time stands, the earliest first."""
    with database.read() as connection:
        return tuple(_ZONES(connection, broadcast=broadcast_id))
