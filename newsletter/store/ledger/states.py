"""Change the state of a broadcast inside a transaction. Each change is written to the journal."""

from datetime import datetime

import orjson
from msgspec.structs import asdict

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, Envelope, Waiver
from newsletter.model.ledger import Entry
from newsletter.store.database import Connection
from newsletter.store.ledger import journal
from newsletter.store.queries import Reads, change, query_one
from newsletter.system.moments import text_of

# The reason that the ledger gives for deliveries that were not sent because the broadcast was canceled.
CANCELLED_WHY = "the broadcast was canceled"

# The functions that read the columns of a broadcast that contain JSON.
BROADCAST_READS: Reads = {
    Envelope: lambda text: Envelope(**orjson.loads(text)),
    tuple[Waiver, ...]: lambda text: tuple(Waiver(**waiver) for waiver in orjson.loads(text)),
}

_FIND = query_one("broadcasts", "find", Broadcast, BROADCAST_READS)
_SET_STATE = change("broadcasts", "set_state")
_END = change("broadcasts", "end")
_CANCEL_READY = change("broadcasts", "cancel_ready")
_MOVES = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.WATCHING})  # without a person
_OPEN = _MOVES | {BroadcastState.PAUSED}
_ENDING = {
    BroadcastState.DONE: Entry.DONE,
    BroadcastState.STOPPED: Entry.STOPPED,
    BroadcastState.CANCELLED: Entry.CANCELLED,
}


def require_current(connection: Connection, broadcast_id: int) -> Broadcast:
    """Return the broadcast as the transaction sees it. Raise InputError if there is none with this number."""
    broadcast = _FIND(connection, broadcast=broadcast_id)
    if broadcast is None:
        raise InputError(f"there is no broadcast {broadcast_id}; `newsletter status` lists all broadcasts")
    return broadcast


def set_running(
    connection: Connection,
    broadcast_id: int,
    entry: Entry,
    detail: str,
    *,
    now: datetime,
    continues_at: datetime | None = None,
) -> None:
    """Set the state of a broadcast to running, and write a journal entry.

    With `continues_at`, `run-due` and the workers continue the broadcast even if it has no scheduled time.
    """
    _set_state(connection, broadcast_id, BroadcastState.RUNNING, continues_at=continues_at)
    journal.write(connection, broadcast_id, entry, detail, now=now)


def set_watching(connection: Connection, broadcast_id: int, detail: str, *, until: datetime, now: datetime) -> None:
    """Set the state of a broadcast to watching, and write a journal entry."""
    _set_state(connection, broadcast_id, BroadcastState.WATCHING, continues_at=until)
    journal.write(connection, broadcast_id, Entry.WATCHING, detail, now=now)


def hold_back(
    connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime, continues_at: datetime | None = None
) -> None:
    """Pause a broadcast that would be sent, or would continue, without a person. Leave others unchanged.

    With `continues_at`, the reason passes, and the broadcast continues at that time without a person.
    """
    if broadcast.state in _MOVES or (broadcast.state is BroadcastState.PAUSED and broadcast.continues_at is not None):
        _pause(connection, broadcast.id, reason=reason, now=now, continues_at=continues_at)


def reopen(connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime) -> None:
    """Pause a broadcast that was done, because some of its deliveries are ready again. Leave any other unchanged."""
    if broadcast.state is BroadcastState.DONE:
        _pause(connection, broadcast.id, reason=reason, now=now)


def stop(connection: Connection, broadcast: Broadcast, *, reason: str, now: datetime) -> None:
    """Stop a broadcast that has not ended, and cancel its ready chunks. Leave any other unchanged."""
    if broadcast.state in _OPEN:
        end(connection, broadcast.id, BroadcastState.STOPPED, reason=reason, detail=reason, now=now)
        cancel_ready(connection, broadcast.id, reason=stopped_because(reason), now=now)


def set_cancelling(connection: Connection, broadcast_id: int, detail: str, *, now: datetime) -> None:
    """Set the state of a broadcast to `cancelling`, so that nothing more of it is sent."""
    _set_state(connection, broadcast_id, BroadcastState.CANCELLING)
    journal.write(connection, broadcast_id, Entry.CANCELLING, detail, now=now)


def end(
    connection: Connection,
    broadcast_id: int,
    state: BroadcastState,
    *,
    detail: str,
    now: datetime,
    reason: str = "",
    continues_at: datetime | None = None,
) -> None:
    """End a broadcast in one of the final states: done, stopped or `cancelled`.

    With `continues_at`, it runs once more at that time, for the people who were set aside.
    """
    continues = text_of(continues_at) if continues_at else ""
    _END(connection, broadcast=broadcast_id, state=state.value, reason=reason, continues_at=continues, now=text_of(now))
    journal.write(connection, broadcast_id, _ENDING[state], detail, now=now)


def cancel_ready(connection: Connection, broadcast_id: int, *, reason: str, now: datetime) -> None:
    """Cancel the ready and the deferred chunks of a broadcast. None of their email has been sent."""
    _CANCEL_READY(connection, broadcast=broadcast_id, reason=reason, now=text_of(now))


def stopped_because(reason: str) -> str:
    """Return the reason that the ledger gives for deliveries that a stopped broadcast never sent."""
    return f"the broadcast was stopped: {reason}"


def envelope_text(envelope: Envelope) -> str:
    """Return an envelope as the JSON text that the ledger stores."""
    return orjson.dumps(asdict(envelope)).decode()


def waivers_text(waivers: tuple[Waiver, ...]) -> str:
    """Return waivers as the JSON text that the ledger stores."""
    return orjson.dumps([asdict(waiver) for waiver in waivers]).decode()


def _pause(
    connection: Connection, broadcast_id: int, *, reason: str, now: datetime, continues_at: datetime | None = None
) -> None:
    _set_state(connection, broadcast_id, BroadcastState.PAUSED, reason=reason, continues_at=continues_at)
    journal.write(connection, broadcast_id, Entry.PAUSED, reason, now=now)


def _set_state(
    connection: Connection,
    broadcast_id: int,
    state: BroadcastState,
    *,
    reason: str = "",
    continues_at: datetime | None = None,
) -> None:
    continues = text_of(continues_at) if continues_at else ""
    _SET_STATE(connection, broadcast=broadcast_id, state=state.value, reason=reason, continues_at=continues)
