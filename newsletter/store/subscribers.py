"""The people on the list: finding, listing and removing them, and what they were sent."""

from collections.abc import Iterator
from hashlib import blake2b

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import Subscriber, SubscriberRecord
from newsletter.model.ledger import PastDelivery
from newsletter.store.database import Database
from newsletter.store.moments import moment_of
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import TEXT_COLUMNS

_SQL = load_queries("subscribers")
_PAGE = 1000


def find_subscriber(database: Database, email: str) -> Subscriber | None:
    """The person with this address, however it is spelt; None where nobody has it."""
    with database.read() as connection:
        subscriber_id = _SQL.find_id(connection, person=person_of(email))
        return None if subscriber_id is None else load_subscribers(database, after=subscriber_id - 1, size=1)[0]


def export_subscribers(database: Database) -> Iterator[Subscriber]:
    """Everybody, in the order of their ids; a page at a time, so that no lock and little memory is held."""
    after = 0
    while page := load_subscribers(database, after=after, size=_PAGE):
        yield from page
        after = page[-1].id


def load_subscribers(database: Database, *, after: int, size: int) -> tuple[Subscriber, ...]:
    """At most `size` subscribers with ids greater than `after`, in order."""
    with database.read() as connection:
        rows = list(_SQL.page(connection, after=after, size=size))
        if not rows:
            return ()
        tags: dict[int, list[str]] = {}
        for subscriber_id, tag in _SQL.tags_between(connection, first=rows[0][0], last=rows[-1][0]):
            tags.setdefault(subscriber_id, []).append(tag)
    return tuple(_subscriber(row, tuple(tags.get(row[0], ()))) for row in rows)


def known_fields(database: Database) -> tuple[str, ...]:
    """The fields that a segment or a merge field can name: the columns, then the attributes that imports brought."""
    with database.read() as connection:
        return (*sorted(TEXT_COLUMNS), *(name for (name,) in _SQL.attribute_names(connection)))


def remove_subscriber(database: Database, email: str) -> bool:
    """Takes a person off the list; whether there was one.

    Nothing of them is kept but a digest of the address with their id: should they return, what the ledger knows
    under that id still holds, and no issue reaches them twice. Suppressions stay.
    """
    person = person_of(email)
    with database.transaction() as connection:
        subscriber_id = _SQL.find_id(connection, person=person)
        if subscriber_id is None:
            return False
        _SQL.remember_id(connection, digest=digest_of(person), subscriber=subscriber_id)
        _SQL.remove_tags(connection, subscriber=subscriber_id)
        _SQL.remove(connection, subscriber=subscriber_id)
    return True


def history(database: Database, subscriber_id: int) -> tuple[PastDelivery, ...]:
    """What became of each broadcast for one subscriber, the newest first."""
    with database.read() as connection:
        return tuple(
            PastDelivery(broadcast=broadcast, issue=issue, status=status, at=moment_of(changed_at), reason=reason)
            for broadcast, issue, status, changed_at, reason in _SQL.past_deliveries(
                connection, subscriber=subscriber_id
            )
        )


def digest_of(person: str) -> bytes:
    """What is kept of a person who was removed."""
    return blake2b(person.encode(), digest_size=16).digest()


def _subscriber(row: tuple[str, ...], tags: tuple[str, ...]) -> Subscriber:
    (
        subscriber_id,
        email,
        first_name,
        last_name,
        language,
        timezone,
        consented_at,
        consent_source,
        attributes,
        token,
        created_at,
        updated_at,
    ) = row
    record = SubscriberRecord(
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        timezone=timezone,
        tags=tags,
        consented_at=moment_of(consented_at) if consented_at else None,
        consent_source=consent_source,
        attributes=orjson.loads(attributes),
    )
    return Subscriber(
        id=int(subscriber_id),
        record=record,
        token=token,
        created_at=moment_of(created_at),
        updated_at=moment_of(updated_at),
    )
