"""What was asked of the provider: the chunks one by one, who hands them over, what is held."""

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
    """Yield the chunks that hold somebody, by number; they are read page by page."""
    after = 0
    while page := _REQUESTS.ask(database, broadcast=broadcast_id, after=after, size=_PAGE):
        yield from page
        after = page[-1].number


def find_request(database: Database, broadcast_id: int, chunk: int) -> AuditedRequest | None:
    """Return one chunk, or None where there is none of this number."""
    return _REQUEST.ask(database, broadcast=broadcast_id, chunk=chunk)


def request_groups(database: Database, broadcast_id: int) -> tuple[RequestGroup, ...]:
    """Return the chunks that hold somebody, counted by state."""
    return _GROUPS.ask(database, broadcast=broadcast_id)


def runners_of(database: Database, broadcast_id: int) -> tuple[str, ...]:
    """Return the runners of the chunks that are inflight, alive or not."""
    return _RUNNERS.ask(database, broadcast=broadcast_id)


def held_mail(database: Database, broadcast_id: int) -> tuple[HeldMail, ...]:
    """Return what the provider took ahead of its time, by the moment it was to be held until, past moments too."""
    return _HELD.ask(database, broadcast=broadcast_id)
