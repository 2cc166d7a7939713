"""The requests to the provider: the chunks, the runners that send them, and the email that the provider holds."""

from collections.abc import Iterator

from newsletter.model.ledger import AuditedRequest, HeldMail, RequestGroup
from newsletter.store.database import Database
from newsletter.store.queries import query_all, query_one

_REQUESTS = query_all("requests", "requests", AuditedRequest)
_REQUEST = query_one("requests", "request", AuditedRequest)
_GROUPS = query_all("requests", "groups", RequestGroup)
_RUNNERS = query_all("requests", "runners", str)
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


def request_groups(database: Database, broadcast_id: int) -> tuple[RequestGroup, ...]:
    """Return the number of chunks that are not empty, by state."""
    return _GROUPS.ask(database, broadcast=broadcast_id)


def runners_of(database: Database, broadcast_id: int) -> tuple[str, ...]:
    """Return the runners of all inflight chunks, whether alive or not."""
    return _RUNNERS.ask(database, broadcast=broadcast_id)


def held_mail(database: Database, broadcast_id: int) -> tuple[HeldMail, ...]:
    """Return the email that the provider accepted for a later time, grouped by that time, even if it is in the past."""
    return _HELD.ask(database, broadcast=broadcast_id)
