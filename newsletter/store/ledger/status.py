"""The status of a broadcast's deliveries: the counts, and the individual deliveries."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import asdict

from newsletter.model.broadcast import ChunkState, DeliveryStatus, Tally, label_of
from newsletter.model.ledger import ChunkSummary, SettledCount, UnknownDelivery
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.resolve import UNKNOWN_CHUNKS
from newsletter.store.ledger.states import require_current
from newsletter.store.queries import query_all, query_value


class SizeRow(NamedTuple):
    """The number of deliveries in a state: a ChunkState, or a DeliveryStatus if they were settled individually."""

    state: str
    size: int


_SIZES = query_all("status", "sizes", SizeRow)
_COUNT_FROZEN = query_value("status", "count_frozen", int)
_SETTLEMENTS = query_all("status", "settlements", SettledCount)
_CHUNK_SUMMARIES = query_all("status", "chunk_summaries", ChunkSummary)
_EMAILS_OF_CHUNK = query_all("status", "emails_of_chunk", str)

_PARTS = ("accepted", "waiting", "inflight", "unknown", "deferred", "rejected", "cancelled", "invalid", "excluded")


def tally_of(database: Database, broadcast_id: int) -> Tally:
    """Return the number of deliveries in each state. Raise InputError if there is no such broadcast."""
    with database.read() as connection:
        require_current(connection, broadcast_id)
        return count(connection, broadcast_id)


def count(connection: Connection, broadcast_id: int) -> Tally:
    """Return the number of deliveries in each state, as the connection sees them. The broadcast must exist."""
    sizes = dict.fromkeys((*ChunkState, *DeliveryStatus), 0) | dict(_SIZES(connection, broadcast=broadcast_id))
    waiting = sizes.pop(ChunkState.READY)
    return Tally(frozen=_COUNT_FROZEN(connection, broadcast=broadcast_id), waiting=waiting, **sizes)


def in_words(tally: Tally) -> str:
    """Return the parts of a tally that are not zero as text, for example `40 accepted, 2 excluded`."""
    sizes = asdict(tally)
    return ", ".join(f"{sizes[part]} {label_of(part)}" for part in _PARTS if sizes[part])


def settled_counts(database: Database, broadcast_id: int) -> tuple[SettledCount, ...]:
    """Return the number of excluded and invalid deliveries for each reason, the most common first."""
    return _SETTLEMENTS.ask(database, broadcast=broadcast_id)


def unknown_deliveries(database: Database, broadcast_id: int) -> Iterator[UnknownDelivery]:
    """Yield all deliveries that the provider may or may not have accepted, read chunk by chunk."""
    for chunk in UNKNOWN_CHUNKS.ask(database, broadcast=broadcast_id):
        place = {"chunk": chunk.number, "first_subscriber": chunk.first_subscriber, "size": chunk.size}
        for email in _EMAILS_OF_CHUNK.ask(database, broadcast=broadcast_id, **place):
            yield UnknownDelivery(email=email, chunk=chunk.number, since=chunk.changed_at, reason=chunk.reason)


def chunk_summaries(database: Database, broadcast_id: int) -> tuple[ChunkSummary, ...]:
    """Return the number of chunks with each state and reason."""
    return _CHUNK_SUMMARIES.ask(database, broadcast=broadcast_id)
