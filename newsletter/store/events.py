"""Events: what came back about messages that were accepted. A repeated report is stored once.

The `reaction` table also stores who opened or clicked a broadcast, and when they last did so. Segments query this
table.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import orjson

from newsletter.model.event import NO_BROADCAST, BroadcastKey, CountedEvent, Event, EventType, Evidence
from newsletter.store.database import Connection, Database, Row
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


class EvidenceRow(NamedTuple):
    """A type of event that was reported for one attempt to send an unknown chunk."""

    chunk: int
    attempt: int
    type: EventType


class UnknownAttempt(NamedTuple):
    """An attempt to send a chunk that the provider may or may not have accepted."""

    broadcast: int
    chunk: int
    attempt: int


class ListedPerson(NamedTuple):
    """A person on the list."""

    id: int
    email: str


_CREATE_ARRIVED = change("events", "create_arrived")
_ADD = change("events", "add")
_REACT = change("events", "react")
_DROP_ARRIVED = change("events", "drop_arrived")
_EVIDENCE = query_all("events", "evidence", EvidenceRow)
_ADD_TOTAL = change("events", "add_total")
_OWN = query_all("events", "own", BroadcastKey)
_UNKNOWN = query_all("events", "unknown", UnknownAttempt)
_ADDRESSES = query_all("events", "addresses", ListedPerson)


def own_events(database: Database, events: Sequence[Event]) -> list[Event]:
    """Return the events about broadcasts of this database, and those about no broadcast that is known.

    Another database may have broadcasts with the same numbers. They have other nonces.
    """
    named = {event.broadcast for event in events}
    own = {NO_BROADCAST, *_OWN.ask(database, broadcasts=_json(named))}
    return [event for event in events if (event.broadcast, event.nonce) in own]


def add_events(database: Database, events: Iterable[Event]) -> int:
    """Save events that `own_events` returned, in one transaction. Return the number of new events."""
    rows = [_row(event) for event in events]
    if not rows:
        return 0
    with database.transaction() as connection:
        _CREATE_ARRIVED(connection)
        connection.load("arrived", rows)
        added = _ADD(connection)
        _REACT(connection)
        _DROP_ARRIVED(connection)
        return added


def add_totals(connection: Connection, totals: Mapping[CountedEvent, int]) -> None:
    """Count events about broadcasts of this database that are not saved for each person, in an open transaction."""
    if not totals:
        return
    own = set(_OWN(connection, broadcasts=_json({counted.mailed.broadcast for counted in totals})))
    rows = [
        {
            "broadcast": counted.mailed.broadcast,
            "type": counted.type.value,
            "url": _without_nul(counted.url),
            "verdict": counted.verdict,
            "events": number,
        }
        for counted, number in sorted(totals.items())
        if counted.mailed in own
    ]
    _ADD_TOTAL.for_each(connection, rows)


def addresses_of(database: Database, subscribers: Collection[int]) -> dict[int, str]:
    """Return the address of each of these people who is on the list."""
    return dict(_ADDRESSES.ask(database, subscribers=_json(subscribers)))


def unknown_attempts(database: Database, broadcasts: Collection[int]) -> frozenset[tuple[int, int, int]]:
    """Return the broadcast, chunk and attempt of each unknown chunk of these broadcasts."""
    return frozenset(_UNKNOWN.ask(database, broadcasts=_json(broadcasts)))


def _json(numbers: Iterable[int]) -> str:
    return orjson.dumps(sorted(numbers)).decode()


def _row(event: Event) -> Row:
    return (
        text_of(event.at),
        event.digest,
        event.type.value,
        event.broadcast,
        event.chunk,
        event.attempt,
        event.subscriber,
        _without_nul(event.detail),
        _without_nul(event.url),
        event.url_offset,
        event.cause,
        event.verdict,
    )


def _without_nul(text: str) -> str:
    """Replace the one character that PostgreSQL cannot store, so that both engines keep the same event."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def evidence_of(database: Database, broadcast_id: int) -> tuple[Evidence, ...]:
    """Return the evidence about unknown chunks. An event of any type proves that the provider accepted the request."""
    rows = _EVIDENCE.ask(database, broadcast=broadcast_id)
    return tuple(
        Evidence(chunk, attempt, f"the provider reported: {', '.join(row.type for row in group)}")
        for (chunk, attempt), group in groupby(rows, key=lambda row: (row.chunk, row.attempt))
    )
