"""Events: what came back about messages that were accepted. A repeated report is stored once.

Who opened or clicked a broadcast is judged from the events a few minutes later, see `newsletter.store.reactions`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
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


class TrackedPerson(NamedTuple):
    """A person on the list, and since when they have agreed to tracking."""

    id: int
    since: str  # empty if they have not


class UnknownAttempt(NamedTuple):
    """An attempt to send a chunk that the provider may or may not have accepted."""

    broadcast: int
    chunk: int
    attempt: int


class ListedPerson(NamedTuple):
    """A person on the list."""

    id: int
    email: str


_OPENED, _CLICKED = REACTIONS = (EventType.OPENED, EventType.CLICKED)
_DELIVERED = EventType.DELIVERED
_KEY = itemgetter(0, 1)
MINUTE_LETTERS = len("2026-02-19T16:00")  # of the time of an event
_ADD_MINUTE = change("events", "add_minute")
_TRACKED = query_all("events", "tracked", TrackedPerson)
_EVIDENCE = query_all("events", "evidence", EvidenceRow)
_ADD_TOTAL = change("events", "add_total")
_ADD_VERSION_TOTAL = change("events", "add_version_total")
_OWN = query_all("events", "own", BroadcastKey)
_UNKNOWN = query_all("events", "unknown", UnknownAttempt)
_DOUBTED = query_all("events", "doubted", int)
_ADDRESSES = query_all("events", "addresses", ListedPerson)


def own_events(database: Database, events: Sequence[Event]) -> list[Event]:
    """Return the events about broadcasts of this database, and those about no broadcast that is known.

    Another database may have broadcasts with the same numbers. They have other nonces.
    """
    named = {(event.broadcast, event.nonce) for event in events}
    own = {NO_BROADCAST, *_OWN.ask(database, broadcasts=_json({number for number, _ in named}))}
    return list(events) if named <= own else [event for event in events if (event.broadcast, event.nonce) in own]


def add_events(database: Database, events: Iterable[Event]) -> int:
    """Save events that `own_events` returned, in one transaction. Return the number of new events.

    Opens and clicks are saved only of people who had agreed to tracking by then. Those of others are counted. Texts are
    kept only of people who are on the list, because servers repeat addresses, and links are personal.
    """
    given = list(events)
    if not given:
        return 0
    looked_up = {
        event.subscriber
        for event in given
        if event.detail or not event.broadcast or event.type is _OPENED or event.type is _CLICKED
    }
    with database.transaction() as connection:
        tracked = tracked_since(connection, looked_up)
        rows: list[Row] = []
        minutes: set[str] = set()
        totals: Counter[CountedEvent] = Counter()
        for event in given:
            at, person = text_of(event.at), event.subscriber
            if not event.broadcast and person not in tracked:
                continue  # it is about no broadcast and no one here
            if event.type is _OPENED or event.type is _CLICKED:
                if not "" < tracked.get(person, "") <= at:
                    totals[_counted(event)] += 1
                    continue
                minutes.add(at[:MINUTE_LETTERS])
            elif event.type is _DELIVERED:
                minutes.add(at[:MINUTE_LETTERS])
            detail = _without_nul(event.detail) if event.detail and person in tracked else ""
            url = _without_nul(event.url) if event.url else ""
            rows.append(
                (
                    at,
                    event.digest,
                    event.type._value_,
                    event.broadcast,
                    event.chunk,
                    event.attempt,
                    person,
                    detail,
                    url,
                    event.url_offset,
                    event.cause,
                    event.verdict,
                )
            )
        rows.sort(key=_KEY)  # as the table stores them
        added = connection.insert_new("event", rows)
        _ADD_MINUTE.for_each(connection, [{"minute": minute} for minute in sorted(minutes)])
        add_totals(connection, totals)
    return added


def _counted(event: Event) -> CountedEvent:
    """Return what is counted of an open or click. The link of someone in particular may be personal."""
    mailed = BroadcastKey(event.broadcast, event.nonce)
    return CountedEvent(mailed, event.type, event.verdict, "" if event.subscriber else event.url)


def tracked_since(connection: Connection, subscribers: Collection[int]) -> dict[int, str]:
    """Return since when each of these people has agreed to tracking, as the database stores a time.

    The text is empty if they have not. People who are not on the list are left out.
    """
    return dict(connection.execute(_TRACKED.sql, {"subscribers": _json(subscribers)})) if subscribers else {}  # type: ignore[arg-type]


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
            "version": counted.version,
            "events": number,
        }
        for counted, number in sorted(totals.items())
        if counted.mailed in own
    ]
    _ADD_TOTAL.for_each(connection, _without(rows, "version"))
    _ADD_VERSION_TOTAL.for_each(connection, _without([row for row in rows if row["version"]], "url"))


def _without(rows: Iterable[Mapping[str, object]], key: str) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != key} for row in rows]


def addresses_of(database: Database, subscribers: Collection[int]) -> dict[int, str]:
    """Return the address of each of these people who is on the list."""
    return dict(_ADDRESSES.ask(database, subscribers=_json(subscribers)))


def unknown_attempts(database: Database, broadcasts: Collection[int]) -> frozenset[tuple[int, int, int]]:
    """Return the broadcast, chunk and attempt of each unknown chunk of these broadcasts."""
    return frozenset(_UNKNOWN.ask(database, broadcasts=_json(broadcasts)))


def _json(numbers: Iterable[int]) -> str:
    return orjson.dumps(sorted(numbers)).decode()


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


def doubted_broadcasts(database: Database) -> tuple[int, ...]:
    """Return the broadcasts that have unknown chunks."""
    return _DOUBTED.ask(database)
