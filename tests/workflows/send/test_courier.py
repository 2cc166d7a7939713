"""Broadcasts that are sent in threads: what stops them, what they say, and what is left for others."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import BroadcastState, Outcome, OutgoingChunk
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.recall import last_run
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.send import awake
from newsletter.workflows.send.courier import Courier, Trip
from tests.store.builders import add_people, at, freeze
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workspaces import write_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path))


def trip(config: Config, **changes: Any) -> Trip:
    return Trip(**{"config": config, "broadcast": 1, "is_now": True, "ahead": None, "stays": False, **changes})


def frozen(config: Config, database: Database, **options: Any) -> None:
    add_people(database, 30)
    freeze(database, now=datetime.now(UTC) - timedelta(minutes=1), **options)


def finished(courier: Courier) -> Trip:
    """What is known of the broadcast after its thread has ended by itself."""
    for thread in courier._threads:
        thread.join()
    found = courier.trip(1)
    assert found is not None
    assert not found.is_under_way
    return found


def test_it_sends_and_is_done(config: Config) -> None:
    with open_test_database(config.database) as database:
        frozen(config, database)
        courier = Courier(lambda _config: Carrier())
        courier.send(trip(config))
        assert finished(courier).failure == ""
        assert require_broadcast(database, 1).state is BroadcastState.DONE
        assert courier.left() == ()


def test_a_failure_is_told_and_the_rest_is_left(config: Config) -> None:
    def opener(_config: Config) -> Provider:
        raise ProviderError("the password is missing; set it")

    with open_test_database(config.database) as database:
        frozen(config, database)
        courier = Courier(opener)
        courier.send(trip(config))
        assert finished(courier).failure == "the password is missing; set it"
        assert [broadcast.id for _, broadcast in courier.left()] == [1]


def test_a_fault_of_the_program_is_reported_and_told(config: Config, tmp_path: Path) -> None:
    def opener(_config: Config) -> Provider:
        raise ZeroDivisionError("a bug")

    with open_test_database(config.database) as database:
        frozen(config, database)
        courier = Courier(opener)
        courier.send(trip(config))
        assert "newsletter has a bug (ZeroDivisionError)" in finished(courier).failure
        assert list(tmp_path.rglob("report-*.txt"))


def test_one_that_was_told_to_end_begins_nothing(config: Config) -> None:
    with open_test_database(config.database) as database:
        frozen(config, database)
        courier = Courier(lambda _config: Carrier())
        courier.ask_to_end()
        courier.send(trip(config))
        courier.end()
        assert tally_of(database, 1).waiting == 30
        assert [broadcast.id for _, broadcast in courier.left()] == [1]


def test_a_broadcast_that_is_halted_ends_after_the_current_request(config: Config) -> None:
    courier = Courier(lambda _config: Carrier(script=[halt]))

    def halt(_chunk: OutgoingChunk) -> Outcome:
        courier.halt(1)
        return ACCEPTED

    with open_test_database(config.database) as database:
        frozen(config, database)
        courier.send(trip(config))
        finished(courier)
        assert (tally_of(database, 1).accepted, tally_of(database, 1).waiting) == (10, 20)


def test_it_does_not_send_the_same_broadcast_twice_at_a_time(config: Config) -> None:
    begun, go_on = Event(), Event()

    def opener(_config: Config) -> Provider:
        begun.set()
        go_on.wait(60)
        return Carrier()

    with open_test_database(config.database) as database:
        frozen(config, database)
        courier = Courier(opener)
        courier.send(trip(config))
        assert begun.wait(60)
        courier.send(trip(config))
        assert len(courier._threads) == 1
        go_on.set()
        finished(courier)
        assert tally_of(database, 1).accepted == 30


def test_it_stays_for_the_time_and_sends_then(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awake, "_LOOK_SECONDS", 0.01)
    with open_test_database(config.database) as database:
        frozen(config, database, schedule=at(datetime.now(UTC) - timedelta(seconds=1)))
        courier = Courier(lambda _config: Carrier())
        courier.send(trip(config, is_now=False, ahead=timedelta(hours=1), stays=True))
        finished(courier)
        assert tally_of(database, 1).accepted == 30
        run = last_run(database)
        assert run is not None
        assert run.command == "studio"
