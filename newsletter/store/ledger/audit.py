"""List the deliveries of a broadcast, each with its recipient, result, time and reason."""

from collections.abc import Iterator

from newsletter.model.address import person_of
from newsletter.model.ledger import AuditedDelivery
from newsletter.store.database import Database
from newsletter.store.erasing import FIND_SUBSCRIBER
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.ledger.states import require_current
from newsletter.store.queries import query_all, query_one

_DELIVERIES = query_all("audit", "deliveries", AuditedDelivery)
_FIND_FORGOTTEN = query_one("audit", "find_forgotten", int)
_PAGE = 1000
_ANY = ""


def audited_deliveries(
    database: Database, broadcast_id: int, *, status: str | None = None
) -> Iterator[AuditedDelivery]:
    """Yield the deliveries in the order of the subscribers, either all or those with one status.

    They are read page by page, so the result of a running broadcast may change from one page to the next.
    """
    asked, after = {"broadcast": broadcast_id, "status": status or _ANY, "size": _PAGE}, 0
    while page := _DELIVERIES.ask(database, after=after, **asked):
        yield from page
        after = page[-1].subscriber


def find_delivery(
    database: Database, broadcast_id: int, email: str, *, key: bytes | None = None
) -> AuditedDelivery | None:
    """Return the delivery to an address, in any spelling. With the `key`, also find erased people.

    Return None if the broadcast has no delivery to this address. Raise InputError if there is no such broadcast, or if
    people were erased with a different key.
    """
    person = person_of(email)
    with database.read() as connection:
        require_current(connection, broadcast_id)
        subscriber = FIND_SUBSCRIBER(connection, person=person)
        if subscriber is None and key is not None:
            require_key(connection, key)
            subscriber = _FIND_FORGOTTEN(connection, digest=digest_of(person, key))
        if subscriber is None:
            return None
        page = _DELIVERIES(connection, broadcast=broadcast_id, after=subscriber - 1, status=_ANY, size=1)
    return next((delivery for delivery in page if delivery.subscriber == subscriber), None)
