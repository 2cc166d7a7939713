"""Every delivery of a broadcast with all that is known of it: who, what became of it, when and why."""

from collections.abc import Iterator

from newsletter.model.address import person_of
from newsletter.model.ledger import AuditedDelivery
from newsletter.store.database import Connection, Database
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.ledger.states import find
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of

_SQL = load_queries("audit")
_PAGE = 1000
_ANY = ""


def audited_deliveries(
    database: Database, broadcast_id: int, *, status: str | None = None
) -> Iterator[AuditedDelivery]:
    """The deliveries in the order of the subscribers, all or those of one status; a page at a time.

    A page is read when it is asked for, so a broadcast under way is seen as it stands then.
    """
    after = 0
    while True:
        with database.read() as connection:
            page = _page(connection, broadcast_id, after=after, status=status or _ANY, size=_PAGE)
        if not page:
            return
        yield from page
        after = page[-1].subscriber


def find_delivery(
    database: Database, broadcast_id: int, email: str, *, key: bytes | None = None
) -> AuditedDelivery | None:
    """The delivery to an address, however it is spelt; with the `key`, also of somebody who was forgotten since.

    None where the broadcast was not meant for them; raises InputError where there is no such broadcast, or where people
    were forgotten with another key.
    """
    person = person_of(email)
    with database.read() as connection:
        find(connection, broadcast_id)
        subscriber = _SQL.find_subscriber(connection, person=person)
        if subscriber is None and key is not None:
            require_key(connection, key)
            subscriber = _SQL.find_forgotten(connection, digest=digest_of(person, key))
        if subscriber is None:
            return None
        page = _page(connection, broadcast_id, after=subscriber - 1, status=_ANY, size=1)
    return next((delivery for delivery in page if delivery.subscriber == subscriber), None)


def _page(
    connection: Connection, broadcast_id: int, *, after: int, status: str, size: int
) -> tuple[AuditedDelivery, ...]:
    rows = _SQL.deliveries(connection, broadcast=broadcast_id, after=after, status=status, size=size)
    return tuple(
        AuditedDelivery(
            subscriber=subscriber,
            email=email,
            status=state,
            reason=reason,
            at=moment_of(changed_at),
            chunk=chunk,
            attempt=attempt,
            message_id=message_id,
            due_at=moment_of(due_at) if due_at else None,
            zone=zone,
        )
        for subscriber, email, state, reason, changed_at, chunk, attempt, message_id, due_at, zone in rows
    )
