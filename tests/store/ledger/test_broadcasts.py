"""The time of a broadcast: what is due, what is overdue, and under which batch id it is held."""

from datetime import timedelta

import pytest

from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import Entry, ZoneProgress
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    finish_if_done,
    next_due,
    overdue,
    pause_broadcast,
    resume_broadcast,
    start_scheduled,
    unattended_broadcasts,
    zone_progress,
)
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.journal import journal_of
from tests.store.builders import NOW, add, add_people, at, by_own_clock, claim, freeze, hold, record, row, send_all

HOUR = timedelta(hours=1)


def entries(database: Database, broadcast_id: int) -> list[Entry]:
    return [each.entry for each in journal_of(database, broadcast_id) if each.entry is not Entry.WAIVED]


def test_broadcasts_with_a_time_are_listed_by_it_until_they_have_ended(database: Database) -> None:
    add_people(database, 1)
    freeze(database, "2026-01")
    late, early = (
        freeze(database, "2026-02", schedule=at(NOW + 2 * HOUR)),
        freeze(database, "2026-03", schedule=at(NOW + HOUR)),
    )
    paused = freeze(database, "2026-04", schedule=at(NOW + HOUR))
    pause_broadcast(database, paused.id, "wait", now=NOW)

    assert [broadcast.id for broadcast in unattended_broadcasts(database)] == [early.id, late.id]

    begin_cancel(database, late.id, now=NOW)
    start_scheduled(database, early.id, now=NOW)
    assert [broadcast.state for broadcast in unattended_broadcasts(database)] == [
        BroadcastState.RUNNING,
        BroadcastState.CANCELLING,
    ]

    finish_cancel(database, late.id, now=NOW)
    resume_broadcast(database, early.id, now=NOW + HOUR)
    send_all(database, early)
    finish_if_done(database, early.id, now=NOW)
    assert unattended_broadcasts(database) == ()


def test_scheduled_broadcast_runs_once_its_time_has_come(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database, schedule=at(NOW + HOUR))

    for _ in range(2):
        assert start_scheduled(database, broadcast.id, now=NOW + HOUR).state is BroadcastState.RUNNING

    assert entries(database, broadcast.id) == [Entry.FROZEN, Entry.STARTED]


@pytest.mark.parametrize("state", [BroadcastState.PAUSED, BroadcastState.CANCELLING])
def test_broadcast_that_is_not_scheduled_is_not_started(database: Database, state: BroadcastState) -> None:
    add_people(database, 1)
    broadcast = freeze(database, schedule=at(NOW + HOUR))
    if state is BroadcastState.PAUSED:
        pause_broadcast(database, broadcast.id, "wait", now=NOW)
    else:
        begin_cancel(database, broadcast.id, now=NOW)

    assert start_scheduled(database, broadcast.id, now=NOW).state is state


def test_what_is_overdue_is_counted(database: Database) -> None:
    add_people(database, 5)
    broadcast = hold(database, NOW + HOUR, chunk_size=2)
    claim(database, broadcast, hold_within=HOUR)

    assert overdue(database, broadcast.id, before=NOW + HOUR) == 0
    assert overdue(database, broadcast.id, before=NOW + HOUR + timedelta(seconds=1)) == 3
    assert next_due(database, broadcast.id) == NOW + HOUR


def test_resume_lets_go_what_is_overdue(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, schedule=at(NOW + HOUR), chunk_size=2)
    pause_broadcast(database, broadcast.id, "it is too late", now=NOW + 2 * HOUR)

    resumed = resume_broadcast(database, broadcast.id, now=NOW + 2 * HOUR)

    assert (resumed.state, resumed.reason, resumed.due_at) == (BroadcastState.RUNNING, "", NOW + HOUR)
    assert overdue(database, broadcast.id, before=NOW + 9 * HOUR) == 0
    assert len(send_all(database, broadcast)) == 3
    assert entries(database, broadcast.id) == [Entry.FROZEN, Entry.PAUSED, Entry.RESUMED]


def test_resume_leaves_what_is_ahead_to_its_time(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database, schedule=at(NOW + HOUR))

    assert resume_broadcast(database, broadcast.id, now=NOW).state is BroadcastState.RUNNING

    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None
    assert next_due(database, broadcast.id) == NOW + HOUR
    assert entries(database, broadcast.id) == [Entry.FROZEN, Entry.STARTED]


def test_zones_tell_how_many_wait_and_until_when(database: Database) -> None:
    for number, zone in enumerate(("Asia/Tokyo", "Asia/Tokyo", "America/Denver")):
        add(database, row(f"person{number}@example.org", timezone=zone))
    schedule = by_own_clock(20)
    tokyo, denver = schedule.moment_in("Asia/Tokyo"), schedule.moment_in("America/Denver")
    broadcast = start_scheduled(database, freeze(database, schedule=schedule, chunk_size=1).id, now=NOW)
    record(database, claim(database, broadcast, now=tokyo))

    assert zone_progress(database, broadcast.id) == (
        ZoneProgress(zone="Asia/Tokyo", due_at=tokyo, deliveries=2, waiting=1, cancelled=0),
        ZoneProgress(zone="America/Denver", due_at=denver, deliveries=1, waiting=1, cancelled=0),
    )

    resume_broadcast(database, broadcast.id, now=denver)
    assert [zone.due_at for zone in zone_progress(database, broadcast.id)] == [None, tokyo]
