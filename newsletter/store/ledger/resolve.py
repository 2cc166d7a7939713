"""Settles chunks of which nobody knows whether they were taken: by evidence, or by a person's word."""

from datetime import datetime

from newsletter.model.broadcast import BroadcastState, ChunkState
from newsletter.model.ledger import Entry, Resolution, UnknownChunk
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.chunks import OpenChunk, set_state
from newsletter.store.ledger.states import find, reopen
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("resolve")
_TO_RESEND = "resolved to be resent; resume sends it"
_NEVER_AGAIN = frozenset({BroadcastState.STOPPED, BroadcastState.CANCELLING, BroadcastState.CANCELLED})


def unknown_chunks(database: Database, broadcast_id: int, *, sample: int = 3) -> tuple[UnknownChunk, ...]:
    """The chunks that may or may not have been taken, each with so many of its addresses."""
    with database.read() as connection:
        find(connection, broadcast_id)
        rows = list(_SQL.unknown_chunks(connection, broadcast=broadcast_id))
        return tuple(
            UnknownChunk(
                number=number,
                attempt=attempt,
                deliveries=size,
                since=moment_of(changed_at),
                reason=reason,
                hold_until=moment_of(hold_until) if hold_until else None,
                sample=_sample(connection, broadcast_id, number, first_subscriber, size=min(sample, size)),
            )
            for number, attempt, size, first_subscriber, changed_at, reason, hold_until in rows
        )


def prove_taken(
    database: Database, broadcast_id: int, chunk: int, attempt: int, *, evidence: str, now: datetime
) -> bool:
    """Takes an unknown chunk as accepted, because of evidence; whether it was unknown since this attempt."""
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
    """Does with an unknown chunk what a person decided; whether it was unknown since this attempt.

    What is to be resent is ready again, and a broadcast that was done waits to be resumed. A broadcast that was
    stopped or cancelled hands nothing over any more: there the chunk is cancelled, and a later broadcast reaches its
    people.
    """
    with database.transaction() as connection:
        broadcast = find(connection, broadcast_id)
        if resolution is Resolution.ASSUME_SENT:
            return _settle(connection, broadcast_id, chunk, attempt, ChunkState.ACCEPTED, detail, now=now)
        if broadcast.state in _NEVER_AGAIN:
            return _settle(connection, broadcast_id, chunk, attempt, ChunkState.CANCELLED, detail, now=now)
        if not _settle(connection, broadcast_id, chunk, attempt, ChunkState.READY, detail, now=now):
            return False
        reopen(connection, broadcast, reason=_TO_RESEND, now=now)
        return True


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
    size = _SQL.find_unknown(connection, broadcast=broadcast_id, chunk=chunk, attempt=attempt)
    if size is None:
        return False
    if state is ChunkState.READY:
        set_state(OpenChunk(connection=connection, broadcast=broadcast_id, number=chunk, now=now), state, reason=reason)
    else:
        _SQL.settle(connection, broadcast=broadcast_id, chunk=chunk, state=state.value, reason=reason, now=text_of(now))
    detail = f"chunk {chunk}, {size} deliveries, unknown → {state}: {reason}"
    journal.write(connection, broadcast_id, Entry.RESOLVED, detail, now=now)
    return True


def _sample(
    connection: Connection, broadcast_id: int, chunk: int, first_subscriber: int, *, size: int
) -> tuple[str, ...]:
    rows = _SQL.sample(connection, broadcast=broadcast_id, chunk=chunk, first_subscriber=first_subscriber, size=size)
    return tuple(email for (email,) in rows)
