"""What was reported about one person's mail."""

from datetime import timedelta

from newsletter.model.event import Event, EventType
from newsletter.model.person import PastEvent, PastSoftBounce
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.subscribers import count_subscribers, events_of, soft_bounces_of
from tests.store.builders import NOW, add_people, agree_to_tracking, freeze, id_of


def test_events_of_one_person_are_told_with_their_issue_the_newest_first(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    agree_to_tracking(database, "person00000@example.org")
    ids = [id_of(database, f"person0000{number}@example.org") for number in range(2)]
    add_events(
        database,
        [
            Event(
                at=NOW + timedelta(hours=number),
                type=EventType.OPENED if number % 2 else EventType.DELIVERED,
                broadcast=broadcast.id,
                nonce=broadcast.nonce,
                chunk=1,
                attempt=1,
                subscriber=ids[number // 2],
                detail=f"report {number}",
            )
            for number in range(4)
        ],
    )

    assert events_of(database, ids[0]) == (
        PastEvent(
            at=NOW + timedelta(hours=1),
            type=EventType.OPENED,
            broadcast=broadcast.id,
            issue="2026-02",
            detail="report 1",
        ),
        PastEvent(at=NOW, type=EventType.DELIVERED, broadcast=broadcast.id, issue="2026-02", detail="report 0"),
    )


def test_soft_bounces_are_found_by_any_spelling(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO soft_bounce (person, at, detail) VALUES ('ana@example.org', '2026-02-19T08:00:00Z', 'full')",
            {},
        )

    assert soft_bounces_of(database, "ANA@Example.org") == (PastSoftBounce(at=NOW, detail="full"),)
    assert soft_bounces_of(database, "bo@example.org") == ()


def test_everybody_is_counted(database: Database) -> None:
    add_people(database, 3)
    assert count_subscribers(database) == 3
