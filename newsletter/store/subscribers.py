"""Find and list subscribers, their past deliveries, and the events reported about their email."""

import re
from collections.abc import Iterator, Mapping

import orjson
from msgspec import Struct

from newsletter.model.address import person_of
from newsletter.model.audience import Subscriber, tags_in
from newsletter.model.columns import FIELD_COLUMNS
from newsletter.model.imports import PastConsent
from newsletter.model.ledger import PastDelivery
from newsletter.model.person import PastEvent, PastSoftBounce
from newsletter.store.database import Connection, Database
from newsletter.store.queries import Reads, query_all, query_one, query_value


class SubscriberName(Struct, frozen=True, kw_only=True):
    """A subscriber's address and name, as a search finds them."""

    email: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """The full name, such as `Ana Lima`. It is empty if the list does not contain it."""
        return " ".join(filter(None, (self.first_name, self.last_name)))


# The functions that read the columns of a subscriber that contain several strings, by the type of the field.
SUBSCRIBER_READS: Reads = {tuple[str, ...]: tags_in, Mapping[str, str]: orjson.loads}

_FIND_ID = query_one("subscribers", "find_id", int)
_SUBSCRIBERS = query_all("subscribers", "page", Subscriber, SUBSCRIBER_READS)
_BY_ID = query_one("subscribers", "by_id", Subscriber, SUBSCRIBER_READS)
_SEARCH = query_all("subscribers", "search", SubscriberName)
_COUNT = query_value("subscribers", "count", int)
_ATTRIBUTE_NAMES = query_all("subscribers", "attribute_names", str)
_TAG_NAMES = query_all("subscribers", "tag_names", str)
_PAST_DELIVERIES = query_all("subscribers", "past_deliveries", PastDelivery)
_PAST_CONSENTS = query_all("subscribers", "past_consents", PastConsent)
_EVENTS = query_all("subscribers", "events", PastEvent)
_SOFT_BOUNCES = query_all("subscribers", "soft_bounces", PastSoftBounce)
_PAGE = 1000


def find_subscriber(database: Database, email: str) -> Subscriber | None:
    """Return the subscriber with this address in any spelling, or None if no one has it."""
    with database.read() as connection:
        subscriber_id = _FIND_ID(connection, person=person_of(email))
        return None if subscriber_id is None else load_subscribers(database, after=subscriber_id - 1, size=1)[0]


def subscriber_with_id(connection: Connection, subscriber_id: int) -> Subscriber | None:
    """Return the subscriber with this id, or None if no one has it anymore."""
    return _BY_ID(connection, subscriber=subscriber_id)


def search_subscribers(database: Database, text: str, *, size: int) -> tuple[SubscriberName, ...]:
    """Return the first subscribers whose address or full name contains the text, in upper or lower case."""
    pattern = "%" + re.sub(r"[%_!]", r"!\g<0>", text) + "%"
    return _SEARCH.ask(database, pattern=pattern, size=size)


def export_subscribers(database: Database) -> Iterator[Subscriber]:
    """Yield all subscribers in the order of their ids. They are read page by page, without holding a lock."""
    after = 0
    while page := load_subscribers(database, after=after, size=_PAGE):
        yield from page
        after = page[-1].id


def load_subscribers(database: Database, *, after: int, size: int) -> tuple[Subscriber, ...]:
    """Return at most `size` subscribers with ids greater than `after`, in order."""
    return _SUBSCRIBERS.ask(database, after=after, size=size)


def count_subscribers(database: Database) -> int:
    """Return the number of people on the list."""
    return _COUNT.ask(database)


def known_fields(database: Database) -> tuple[str, ...]:
    """Return the fields that a segment or a merge field can name: the columns, then the attributes."""
    return (*sorted(FIELD_COLUMNS), *attribute_names(database))


def attribute_names(database: Database) -> tuple[str, ...]:
    """Return the names of all attributes that imports added."""
    return _ATTRIBUTE_NAMES.ask(database)


def known_tags(database: Database) -> tuple[str, ...]:
    """Return all tags that any subscriber has or once had."""
    return _TAG_NAMES.ask(database)


def history(database: Database, subscriber_id: int) -> tuple[PastDelivery, ...]:
    """Return the result of each broadcast for one subscriber, newest first."""
    return _PAST_DELIVERIES.ask(database, subscriber=subscriber_id)


def past_consents(database: Database, subscriber_id: int) -> tuple[PastConsent, ...]:
    """Return a subscriber's earlier records of consent, which newer consent has replaced, newest first."""
    return _PAST_CONSENTS.ask(database, subscriber=subscriber_id)


def events_of(database: Database, subscriber_id: int) -> tuple[PastEvent, ...]:
    """Return the events that providers reported about email to one subscriber, newest first."""
    return _EVENTS.ask(database, subscriber=subscriber_id)


def soft_bounces_of(database: Database, email: str) -> tuple[PastSoftBounce, ...]:
    """Return the soft bounces of an address, newest first."""
    return _SOFT_BOUNCES.ask(database, person=person_of(email))
