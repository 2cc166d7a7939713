"""Read what was reported about one person's mail."""

from newsletter.model.address import person_of
from newsletter.model.event import EventType
from newsletter.model.person import PastEvent, PastSoftBounce
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of

_SQL = load_queries("person")


def events_of(database: Database, subscriber_id: int) -> tuple[PastEvent, ...]:
    """Return what providers reported about the mail to one subscriber, the newest first."""
    with database.read() as connection:
        return tuple(
            PastEvent(at=moment_of(at), type=EventType(type_), broadcast=broadcast, issue=issue, detail=detail)
            for at, type_, broadcast, issue, detail in _SQL.events(connection, subscriber=subscriber_id)
        )


def soft_bounces_of(database: Database, email: str) -> tuple[PastSoftBounce, ...]:
    """Return when mail to an address could not be taken for a while, the newest first."""
    with database.read() as connection:
        return tuple(
            PastSoftBounce(at=moment_of(at), detail=detail)
            for at, detail in _SQL.soft_bounces(connection, person=person_of(email))
        )


def count_subscribers(database: Database) -> int:
    """Return how many people are on the list."""
    with database.read() as connection:
        count: int = _SQL.count_subscribers(connection)
    return count
