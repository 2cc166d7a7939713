"""Where the deliveries of a broadcast stand: counted, and one by one."""

from collections.abc import Iterator

from newsletter.model.broadcast import ChunkState, DeliveryStatus, Tally
from newsletter.model.ledger import ChunkSummary, SettledCount, UnknownDelivery
from newsletter.store.database import Database
from newsletter.store.ledger.states import find
from newsletter.store.ledger.tally import count
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of

_SQL = load_queries("status")
_PAGE = 1000


def tally_of(database: Database, broadcast_id: int) -> Tally:
    """How many deliveries stand where; raises InputError where there is no such broadcast."""
    with database.read() as connection:
        find(connection, broadcast_id)
        return count(connection, broadcast_id)


def settled_counts(database: Database, broadcast_id: int) -> tuple[SettledCount, ...]:
    """How many deliveries were excluded or invalid, by reason, the most frequent first."""
    with database.read() as connection:
        return tuple(
            SettledCount(status=DeliveryStatus(status), reason=reason, deliveries=size)
            for status, reason, size in _SQL.settlements(connection, broadcast=broadcast_id)
        )


def unknown_deliveries(database: Database, broadcast_id: int) -> Iterator[UnknownDelivery]:
    """Everybody whose message may or may not have been taken; a chunk at a time."""
    with database.read() as connection:
        chunks = list(_SQL.unknown_chunks(connection, broadcast=broadcast_id))
    for number, size, first_subscriber, changed_at, reason in chunks:
        with database.read() as connection:
            emails = list(
                _SQL.emails_of_chunk(
                    connection, broadcast=broadcast_id, chunk=number, first_subscriber=first_subscriber, size=size
                )
            )
        for (email,) in emails:
            yield UnknownDelivery(email=email, chunk=number, since=moment_of(changed_at), reason=reason)


def chunk_summaries(database: Database, broadcast_id: int) -> tuple[ChunkSummary, ...]:
    """The chunks by state and reason."""
    with database.read() as connection:
        return tuple(
            ChunkSummary(state=ChunkState(state), reason=reason, chunks=count, deliveries=size)
            for state, reason, count, size in _SQL.chunk_summaries(connection, broadcast=broadcast_id)
        )
