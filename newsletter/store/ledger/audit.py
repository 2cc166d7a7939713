"""Every delivery of a broadcast with all that is known of it: who, what became of it, when and why."""

from collections.abc import Iterator

from newsletter.model.address import person_of
from newsletter.model.ledger import AuditedDelivery
from newsletter.store.database import Database
from newsletter.store.forgotten import FIND_SUBSCRIBER, digest_of, require_key
from newsletter.store.ledger.states import require_current
from newsletter.store.queries import query_all, query_one

_DELIVERIES = query_all("audit", "deliveries", AuditedDelivery)
_FIND_FORGOTTEN = query_one("audit", "find_forgotten", int)
_PAGE = 1000
_ANY = ""


def audited_deliveries(
    database: Database, broadcast_id: int, *, status: str | None = None
) -> Iterator[AuditedDelivery]:
    """Yield the deliveries in the order of the subscribers, all or those of one status.

    They are read page by page, so a broadcast under way is seen as it stands then.
    """
    asked, after = {"broadcast": broadcast_id, "status": status or _ANY, "size": _PAGE}, 0
    while page := _DELIVERIES.ask(database, after=after, **asked):
        yield from page
        after = page[-1].subscriber


def find_delivery(
    database: Database, broadcast_id: int, email: str, *, key: bytes | None = None
) -> AuditedDelivery | None:
    """Return the delivery to an address, however it is spelled; with the `key`, also of somebody forgotten since.

    Return None where the broadcast was not meant for them. Raise InputError where there is no such broadcast, or where
    people were forgotten with another key.
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
