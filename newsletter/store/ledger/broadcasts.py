"""Finding broadcasts, holding them back, letting them go on and closing them."""

from datetime import datetime

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry
from newsletter.store.database import Database
from newsletter.store.ledger.states import BROADCAST_READS, end, find, hold_back, set_running
from newsletter.store.ledger.status import count, in_words
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of

_LIST_ALL = query_all("broadcasts", "list_all", Broadcast, BROADCAST_READS)
_LET_OVERDUE_GO = change("broadcasts", "let_overdue_go")

# Why a broadcast that has ended, or is about to, cannot go on.
_ENDED = {
    BroadcastState.DONE: "is done; there is nothing left to send",
    BroadcastState.STOPPED: (
        "was stopped ({reason}); correct the issue and send it again, which reaches those who did not get it"
    ),
    BroadcastState.CANCELLING: "is being cancelled; `newsletter cancel {id}` brings that to its end",
    BroadcastState.CANCELLED: "was cancelled; send the issue again, which reaches those who did not get it",
}


def find_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """Return the broadcast with this number; raise InputError where there is none."""
    with database.read() as connection:
        return find(connection, broadcast_id)


def list_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return every broadcast, the newest first."""
    with database.read() as connection:
        return tuple(_LIST_ALL(connection))


def pause_broadcast(database: Database, broadcast_id: int, reason: str, *, now: datetime) -> Broadcast:
    """Hold a scheduled or running broadcast back until it is resumed; any other stays as it is."""
    with database.transaction() as connection:
        hold_back(connection, find(connection, broadcast_id), reason=reason, now=now)
        return find(connection, broadcast_id)


def resume_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Let a paused or scheduled broadcast go on; one that is running stays so. What is overdue may leave at once.

    Raise InputError where it has ended, or is being cancelled.
    """
    with database.transaction() as connection:
        broadcast = find(connection, broadcast_id)
        if broadcast.state in _ENDED:
            why = _ENDED[broadcast.state].format(id=broadcast_id, reason=broadcast.reason)
            raise InputError(f"broadcast {broadcast_id} {why}")
        _LET_OVERDUE_GO(connection, broadcast=broadcast_id, now=text_of(now))
        if broadcast.state is BroadcastState.SCHEDULED:
            set_running(connection, broadcast_id, Entry.STARTED, "by a person", now=now)
        elif broadcast.state is BroadcastState.PAUSED:
            set_running(connection, broadcast_id, Entry.RESUMED, f"it was paused: {broadcast.reason}", now=now)
        return find(connection, broadcast_id)


def finish_if_done(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Close a running broadcast of which no chunk is ready or inflight. Return it as it stands then."""
    with database.transaction() as connection:
        broadcast = find(connection, broadcast_id)
        if broadcast.state is not BroadcastState.RUNNING:
            return broadcast
        counts = count(connection, broadcast_id)
        if counts.waiting or counts.inflight:
            return broadcast
        end(connection, broadcast_id, BroadcastState.DONE, detail=in_words(counts), now=now)
        return find(connection, broadcast_id)
