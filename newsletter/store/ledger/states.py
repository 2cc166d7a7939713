"""Changes the state of a broadcast within a transaction; each change is in the journal."""

from datetime import datetime

import orjson

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, Envelope, Waiver
from newsletter.model.ledger import Entry
from newsletter.store.database import Connection, Row
from newsletter.store.ledger import journal
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

CANCELLED_WHY = "the broadcast was cancelled"  # what the ledger says of deliveries that then never left

_SQL = load_queries("broadcasts")
_OPEN = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.PAUSED})
_ENDING = {
    BroadcastState.DONE: Entry.DONE,
    BroadcastState.STOPPED: Entry.STOPPED,
    BroadcastState.CANCELLED: Entry.CANCELLED,
}


def find(connection: Connection, broadcast_id: int) -> Broadcast:
    """The broadcast with this number; raises InputError where there is none."""
    row = _SQL.find(connection, broadcast=broadcast_id)
    if row is None:
        raise InputError(f"there is no broadcast {broadcast_id}; `newsletter status` lists them")
    return broadcast_of(row)


def set_running(connection: Connection, broadcast_id: int, entry: Entry, detail: str, *, now: datetime) -> None:
    """Lets a broadcast run."""
    _SQL.set_state(connection, broadcast=broadcast_id, state=BroadcastState.RUNNING.value, reason="")
    journal.write(connection, broadcast_id, entry, detail, now=now)


def hold_back(connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime) -> None:
    """Pauses a broadcast that is scheduled or running; any other stays as it is."""
    if broadcast.state in {BroadcastState.SCHEDULED, BroadcastState.RUNNING}:
        _pause(connection, broadcast.id, reason=reason, now=now)


def reopen(connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime) -> None:
    """Pauses a broadcast that was done, because something of it is ready again; any other stays as it is."""
    if broadcast.state is BroadcastState.DONE:
        _pause(connection, broadcast.id, reason=reason, now=now)


def stop(connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime) -> None:
    """Ends a broadcast that has not ended, and cancels its ready chunks; any other stays as it is."""
    if broadcast.state in _OPEN:
        end(connection, broadcast.id, BroadcastState.STOPPED, reason=reason, detail=reason, now=now)
        cancel_ready(connection, broadcast.id, reason=stopped_because(reason), now=now)


def set_cancelling(connection: Connection, broadcast_id: int, detail: str, *, now: datetime) -> None:
    """Lets nothing more of a broadcast leave."""
    _SQL.set_state(connection, broadcast=broadcast_id, state=BroadcastState.CANCELLING.value, reason="")
    journal.write(connection, broadcast_id, Entry.CANCELLING, detail, now=now)


def end(
    connection: Connection, broadcast_id: int, state: BroadcastState, *, detail: str, now: datetime, reason: str = ""
) -> None:
    """Ends a broadcast in a state that is an end."""
    _SQL.end(connection, broadcast=broadcast_id, state=state.value, reason=reason, now=text_of(now))
    journal.write(connection, broadcast_id, _ENDING[state], detail, now=now)


def cancel_ready(connection: Connection, broadcast_id: int, *, reason: str, now: datetime) -> None:
    """Cancels the ready chunks, of which nothing has left."""
    _SQL.cancel_ready(connection, broadcast=broadcast_id, reason=reason, now=text_of(now))


def stopped_because(reason: str) -> str:
    """What the ledger says of deliveries that a stopped broadcast never handed over."""
    return f"the broadcast was stopped: {reason}"


def envelope_text(envelope: Envelope) -> str:
    """An envelope as the ledger keeps it."""
    return orjson.dumps(envelope).decode()


def waivers_text(waivers: tuple[Waiver, ...]) -> str:
    """Waivers as the ledger keeps them."""
    return orjson.dumps(waivers).decode()


def broadcast_of(row: Row) -> Broadcast:
    """The broadcast of a row with the columns of `find`."""
    (
        broadcast_id,
        issue,
        segment,
        provider,
        state,
        reason,
        content_hash,
        nonce,
        envelope,
        waivers,
        created_at,
        finished_at,
        due_at,
        is_local_time,
        batch_id,
    ) = row
    return Broadcast(
        id=broadcast_id,
        issue=issue,
        segment=segment,
        provider=provider,
        state=BroadcastState(state),
        reason=reason,
        content_hash=content_hash,
        nonce=nonce,
        envelope=Envelope(**orjson.loads(envelope)),
        waivers=tuple(Waiver(**waiver) for waiver in orjson.loads(waivers)),
        created_at=moment_of(created_at),
        finished_at=moment_of(finished_at) if finished_at else None,
        due_at=moment_of(due_at) if due_at else None,
        is_local_time=bool(is_local_time),
        batch_id=batch_id,
    )


def _pause(connection: Connection, broadcast_id: int, *, reason: str, now: datetime) -> None:
    _SQL.set_state(connection, broadcast=broadcast_id, state=BroadcastState.PAUSED.value, reason=reason)
    journal.write(connection, broadcast_id, Entry.PAUSED, reason, now=now)
