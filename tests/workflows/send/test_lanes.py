"""How the threads of a drain end: on their own, when someone asks, when it is canceled elsewhere, and at a fault."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from newsletter.errors import StoreError
from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, OutgoingChunk
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.status import tally_of, unknown_deliveries
from newsletter.workflows.send import lanes
from newsletter.workflows.send.drain import drain_broadcast
from tests.store.builders import NOW, add_people, freeze
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier

LATE_SECONDS = 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db") as opened:
        add_people(opened, 30)
        yield opened


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies are not awaited for as long as for a person."""
    monkeypatch.setattr(lanes, "REPLY_SECONDS", 0.2)


class Held:
    """A request whose answer comes when a test lets it."""

    def __init__(self) -> None:
        self.come, self.go_on = Event(), Event()

    def __call__(self, _chunk: OutgoingChunk) -> Outcome:
        self.come.set()
        assert self.go_on.wait(LATE_SECONDS)
        return ACCEPTED


def parts(database: Database, broadcast: Broadcast) -> tuple[int, int, int]:
    found = tally_of(database, broadcast.id)
    assert found.adds_up
    return found.accepted, found.unknown, found.waiting + found.cancelled


@pytest.mark.parametrize("how", ["asked", "canceled"])
def test_a_request_without_an_answer_is_left_and_unknown(database: Database, how: str) -> None:
    broadcast, held, asked = freeze(database), Held(), Event()
    with ThreadPoolExecutor(1) as aside:
        carrier = Carrier([ACCEPTED, held])
        draining = aside.submit(
            drain_broadcast,
            database,
            broadcast,
            carrier,
            on_settled=lambda _: None,
            stop=Event(),
            is_asked=asked.is_set,
        )
        assert held.come.wait(LATE_SECONDS)
        if how == "asked":
            asked.set()
        else:
            begin_cancel(database, broadcast.id, now=NOW)
        draining.result(LATE_SECONDS)

    assert parts(database, broadcast) == (10, 10, 10)
    assert {each.reason for each in unknown_deliveries(database, broadcast.id)} == {
        "sending was stopped before the provider had answered"
    }
    held.go_on.set()
    assert parts(database, broadcast) == (10, 10, 10)
    assert len(carrier.handed) == 2


def test_an_answer_that_comes_in_time_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "REPLY_SECONDS", float(LATE_SECONDS))
    broadcast, held, asked, stop = freeze(database), Held(), Event(), Event()
    with ThreadPoolExecutor(1) as aside:
        draining = aside.submit(
            drain_broadcast,
            database,
            broadcast,
            Carrier([held]),
            on_settled=lambda _: None,
            stop=stop,
            is_asked=asked.is_set,
        )
        assert held.come.wait(LATE_SECONDS)
        asked.set()
        assert stop.wait(LATE_SECONDS)
        held.go_on.set()
        draining.result(LATE_SECONDS)
    assert parts(database, broadcast) == (10, 0, 20)


@pytest.mark.parametrize("how", ["paused", "stopped by its own halt"])
def test_a_pause_awaits_the_answer_however_long_it_takes(database: Database, how: str) -> None:
    broadcast, held, stop = freeze(database), Held(), Event()
    with ThreadPoolExecutor(1) as aside:
        draining = aside.submit(
            drain_broadcast, database, broadcast, Carrier([held]), on_settled=lambda _: None, stop=stop
        )
        assert held.come.wait(LATE_SECONDS)
        if how == "paused":
            pause_broadcast(database, broadcast.id, "a person looks", now=NOW)
            assert stop.wait(LATE_SECONDS)
        else:
            stop.set()
        with pytest.raises(TimeoutError):
            draining.result(1)
        held.go_on.set()
        draining.result(LATE_SECONDS)
    assert parts(database, broadcast) == (10, 0, 20)


def test_a_fault_of_one_thread_ends_all_and_is_raised_after_the_others_are_recorded(database: Database) -> None:
    broadcast, held = freeze(database), Held()

    def fail(_chunk: OutgoingChunk) -> Outcome:
        assert held.come.wait(LATE_SECONDS)
        held.go_on.set()
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError, match="the disk is gone"):
        drain_broadcast(
            database,
            broadcast,
            Carrier([held, fail], concurrency=2),
            on_settled=lambda _: None,
            stop=Event(),
        )
    assert tally_of(database, broadcast.id).accepted == 10
    assert tally_of(database, broadcast.id).inflight == 10
    assert require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING
