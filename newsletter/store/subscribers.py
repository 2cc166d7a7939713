"""Find and list the people on the list, and what they were sent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import Subscriber, tags_in
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, FIELD_COLUMNS, ColumnType, SubscriberRecord
from newsletter.model.imports import PastConsent
from newsletter.model.ledger import PastDelivery
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of

_SQL = load_queries("subscribers")
_PAGE = 1000


def find_subscriber(database: Database, email: str) -> Subscriber | None:
    """Return the person with this address, however it is spelled; None where nobody has it."""
    with database.read() as connection:
        subscriber_id = _SQL.find_id(connection, person=person_of(email))
        return None if subscriber_id is None else load_subscribers(database, after=subscriber_id - 1, size=1)[0]


def export_subscribers(database: Database) -> Iterator[Subscriber]:
    """Yield everybody in the order of their ids, read a page at a time, so that no lock and little memory is held."""
    after = 0
    while page := load_subscribers(database, after=after, size=_PAGE):
        yield from page
        after = page[-1].id


def load_subscribers(database: Database, *, after: int, size: int) -> tuple[Subscriber, ...]:
    """Return at most `size` subscribers with ids greater than `after`, in order."""
    with database.read() as connection:
        return tuple(subscriber_of(row) for row in _SQL.page(connection, after=after, size=size))


def known_fields(database: Database) -> tuple[str, ...]:
    """Return the fields that a segment or a merge field can name: the columns, then the attributes."""
    return (*sorted(FIELD_COLUMNS), *attribute_names(database))


def attribute_names(database: Database) -> tuple[str, ...]:
    """Return the names of the attributes that imports brought."""
    with database.read() as connection:
        return tuple(name for (name,) in _SQL.attribute_names(connection))


def known_tags(database: Database) -> tuple[str, ...]:
    """Return the tags that somebody has or has had."""
    with database.read() as connection:
        return tuple(name for (name,) in _SQL.tag_names(connection))


def history(database: Database, subscriber_id: int) -> tuple[PastDelivery, ...]:
    """Return what became of each broadcast for one subscriber, the newest first."""
    with database.read() as connection:
        return tuple(
            PastDelivery(broadcast=broadcast, issue=issue, status=status, at=moment_of(changed_at), reason=reason)
            for broadcast, issue, status, changed_at, reason in _SQL.past_deliveries(
                connection, subscriber=subscriber_id
            )
        )


def past_consents(database: Database, subscriber_id: int) -> tuple[PastConsent, ...]:
    """Return what somebody had consented to before the consent that is on record now, the newest first."""
    with database.read() as connection:
        return tuple(
            PastConsent(
                replaced_at=moment_of(replaced_at),
                consented_at=moment_of(consented_at),
                source=source,
                wording=wording,
                confirmed_at=_moment_in(confirmed_at),
            )
            for replaced_at, consented_at, source, wording, confirmed_at in _SQL.past_consents(
                connection, subscriber=subscriber_id
            )
        )


def subscriber_of(row: Sequence[str]) -> Subscriber:
    """Return the person of a row that has the columns of the query `page`, in its order."""
    subscriber_id, token, updated_at, *cells = row
    values = {name: read(cell) for name, read, cell in zip(COLUMN_NAMES, _READERS, cells, strict=True)}
    record = SubscriberRecord(**values)
    return Subscriber(
        id=int(subscriber_id),
        record=record,
        token=token,
        joined_at=values["joined_at"],
        updated_at=moment_of(updated_at),
    )


def _moment_in(cell: str) -> datetime | None:
    return moment_of(cell) if cell else None


# How the text of a column becomes a value of `SubscriberRecord`; a test holds the two against each other.
_READ: Mapping[ColumnType, Callable[[str], Any]] = {
    ColumnType.MOMENT: _moment_in,
    ColumnType.TAGS: tags_in,
    ColumnType.ATTRIBUTES: orjson.loads,
}
_READERS = tuple(_READ.get(column.type, str) for column in COLUMNS)
