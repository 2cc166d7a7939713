"""Settle unknown chunks, which may or may not have been accepted, by evidence or by a person's decision."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from newsletter.language.counts import count_of
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState
from newsletter.model.ledger import Entry, Resolution, UnknownChunk
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.chunks import OpenChunk, set_state, split_off, subscribers_of
from newsletter.store.ledger.states import reopen, require_current
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of


class UnknownRow(NamedTuple):
    """A chunk that the provider may or may not have accepted."""

    number: int
    attempt: int
    size: int
    first_subscriber: int
    changed_at: datetime
    reason: str
    hold_until: datetime | None


UNKNOWN_CHUNKS = query_all("resolve", "unknown_chunks", UnknownRow)
_SAMPLE = query_all("resolve", "sample", str)
_FIND_UNKNOWN = query_one("resolve", "find_unknown", int)
_SETTLE = change("resolve", "settle")
_TO_RESEND = "some emails are waiting to be sent again; `newsletter resume` sends them"
_NEVER_AGAIN = frozenset({BroadcastState.STOPPED, BroadcastState.CANCELLING, BroadcastState.CANCELLED})


def unknown_chunks(database: Database, broadcast_id: int, *, sample: int = 3) -> tuple[UnknownChunk, ...]:
    """Return the unknown chunks, each with up to `sample` of its addresses."""
    with database.read() as connection:
        require_current(connection, broadcast_id)
        return tuple(
            UnknownChunk(
                number=chunk.number,
                attempt=chunk.attempt,
                deliveries=chunk.size,
                since=chunk.changed_at,
                reason=chunk.reason,
                hold_until=chunk.hold_until,
                sample=tuple(
                    _SAMPLE(
                        connection,
                        broadcast=broadcast_id,
                        chunk=chunk.number,
                        first_subscriber=chunk.first_subscriber,
                        size=min(sample, chunk.size),
                    )
                ),
            )
            for chunk in UNKNOWN_CHUNKS(connection, broadcast=broadcast_id)
        )


def prove_taken(
    database: Database, broadcast_id: int, chunk: int, attempt: int, *, evidence: str, now: datetime
) -> bool:
    """Mark an unknown chunk as accepted because of evidence. Return False if it was not unknown in this attempt."""
    with database.transaction() as connection:
        return _settle(connection, broadcast_id, chunk, attempt, ChunkState.ACCEPTED, evidence, now=now)


def resolve_chunk(
    database: Database,
    broadcast_id: int,
    chunk: int,
    attempt: int,
    resolution: Resolution,
    *,
    detail: str,
    now: datetime,
) -> bool:
    """Settle an unknown chunk as a person decided. Return False if it was not unknown in this attempt.

    A chunk that is to be resent becomes ready, and a broadcast that was done is paused until it is resumed. A broadcast
    that was stopped or canceled sends nothing more: its chunk is canceled, and a later broadcast can reach the people.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        state = _state_after(resolution, broadcast)
        if not _settle(connection, broadcast_id, chunk, attempt, state, detail, now=now):
            return False
        if state is ChunkState.READY:
            reopen(connection, broadcast, reason=_TO_RESEND, now=now)
        return True


def resolve_deliveries(
    database: Database,
    broadcast_id: int,
    subscribers: Collection[int],
    resolution: Resolution,
    *,
    detail: str,
    now: datetime,
) -> int:
    """Settle single deliveries of unknown chunks, as `resolve_chunk` does for a chunk. Return their number.

    Deliveries that are not unknown are not changed.
    """
    settled = 0
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        state = _state_after(resolution, broadcast)
        for chunk in UNKNOWN_CHUNKS(connection, broadcast=broadcast_id):
            opened = OpenChunk(connection=connection, broadcast=broadcast_id, number=chunk.number, now=now)
            found = subscribers_of(opened, first_subscriber=chunk.first_subscriber, size=chunk.size)
            named = set(subscribers).intersection(found)
            if len(named) == chunk.size:
                _settle(connection, broadcast_id, chunk.number, chunk.attempt, state, detail, now=now)
            elif named:
                split_off(opened, named, state, reason=detail)
                _write_entry(connection, broadcast_id, chunk.number, len(named), state, detail, now=now)
            settled += len(named)
        if settled and state is ChunkState.READY:
            reopen(connection, broadcast, reason=_TO_RESEND, now=now)
    return settled


def _state_after(resolution: Resolution, broadcast: Broadcast) -> ChunkState:
    if resolution is Resolution.ASSUME_SENT:
        return ChunkState.ACCEPTED
    return ChunkState.CANCELLED if broadcast.state in _NEVER_AGAIN else ChunkState.READY


def _settle(
    connection: Connection,
    broadcast_id: int,
    chunk: int,
    attempt: int,
    state: ChunkState,
    reason: str,
    *,
    now: datetime,
) -> bool:
    size = _FIND_UNKNOWN(connection, broadcast=broadcast_id, chunk=chunk, attempt=attempt)
    if size is None:
        return False
    if state is ChunkState.READY:
        set_state(OpenChunk(connection=connection, broadcast=broadcast_id, number=chunk, now=now), state, reason=reason)
    else:
        _SETTLE(connection, broadcast=broadcast_id, chunk=chunk, state=state.value, reason=reason, now=text_of(now))
    _write_entry(connection, broadcast_id, chunk, size, state, reason, now=now)
    return True


def _write_entry(
    connection: Connection, broadcast_id: int, chunk: int, size: int, state: ChunkState, reason: str, *, now: datetime
) -> None:
    detail = f"batch {chunk}, {count_of(size, 'email')}, unknown → {state}: {reason}"
    journal.write(connection, broadcast_id, Entry.RESOLVED, detail, now=now)
