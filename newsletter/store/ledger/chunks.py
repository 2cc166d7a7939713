"""Change one chunk inside a transaction: its state, and the deliveries in it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.broadcast import ChunkState, DeliveryStatus
from newsletter.store.database import Connection
from newsletter.store.queries import change, query_all, query_value
from newsletter.system.moments import text_of

_SET_STATE = change("chunks", "set_state")
_MAKE_READY = change("chunks", "make_ready")
_ADD_TO_SETTLEMENT = query_value("chunks", "add_to_settlement", int)
_SETTLE_DELIVERIES = change("chunks", "settle_deliveries")
_MOVE_DELIVERIES = change("chunks", "move_deliveries")
_SHRINK_CHUNK = change("chunks", "shrink_chunk")
_NEXT_NUMBER = query_value("chunks", "next_number", int)
_ADD_CHUNK_LIKE = change("chunks", "add_chunk_like")
_SUBSCRIBERS_OF_CHUNK = query_all("record", "subscribers_of_chunk", int)
_EMPTY = "no one is left in this batch"


class OpenChunk(Struct, frozen=True, kw_only=True):
    """A chunk that a transaction is changing."""

    connection: Connection
    broadcast: int
    number: int
    now: datetime


def set_state(chunk: OpenChunk, state: ChunkState, *, reason: str, message_id: str = "") -> None:
    """Save a new state for the deliveries that are still in the chunk."""
    place = {"broadcast": chunk.broadcast, "chunk": chunk.number, "reason": reason, "now": text_of(chunk.now)}
    if state is ChunkState.READY:
        _MAKE_READY(chunk.connection, **place)
    else:
        _SET_STATE(chunk.connection, **place, state=state.value, message_id=message_id)


def close_empty(chunk: OpenChunk) -> None:
    """Close a chunk that has no deliveries left."""
    set_state(chunk, ChunkState.REJECTED, reason=_EMPTY)


def settle(chunk: OpenChunk, status: DeliveryStatus, reasons: Mapping[int, str]) -> None:
    """Take deliveries (subscriber → reason) out of the chunk for good. All of them must be in it."""
    by_reason = defaultdict(list)
    for subscriber, reason in reasons.items():
        by_reason[reason].append(subscriber)
    for reason, subscribers in by_reason.items():
        number = _ADD_TO_SETTLEMENT(
            chunk.connection,
            broadcast=chunk.broadcast,
            status=status.value,
            reason=reason,
            size=len(subscribers),
            now=text_of(chunk.now),
        )
        _SETTLE_DELIVERIES.for_each(
            chunk.connection,
            [{"broadcast": chunk.broadcast, "subscriber": each, "settlement": number} for each in subscribers],
        )
    _shrink(chunk, len(reasons))


def split_off(
    chunk: OpenChunk, subscribers: Collection[int], state: ChunkState, *, reason: str = "", message_id: str = ""
) -> int:
    """Move deliveries into a new chunk that is otherwise like this one. Return its number.

    There must be at least one, and all of them must be in this chunk.
    """
    number = _NEXT_NUMBER(chunk.connection, broadcast=chunk.broadcast)
    _ADD_CHUNK_LIKE(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        number=number,
        size=len(subscribers),
        first_subscriber=min(subscribers),
    )
    set_state(replace(chunk, number=number), state, reason=reason, message_id=message_id)
    _MOVE_DELIVERIES.for_each(
        chunk.connection, [{"broadcast": chunk.broadcast, "subscriber": each, "into": number} for each in subscribers]
    )
    _shrink(chunk, len(subscribers))
    return number


def subscribers_of(chunk: OpenChunk, *, first_subscriber: int, size: int) -> list[int]:
    """Return the subscribers in a chunk of this size, in order."""
    place = {"broadcast": chunk.broadcast, "chunk": chunk.number}
    return _SUBSCRIBERS_OF_CHUNK(chunk.connection, **place, first_subscriber=first_subscriber, size=size)


def _shrink(chunk: OpenChunk, by: int) -> None:
    _SHRINK_CHUNK(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number, by=by)
