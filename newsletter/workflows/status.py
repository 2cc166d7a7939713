"""How broadcasts stand: the identity of their parts, who was left out and why, and what is uncertain."""

from dataclasses import dataclass
from itertools import islice

from newsletter.model.broadcast import Broadcast, Tally
from newsletter.model.ledger import ChunkSummary, SettledCount, UnknownDelivery
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import find_broadcast, list_broadcasts
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of, unknown_deliveries

SHOWN_UNKNOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastStatus:
    """One broadcast: its tally and what stands behind the numbers."""

    broadcast: Broadcast
    tally: Tally
    settled: tuple[SettledCount, ...]
    chunks: tuple[ChunkSummary, ...]
    unknown: tuple[UnknownDelivery, ...]  # the first few, or all where all were asked for


def list_statuses(database: Database) -> tuple[BroadcastStatus, ...]:
    """Every broadcast, the newest first."""
    return tuple(_status(database, broadcast) for broadcast in list_broadcasts(database))


def show_status(database: Database, broadcast_id: int, *, every_unknown: bool = False) -> BroadcastStatus:
    """One broadcast; with the first few of its unknown deliveries, or all of them.

    Raises InputError where there is none of this number.
    """
    limit = None if every_unknown else SHOWN_UNKNOWN
    return _status(database, find_broadcast(database, broadcast_id), limit)


def _status(database: Database, broadcast: Broadcast, unknown_limit: int | None = SHOWN_UNKNOWN) -> BroadcastStatus:
    return BroadcastStatus(
        broadcast=broadcast,
        tally=tally_of(database, broadcast.id),
        settled=settled_counts(database, broadcast.id),
        chunks=chunk_summaries(database, broadcast.id),
        unknown=tuple(islice(unknown_deliveries(database, broadcast.id), unknown_limit)),
    )
