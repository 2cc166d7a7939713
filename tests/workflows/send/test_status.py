"""How broadcasts stand, and who is at work on them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, Schedule, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.recall import keep_batch
from newsletter.workflows.send.status import SHOWN_UNKNOWN, line_of, list_statuses, status_of
from tests.store.builders import NOW, add, add_people, claim, freeze, record, request, row, variant
from tests.store.empty_file import open_test_database

TOMORROW = datetime(2026, 2, 20, 8, 0)  # noqa: DTZ001 - a wall time
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        yield opened


def scheduled(database: Database, *, local: bool = False) -> Broadcast:
    """A broadcast for tomorrow at eight, in requests of ten."""
    schedule = Schedule(wall_time=TOMORROW, zone="UTC", is_local_time=local)
    asked = replace(request(), schedule=schedule)
    return freeze_broadcast(database, asked, [variant()], chunk_size=10, now=NOW)


def test_the_newest_broadcast_comes_first(database: Database) -> None:
    add_people(database, 3)
    first = freeze(database, "2026-01")
    second = freeze(database, "2026-02")

    lines = list_statuses(database)

    assert [line.broadcast.id for line in lines] == [second.id, first.id]
    assert all(line.tally.adds_up for line in lines)
    assert line_of(database, first.id) == lines[1]


def test_a_process_that_lives_is_told_from_one_that_has_ended(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)

    with database.runner() as runner:
        claim(database, broadcast, runner=runner.id)
        assert status_of(database, broadcast.id).is_at_work
    assert not status_of(database, broadcast.id).is_at_work
    assert status_of(database, broadcast.id).tally.inflight == 1


def test_nobody_is_at_work_where_nothing_is_inflight(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    with database.runner():
        assert not status_of(database, broadcast.id).is_at_work


def test_a_scheduled_broadcast_says_when_it_is_due(database: Database) -> None:
    add_people(database, 3)

    status = status_of(database, scheduled(database).id)

    assert status.broadcast.state is BroadcastState.SCHEDULED
    assert status.next_due == status.broadcast.due_at == NOW + DAY
    assert status.zones == ()


def test_each_time_zone_has_its_progress(database: Database) -> None:
    zones = ("Asia/Tokyo", "Asia/Tokyo", "Europe/Paris")
    add(database, *(row(f"p{number}@example.org", timezone=zone) for number, zone in enumerate(zones)))
    broadcast = scheduled(database, local=True)
    start_scheduled(database, broadcast.id, now=NOW)
    tokyo = NOW + timedelta(hours=15)
    chunk = claim_chunk(database, broadcast.id, "", (), now=tokyo)
    assert isinstance(chunk, ClaimedChunk)
    record(database, chunk)

    status = status_of(database, broadcast.id)

    assert [(zone.zone, zone.due_at, zone.deliveries, zone.waiting) for zone in status.zones] == [
        ("Asia/Tokyo", tokyo, 2, 0),
        ("Europe/Paris", NOW + timedelta(hours=23), 1, 1),
    ]
    assert status.next_due == NOW + timedelta(hours=23)


def test_what_the_provider_holds_is_told_until_its_time(database: Database) -> None:
    add_people(database, 3)
    broadcast = scheduled(database)
    keep_batch(database, broadcast.id, "batch-1", due_at=NOW + DAY, margin=timedelta(minutes=10), now=NOW)
    start_scheduled(database, broadcast.id, now=NOW)
    chunk = claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=2 * DAY)
    assert isinstance(chunk, ClaimedChunk)
    record(database, chunk)

    status = status_of(database, broadcast.id)

    assert [(mail.until, mail.deliveries) for mail in status.held_after(NOW)] == [(NOW + DAY, 3)]
    assert status.held_after(NOW + DAY) == ()


def test_the_first_few_unknown_people_are_named_or_all_of_them(database: Database) -> None:
    add_people(database, SHOWN_UNKNOWN + 5)
    broadcast = freeze(database, chunk_size=100)
    record(database, claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN, reason="no answer"))

    assert len(status_of(database, broadcast.id).unknown) == SHOWN_UNKNOWN
    assert len(status_of(database, broadcast.id, every_unknown=True).unknown) == SHOWN_UNKNOWN + 5
