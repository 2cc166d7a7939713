"""Find the delivery that an incoming report is about."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import orjson

from newsletter.model.address import person_of
from newsletter.store.database import Database
from newsletter.store.queries import query_all, query_one
from newsletter.system.moments import text_of


class ReportedDelivery(NamedTuple):
    """One delivery, and what verifies a report about it."""

    broadcast: int
    nonce: str
    subscriber: int
    token: str  # of the person; empty if they are no longer on the list
    chunk: int  # 0 if a report about this delivery proves nothing about the rest of its chunk
    attempt: int


_DELIVERY = query_one("reported", "delivery", ReportedDelivery)
_TOKEN = query_one("reported", "token", str)
_RECENT = query_all("reported", "recent", ReportedDelivery)


def reported_delivery(database: Database, broadcast: int, subscriber: int) -> ReportedDelivery | None:
    """Return the delivery of a broadcast to a subscriber, or None if there is none."""
    return _DELIVERY.ask(database, broadcast=broadcast, subscriber=subscriber)


def token_of(database: Database, subscriber: int) -> str | None:
    """Return the stored token of a person, or None if they are not on the list."""
    return _TOKEN.ask(database, subscriber=subscriber)


def recent_deliveries(
    database: Database, addresses: Iterable[str], *, since: datetime, until: datetime
) -> tuple[ReportedDelivery, ...]:
    """Return the deliveries to people with these addresses that may have been sent in this time, at most two."""
    persons = sorted({person_of(address) for address in addresses})
    return _RECENT.ask(database, persons=orjson.dumps(persons).decode(), since=text_of(since), until=text_of(until))
