"""The people on the list: finding and listing them, and what they were sent."""

from collections.abc import Iterator

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import Subscriber, SubscriberRecord, tags_in
from newsletter.model.imports import PastConsent
from newsletter.model.ledger import PastDelivery
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import TEXT_COLUMNS
from newsletter.system.moments import moment_of

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
        return tuple(subscriber_of(row) for row in _SQL.page(connection, after=after, size=size))


def known_fields(database: Database) -> tuple[str, ...]:
    """The fields that a segment or a merge field can name: the columns, then the attributes that imports brought."""
    with database.read() as connection:
        return (*sorted(TEXT_COLUMNS), *(name for (name,) in _SQL.attribute_names(connection)))


def known_tags(database: Database) -> tuple[str, ...]:
    """The tags that somebody has or has had."""
    with database.read() as connection:
        return tuple(name for (name,) in _SQL.tag_names(connection))


def history(database: Database, subscriber_id: int) -> tuple[PastDelivery, ...]:
    """What became of each broadcast for one subscriber, the newest first."""
    with database.read() as connection:
        return tuple(
            PastDelivery(broadcast=broadcast, issue=issue, status=status, at=moment_of(changed_at), reason=reason)
            for broadcast, issue, status, changed_at, reason in _SQL.past_deliveries(
                connection, subscriber=subscriber_id
            )
        )


def past_consents(database: Database, subscriber_id: int) -> tuple[PastConsent, ...]:
    """What somebody had consented to before the consent that is on record now, the newest first."""
    with database.read() as connection:
        return tuple(
            PastConsent(
                replaced_at=moment_of(replaced_at),
                consented_at=moment_of(consented_at),
                source=source,
                wording=wording,
                confirmed_at=moment_of(confirmed_at) if confirmed_at else None,
            )
            for replaced_at, consented_at, source, wording, confirmed_at in _SQL.past_consents(
                connection, subscriber=subscriber_id
            )
        )


def subscriber_of(row: tuple[str, ...]) -> Subscriber:
    """The person of a row that has the columns of the query `page`, in its order."""
    (
        subscriber_id,
        email,
        first_name,
        last_name,
        language,
        timezone,
        tags,
        joined_at,
        consented_at,
        consent_source,
        consent_wording,
        consent_confirmed_at,
        consent_basis,
        attributes,
        token,
        updated_at,
    ) = row
    record = SubscriberRecord(
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        timezone=timezone,
        tags=tags_in(tags),
        joined_at=moment_of(joined_at),
        consented_at=moment_of(consented_at) if consented_at else None,
        consent_source=consent_source,
        consent_wording=consent_wording,
        consent_confirmed_at=moment_of(consent_confirmed_at) if consent_confirmed_at else None,
        consent_basis=consent_basis,
        attributes=orjson.loads(attributes),
    )
    return Subscriber(
        id=int(subscriber_id),
        record=record,
        token=token,
        joined_at=moment_of(joined_at),
        updated_at=moment_of(updated_at),
    )
