"""Find, pause, resume, start and finish broadcasts."""

from datetime import datetime

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry, ZoneProgress
from newsletter.store.database import Database
from newsletter.store.ledger.states import BROADCAST_READS, end, hold_back, require_current, set_running
from newsletter.store.ledger.status import count, in_words
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_LIST_ALL = query_all("broadcasts", "list_all", Broadcast, BROADCAST_READS)
_LET_OVERDUE_GO = change("broadcasts", "let_overdue_go")
_SCHEDULED = query_all("schedule", "scheduled", Broadcast, BROADCAST_READS)
_NEXT_DUE = query_one("schedule", "next_due", datetime)
_OVERDUE = query_value("schedule", "overdue", int)
_DUE_NOW = query_value("schedule", "due_now", int)
_LAST_CLAIMED = query_one("schedule", "last_claimed", datetime)
_ZONES = query_all("schedule", "zones", ZoneProgress)

# Why a broadcast that has ended, or is being canceled, cannot be resumed.
_ENDED = {
    BroadcastState.DONE: "is done; there is nothing left to send",
    BroadcastState.STOPPED: (
        "was stopped ({reason}); correct the issue and send it again to reach everyone who did not get it"
    ),
    BroadcastState.CANCELLING: "is being canceled; run `newsletter cancel {id}` to finish canceling it",
    BroadcastState.CANCELLED: "was canceled; send the issue again to reach everyone who did not get it",
}


def require_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """Return the broadcast with this number. Raise InputError if there is none."""
    with database.read() as connection:
        return require_current(connection, broadcast_id)


def list_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return all broadcasts, newest first."""
    return _LIST_ALL.ask(database)


def pause_broadcast(database: Database, broadcast_id: int, reason: str, *, now: datetime) -> Broadcast:
    """Pause a scheduled or running broadcast until it is resumed. Leave any other unchanged."""
    with database.transaction() as connection:
        hold_back(connection, require_current(connection, broadcast_id), reason=reason, now=now)
        return require_current(connection, broadcast_id)


def resume_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Resume a paused broadcast, or start a scheduled one now. Email that is overdue may be sent at once.

    A running broadcast keeps running. Raise InputError if the broadcast has ended or is being canceled.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state in _ENDED:
            why = _ENDED[broadcast.state].format(id=broadcast_id, reason=broadcast.reason)
            raise InputError(f"broadcast {broadcast_id} {why}")
        _LET_OVERDUE_GO(connection, broadcast=broadcast_id, now=text_of(now))
        if broadcast.state is BroadcastState.SCHEDULED:
            set_running(connection, broadcast_id, Entry.STARTED, "by a person", now=now)
        elif broadcast.state is BroadcastState.PAUSED:
            set_running(connection, broadcast_id, Entry.RESUMED, f"it was paused: {broadcast.reason}", now=now)
        return require_current(connection, broadcast_id)


def finish_if_done(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Mark a running broadcast as done if none of its chunks is ready or inflight. Return its current record."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is not BroadcastState.RUNNING:
            return broadcast
        counts = count(connection, broadcast_id)
        if counts.waiting or counts.inflight:
            return broadcast
        end(connection, broadcast_id, BroadcastState.DONE, detail=in_words(counts), now=now)
        return require_current(connection, broadcast_id)


def scheduled_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return all broadcasts with a scheduled time that are scheduled, running or being canceled, earliest first."""
    return _SCHEDULED.ask(database)


def next_due(database: Database, broadcast_id: int) -> datetime | None:
    """Return the earliest due time of a ready chunk, past or future. Return None if none has a due time."""
    return _NEXT_DUE.ask(database, broadcast=broadcast_id)


def overdue(database: Database, broadcast_id: int, *, before: datetime) -> int:
    """Return the number of deliveries that were due before a time and have not been sent."""
    return _OVERDUE.ask(database, broadcast=broadcast_id, before=text_of(before))


def due_now(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Return the number of deliveries that are due now, or overdue, and have not been sent."""
    return _DUE_NOW.ask(database, broadcast=broadcast_id, now=text_of(now))


def last_claimed(database: Database, broadcast_id: int) -> datetime | None:
    """Return the latest time at which a chunk that may have been sent was claimed, or None if there is none."""
    return _LAST_CLAIMED.ask(database, broadcast=broadcast_id)


def start_scheduled(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Start a broadcast if it is scheduled. Leave any other broadcast unchanged."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            is_ahead = broadcast.due_at is not None and broadcast.due_at > now
            detail = (
                "early, so that the provider can hold the email until its scheduled time"
                if is_ahead
                else "its scheduled time has come"
            )
            set_running(connection, broadcast_id, Entry.STARTED, detail, now=now)
        return require_current(connection, broadcast_id)


def zone_progress(database: Database, broadcast_id: int) -> tuple[ZoneProgress, ...]:
    """Return the progress of each time zone of a broadcast that is sent at local time, earliest first."""
    return _ZONES.ask(database, broadcast=broadcast_id)
