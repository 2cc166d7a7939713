"""A long list is counted by several threads; the numbers are those of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.event import Event, EventType
from newsletter.model.segment import All, And, Compare, Condition, Deed, Did, Not, Occasion, Operator, Or, Since, Tagged
from newsletter.store.database import Database, ListPart
from newsletter.store.events import add_events
from newsletter.store.opening import open_database
from newsletter.store.segments import count_both, count_segment
from newsletter.store.suppressions import add_suppression
from tests.store.builders import NOW, add_people, claim, freeze, record

PEOPLE = 100_000  # as few as are parted


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Many people, every one of the second half a teacher; some received an issue, and a few opened it."""
    with open_database(tmp_path_factory.mktemp("long") / "newsletter.db") as opened:
        add_people(opened, PEOPLE // 2)
        add_people(opened, PEOPLE - PEOPLE // 2, tags=("teacher",), prefix="teacher")
        for email in ("person00000@example.org", f"teacher{PEOPLE // 2 - 1:05}@example.org"):
            add_suppression(opened, email, SuppressionReason.BOUNCED, now=NOW)
        broadcast = freeze(opened, chunk_size=PEOPLE // 3)
        for _ in range(2):
            record(opened, claim(opened, broadcast))
        with opened.transaction() as connection:
            connection.execute("UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z'", {})
        add_events(opened, [opening(broadcast.id, broadcast.nonce, number) for number in range(1, PEOPLE, 7)])
        yield opened


def opening(broadcast: int, nonce: str, subscriber: int) -> Event:
    return Event(
        at=NOW,
        type=EventType.OPENED,
        broadcast=broadcast,
        nonce=nonce,
        chunk=1,
        attempt=1,
        subscriber=subscriber,
        detail="",
    )


@pytest.mark.parametrize(
    "condition",
    [
        All(),
        Tagged("teacher"),
        Not(Tagged("teacher")),
        Compare("email", Operator.LESS, "person4"),
        Did(Deed.RECEIVED, "2026-02"),
        Not(Did(Deed.RECEIVED, None)),
        And((Did(Deed.RECEIVED, "2026-02"), Not(Did(Deed.OPENED, "2026-02")))),
        Or((Did(Deed.OPENED, "2026-02"), Tagged("teacher"))),
        Not(Since(Occasion.LAST_OPENED, NOW)),
    ],
)
def test_parts_add_up_to_the_whole(database: Database, condition: Condition) -> None:
    counted = count_segment(database, condition)

    assert counted.members == count_both(database, condition, All())
    assert counted.suppressed <= 2
    assert counted.without_consent == 0


def test_parts_hold_everybody_once(database: Database) -> None:
    parts = [part or ListPart(0, PEOPLE) for part in database.ask_in_parts(lambda _, part: part)]

    assert [part.after for part in parts] == [0, *(part.until for part in parts[:-1])]
    assert parts[-1].until == PEOPLE


def test_short_list_is_counted_at_once(tmp_path: Path) -> None:
    with open_database(tmp_path / "newsletter.db") as short:
        add_people(short, 10)

        assert short.ask_in_parts(lambda _, part: part) == [None]


def test_within_a_transaction_its_own_changes_are_counted(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET language = 'eo' WHERE id = 1", {})

        assert count_segment(database, Compare("language", Operator.EQUAL, "eo")).members == 1
