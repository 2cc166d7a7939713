"""Counts where the deliveries of a broadcast stand."""

from newsletter.model.broadcast import ChunkState, DeliveryStatus, Tally
from newsletter.store.database import Connection
from newsletter.store.queries import load_queries

_SQL = load_queries("status")


def count(connection: Connection, broadcast_id: int) -> Tally:
    """How many deliveries stand where, as the connection sees it; the broadcast must exist."""
    frozen = _SQL.count_frozen(connection, broadcast=broadcast_id)
    sizes: dict[str, int] = {state: int(size) for state, size in _SQL.sizes(connection, broadcast=broadcast_id)}
    return Tally(
        frozen=frozen,
        waiting=sizes.get(ChunkState.READY, 0),
        inflight=sizes.get(ChunkState.INFLIGHT, 0),
        accepted=sizes.get(ChunkState.ACCEPTED, 0),
        rejected=sizes.get(ChunkState.REJECTED, 0),
        unknown=sizes.get(ChunkState.UNKNOWN, 0),
        invalid=sizes.get(DeliveryStatus.INVALID, 0),
        excluded=sizes.get(DeliveryStatus.EXCLUDED, 0),
        cancelled=sizes.get(ChunkState.CANCELLED, 0),
    )


def in_words(tally: Tally) -> str:
    """The parts that somebody is in, for people: `40 accepted, 2 excluded`."""
    parts = {
        "accepted": tally.accepted,
        "waiting": tally.waiting,
        "inflight": tally.inflight,
        "unknown": tally.unknown,
        "rejected": tally.rejected,
        "cancelled": tally.cancelled,
        "invalid": tally.invalid,
        "excluded": tally.excluded,
    }
    return ", ".join(f"{size} {part}" for part, size in parts.items() if size)
