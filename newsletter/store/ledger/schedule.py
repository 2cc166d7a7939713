"""The time of a broadcast and of its parts: what is due, what is overdue, and under which batch id it is held."""

from datetime import datetime

from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry, ZoneProgress
from newsletter.store.database import Database
from newsletter.store.ledger.states import broadcast_of, find, set_running
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("schedule")


def scheduled_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Every broadcast with a time of its own that is scheduled, running or being cancelled; the earliest first."""
    with database.read() as connection:
        return tuple(broadcast_of(row) for row in _SQL.scheduled(connection))


def next_due(database: Database, broadcast_id: int) -> datetime | None:
    """The earliest moment that a ready chunk waits for, past or ahead; None where none waits for a moment."""
    with database.read() as connection:
        text = _SQL.next_due(connection, broadcast=broadcast_id)
    return moment_of(text) if text else None


def overdue(database: Database, broadcast_id: int, *, before: datetime) -> int:
    """How many deliveries should have left before a moment, and have not."""
    with database.read() as connection:
        return int(_SQL.overdue(connection, broadcast=broadcast_id, before=text_of(before)))


def due_now(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """How many deliveries that have not left are to leave now, or were to leave before."""
    with database.read() as connection:
        return int(_SQL.due_now(connection, broadcast=broadcast_id, now=text_of(now)))


def last_claimed(database: Database, broadcast_id: int) -> datetime | None:
    """When somebody last began to hand over something that may have left; None where nobody did."""
    with database.read() as connection:
        text = _SQL.last_claimed(connection, broadcast=broadcast_id)
    return moment_of(text) if text else None


def start_scheduled(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Lets a scheduled broadcast run, because its time has come or its provider can hold it; no other."""
    with database.transaction() as connection:
        broadcast = find(connection, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            is_ahead = broadcast.due_at is not None and broadcast.due_at > now
            detail = "ahead of its time, for the provider to hold" if is_ahead else "its time has come"
            set_running(connection, broadcast_id, Entry.STARTED, detail, now=now)
        return find(connection, broadcast_id)


def keep_batch_id(database: Database, broadcast_id: int, batch_id: str) -> str:
    """Keeps the id under which the provider is to hold mail, unless one is kept already; the one that is kept."""
    with database.transaction() as connection:
        _SQL.keep_batch_id(connection, broadcast=broadcast_id, batch_id=batch_id)
        return find(connection, broadcast_id).batch_id


def zone_progress(database: Database, broadcast_id: int) -> tuple[ZoneProgress, ...]:
    """How each time zone of a broadcast in local time stands, the earliest first."""
    with database.read() as connection:
        return tuple(
            ZoneProgress(
                zone=zone,
                due_at=moment_of(due_at) if due_at else None,
                deliveries=int(size),
                waiting=int(waiting),
                cancelled=int(cancelled),
            )
            for zone, due_at, size, waiting, cancelled in _SQL.zones(connection, broadcast=broadcast_id)
        )
