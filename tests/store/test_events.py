"""Events: each is kept once, and they are evidence of what the provider took."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from newsletter.model.broadcast import Broadcast, Outcome, Verdict
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.events import add_events, evidence_of
from newsletter.store.ledger.resolve import prove_taken
from tests.store.builders import NOW, add_people, claim, freeze, record


def delivered(broadcast: Broadcast, number: int = 1) -> Event:
    return Event(
        id=f"e{number}",
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
    second = replace(first, id="e2", at=NOW + timedelta(seconds=1))

    assert add_events(database, [first, second, first]) == 2
    assert add_events(database, [second, replace(first, id="e3")]) == 1
    assert add_events(database, []) == 0


@pytest.mark.parametrize("id_", ["a\0b", "\0", "\0" * 100])
def test_event_is_kept_once_though_its_id_has_a_nul(database: Database, id_: str) -> None:
    add_people(database, 1)
    event = replace(delivered(freeze(database)), id=id_, detail="no\0thing")

    assert add_events(database, [event]) == 1
    assert add_events(database, [event]) == 0


def test_event_of_a_broadcast_that_another_database_numbers_alike_is_not_kept(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    record(database, claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN))

    assert add_events(database, [replace(delivered(broadcast), nonce="another")]) == 0

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
            replace(first, id="e2", subscriber=2),
            replace(first, id="e3", type=EventType.BOUNCED),
            replace(first, id="e4", chunk=2),  # accepted anyway
            replace(first, id="e5", chunk=3, attempt=2),  # of no attempt that there was
            replace(first, id="e6", chunk=3, broadcast=2),
        ],
    )

    assert evidence_of(database, broadcast.id) == ((1, 1, "the provider reported: bounced, delivered"),)

    prove_taken(database, broadcast.id, 1, 1, evidence="delivered", now=NOW)
    assert evidence_of(database, broadcast.id) == ()
