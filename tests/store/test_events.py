"""Events: each is kept once, and they are evidence of what the provider took."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from newsletter.model.broadcast import Broadcast, Outcome, Verdict
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.events import add_events, evidence_of, own_events
from newsletter.store.ledger.resolve import prove_taken
from tests.store.builders import NOW, add_people, claim, freeze, record


def delivered(broadcast: Broadcast) -> Event:
    return Event(
        at=NOW,
        type=EventType.DELIVERED,
        broadcast=broadcast.id,
        nonce=broadcast.nonce,
        chunk=1,
        attempt=1,
        subscriber=1,
        detail="250 OK",
    )


def test_repeated_event_is_kept_once(database: Database) -> None:
    add_people(database, 1)
    first = delivered(freeze(database))
    second = replace(first, at=NOW + timedelta(seconds=1))

    assert add_events(database, [first, second, first]) == 2
    assert add_events(database, [second, first]) == 0
    assert add_events(database, []) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"type": EventType.DEFERRED},
        {"chunk": 2},
        {"attempt": 2},
        {"subscriber": 2},
        {"detail": "250 Fine"},
        {"url": "https://example.org/a"},
        {"url_offset": 1},
    ],
)
def test_events_of_one_second_that_differ_are_two(database: Database, change: dict[str, object]) -> None:
    add_people(database, 2)
    first = delivered(freeze(database))

    assert add_events(database, [first, replace(first, **change)]) == 2


def test_events_of_two_broadcasts_in_one_second_are_two(database: Database) -> None:
    add_people(database, 1)
    events = [delivered(freeze(database, issue)) for issue in ("2026-01", "2026-02")]

    assert add_events(database, events) == 2


@pytest.mark.parametrize("change", [{"verdict": "proxy"}, {"cause": "mailbox-full"}, {"nonce": "n"}])
def test_what_we_think_of_an_event_makes_it_no_other(database: Database, change: dict[str, object]) -> None:
    add_people(database, 1)
    first = delivered(freeze(database))

    assert add_events(database, [first, replace(first, **change)]) == 1


@pytest.mark.parametrize("text", ["a\0b", "\0", "\0" * 100])
def test_event_is_kept_once_though_its_texts_have_a_nul(database: Database, text: str) -> None:
    add_people(database, 1)
    event = replace(delivered(freeze(database)), detail=text, url=text)

    assert add_events(database, [event]) == 1
    assert add_events(database, [event]) == 0


def test_event_of_a_broadcast_that_another_database_numbers_alike_is_not_kept(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    record(database, claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN))

    assert own_events(database, [delivered(broadcast), replace(delivered(broadcast), nonce="another")]) == [
        delivered(broadcast)
    ]

    assert evidence_of(database, broadcast.id) == ()


def test_event_of_any_type_proves_that_an_unknown_chunk_was_taken(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=2)
    for verdict in (Verdict.UNKNOWN, Verdict.ACCEPTED, Verdict.UNKNOWN):
        record(database, claim(database, broadcast), Outcome(verdict=verdict))
    first = delivered(broadcast)
    add_events(
        database,
        [
            first,
            replace(first, subscriber=2),
            replace(first, type=EventType.BOUNCED),
            replace(first, chunk=2),  # accepted anyway
            replace(first, chunk=3, attempt=2),  # of no attempt that there was
            replace(first, chunk=3, broadcast=2),
        ],
    )

    assert evidence_of(database, broadcast.id) == ((1, 1, "the provider reported: bounced, delivered"),)

    prove_taken(database, broadcast.id, 1, 1, evidence="delivered", now=NOW)
    assert evidence_of(database, broadcast.id) == ()
