"""The chunks of a broadcast as requests: one by one, counted, and who hands them over."""

from newsletter.model.broadcast import ChunkState, Outcome, Verdict
from newsletter.store.database import Database
from newsletter.store.ledger.requests import find_request, held_mail, request_groups, requests_of, runners_of
from tests.store.builders import NOW, add_people, claim, freeze, record

UNKNOWN = Outcome(verdict=Verdict.UNKNOWN, reason="no answer")


def test_each_request_has_its_state_its_time_and_the_providers_id(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast))
    record(database, claim(database, broadcast), UNKNOWN)

    taken, lost, waiting = requests_of(database, broadcast.id)

    assert (taken.state, taken.deliveries, taken.attempt, taken.message_id) == (ChunkState.ACCEPTED, 2, 1, "m1")
    assert (lost.state, lost.reason, lost.at) == (ChunkState.UNKNOWN, "no answer", NOW)
    assert (waiting.state, waiting.deliveries, waiting.attempt) == (ChunkState.READY, 1, 0)
    assert (waiting.due_at, waiting.hold_until, waiting.zone) == (None, None, "")
    assert find_request(database, broadcast.id, lost.number) == lost
    assert find_request(database, broadcast.id, 99) is None


def test_requests_are_counted_by_state(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast))

    groups = request_groups(database, broadcast.id)

    assert [(group.state, group.requests, group.deliveries) for group in groups] == [
        (ChunkState.ACCEPTED, 1, 2),
        (ChunkState.READY, 2, 3),
    ]
    assert {group.first_at for group in groups} == {group.last_at for group in groups} == {NOW}


def test_those_at_work_are_named_whether_they_live_or_not(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    assert runners_of(database, broadcast.id) == ()
    for runner in ("ana", "ana", "noor"):
        claim(database, broadcast, runner=runner)
    assert runners_of(database, broadcast.id) == ("ana", "noor")


def test_the_requests_of_another_broadcast_are_not_among_them(database: Database) -> None:
    add_people(database, 2)
    first = freeze(database, "2026-01")
    second = freeze(database, "2026-02")
    record(database, claim(database, first))

    assert [request.state for request in requests_of(database, second.id)] == [ChunkState.READY]
    assert held_mail(database, first.id) == ()


def test_whether_a_runner_lives_is_known_while_one_state_of_the_ledger_is_read(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    with database.runner() as runner:
        claim(database, broadcast, runner=runner.id)
        with database.read():
            assert [database.alive(name) for name in runners_of(database, broadcast.id)] == [True]
