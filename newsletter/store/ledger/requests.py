"""The requests to the provider: the chunks, the runners that send them, and the email that the provider holds."""

from collections.abc import Iterator
from typing import NamedTuple

from newsletter.model.broadcast import ChunkState
from newsletter.model.ledger import AuditedRequest, HeldMail, RequestGroup
from newsletter.store.database import Database
from newsletter.store.queries import query_all, query_one


class LastClaim(NamedTuple):
    """The last claim of a chunk, and the state that the chunk is in now."""

    state: ChunkState
    attempt: int
    runner: str
    reason: str
    size: int
    first_subscriber: int
    nonce: str  # of the broadcast


_REQUESTS = query_all("requests", "requests", AuditedRequest)
_REQUEST = query_one("requests", "request", AuditedRequest)
_GROUPS = query_all("requests", "groups", RequestGroup)
_RUNNERS = query_all("requests", "runners", str)
_FIND_CLAIM = query_one("requests", "find_claim", LastClaim)
_SUBSCRIBERS_OF_CHUNK = query_all("record", "subscribers_of_chunk", int)
_HELD = query_all("requests", "held", HeldMail)
_PAGE = 1000


def requests_of(database: Database, broadcast_id: int) -> Iterator[AuditedRequest]:
    """Yield the chunks that are not empty, in the order of their numbers. They are read page by page."""
    after = 0
    while page := _REQUESTS.ask(database, broadcast=broadcast_id, after=after, size=_PAGE):
        yield from page
        after = page[-1].number


def find_request(database: Database, broadcast_id: int, chunk: int) -> AuditedRequest | None:
    """Return the chunk with this number, or None if there is none."""
    return _REQUEST.ask(database, broadcast=broadcast_id, chunk=chunk)


def find_claim(database: Database, broadcast_id: int, chunk: int) -> tuple[LastClaim, tuple[int, ...]] | None:
    """Return the last claim of a chunk, and the subscribers in the chunk. Return None if there is no such chunk."""
    with database.read() as connection:
        claim = _FIND_CLAIM(connection, broadcast=broadcast_id, chunk=chunk)
        if claim is None:
            return None
        place = {"broadcast": broadcast_id, "chunk": chunk}
        first = {"first_subscriber": claim.first_subscriber, "size": claim.size}
        return claim, tuple(_SUBSCRIBERS_OF_CHUNK(connection, **place, **first))


def request_groups(database: Database, broadcast_id: int) -> tuple[RequestGroup, ...]:
    """Return the number of chunks that are not empty, by state."""
    return _GROUPS.ask(database, broadcast=broadcast_id)


def runners_of(database: Database, broadcast_id: int) -> tuple[str, ...]:
    """Return the runners of all inflight chunks, whether alive or not."""
    return _RUNNERS.ask(database, broadcast=broadcast_id)


def held_mail(database: Database, broadcast_id: int) -> tuple[HeldMail, ...]:
    """Return the email that the provider accepted for a later time, grouped by that time, even if it is in the past."""
    return _HELD.ask(database, broadcast=broadcast_id)
