"""Find broadcasts, hold them back, let them go on when their time has come, and close them."""

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
_KEEP_BATCH_ID = change("schedule", "keep_batch_id")
_ZONES = query_all("schedule", "zones", ZoneProgress)

# Why a broadcast that has ended, or is about to, cannot go on.
_ENDED = {
    BroadcastState.DONE: "is done; there is nothing left to send",
    BroadcastState.STOPPED: (
        "was stopped ({reason}); correct the issue and send it again, which reaches those who did not get it"
    ),
    BroadcastState.CANCELLING: "is being cancelled; `newsletter cancel {id}` brings that to its end",
    BroadcastState.CANCELLED: "was cancelled; send the issue again, which reaches those who did not get it",
}


def require_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """Return the broadcast with this number; raise InputError where there is none."""
    with database.read() as connection:
        return require_current(connection, broadcast_id)


def list_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return every broadcast, the newest first."""
    return _LIST_ALL.ask(database)


def pause_broadcast(database: Database, broadcast_id: int, reason: str, *, now: datetime) -> Broadcast:
    """Hold a scheduled or running broadcast back until it is resumed; any other stays as it is."""
    with database.transaction() as connection:
        hold_back(connection, require_current(connection, broadcast_id), reason=reason, now=now)
        return require_current(connection, broadcast_id)


def resume_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Let a paused or scheduled broadcast go on; one that is running stays so. What is overdue may leave at once.

    Raise InputError where it has ended, or is being cancelled.
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
    """Close a running broadcast of which no chunk is ready or inflight. Return it as it stands then."""
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
    """Return each broadcast with a time of its own that is scheduled, running or being cancelled, earliest first."""
    return _SCHEDULED.ask(database)


def next_due(database: Database, broadcast_id: int) -> datetime | None:
    """Return the earliest moment that a ready chunk waits for, past or ahead; None where none waits for one."""
    return _NEXT_DUE.ask(database, broadcast=broadcast_id)


def overdue(database: Database, broadcast_id: int, *, before: datetime) -> int:
    """Return how many deliveries should have left before a moment, and have not."""
    return _OVERDUE.ask(database, broadcast=broadcast_id, before=text_of(before))


def due_now(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Return how many deliveries that have not left are to leave now, or were to leave before."""
    return _DUE_NOW.ask(database, broadcast=broadcast_id, now=text_of(now))


def last_claimed(database: Database, broadcast_id: int) -> datetime | None:
    """Return when somebody last began to hand over something that may have left; None where nobody did."""
    return _LAST_CLAIMED.ask(database, broadcast=broadcast_id)


def start_scheduled(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Let a scheduled broadcast run, because its time has come or its provider can hold it; no other."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            is_ahead = broadcast.due_at is not None and broadcast.due_at > now
            detail = "ahead of its time, for the provider to hold" if is_ahead else "its time has come"
            set_running(connection, broadcast_id, Entry.STARTED, detail, now=now)
        return require_current(connection, broadcast_id)


def keep_batch_id(database: Database, broadcast_id: int, batch_id: str) -> str:
    """Keep the id under which the provider is to hold mail, unless there is one already. Return the one kept."""
    with database.transaction() as connection:
        _KEEP_BATCH_ID(connection, broadcast=broadcast_id, batch_id=batch_id)
        return require_current(connection, broadcast_id).batch_id


def zone_progress(database: Database, broadcast_id: int) -> tuple[ZoneProgress, ...]:
    """Return how each time zone of a broadcast in local time stands, the earliest first."""
    return _ZONES.ask(database, broadcast=broadcast_id)
