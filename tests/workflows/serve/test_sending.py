"""The service sends what is due by itself: in time, together with others, and whatever goes wrong in between."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import ProviderError, StoreError
from newsletter.model.broadcast import BroadcastState, OutgoingChunk
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.recall import last_run
from newsletter.system.signals import Interruption
from newsletter.workflows.serve.sending import LOOK_EVERY, _Sending, _WithoutRepetition, keep_sending
from tests.store.builders import add_people
from tests.store.conftest import Location, database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workflows.send.scheduled import THURSDAY, SetClock, freeze_at
from tests.workspaces import write_workspace


class Diary:
    """What was logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, sentence: str, /, **_fields: object) -> None:
        self.lines.append(sentence)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


def sending(
    config: Config,
    database: Database,  # noqa: F811
    clock: SetClock,
    opener: Callable[[], Provider],
    diary: Diary,
) -> _Sending:
    log = _WithoutRepetition(diary)
    return _Sending(config, database, opener, interruption=Interruption(), log=log, clock=clock)


def no_report(err: Exception) -> str:
    raise AssertionError(err)


def test_the_next_look_is_when_something_is_due_or_in_a_minute(config: Config, database: Database) -> None:  # noqa: F811
    add_people(database, 3)
    carrier, clock, diary = Carrier(), SetClock(), Diary()
    look = sending(config, database, clock, lambda: carrier, diary).look
    assert look(no_report) == LOOK_EVERY
    broadcast = freeze_at(config, database, carrier)
    assert look(no_report) == LOOK_EVERY
    clock.now = THURSDAY - timedelta(seconds=20)
    assert look(no_report) == timedelta(seconds=20)
    assert carrier.handed == []
    clock.now = THURSDAY
    assert look(no_report) == LOOK_EVERY
    assert sum(len(chunk.recipients) for chunk in carrier.handed) == 3
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE
    run = last_run(database)
    assert run is not None
    assert (run.command, run.at) == ("serve", THURSDAY)


def test_what_goes_wrong_is_said_once_and_tried_again(config: Config, database: Database) -> None:  # noqa: F811
    add_people(database, 3)
    carrier, clock, diary = Carrier(), SetClock(), Diary()
    freeze_at(config, database, carrier)
    clock.now = THURSDAY
    missing = ProviderError("the key is missing")
    failures: list[Exception] = [missing, missing, StoreError("the database is away"), ZeroDivisionError("a bug")]
    reported: list[Exception] = []

    def opener() -> Provider:
        if failures:
            raise failures[0]
        return carrier

    def report(err: Exception) -> str:
        reported.append(err)
        return "newsletter has a bug"

    look = sending(config, database, clock, opener, diary).look
    while failures:
        assert look(report) == LOOK_EVERY
        assert carrier.handed == []
        failures.pop(0)
    assert len(reported) == 1
    assert diary.lines.count("broadcast 1 (2026-02 to everyone): the key is missing") == 1
    assert [line for line in diary.lines if "the database is away" in line or "has a bug" in line] == [
        "what is due could not be sent: the database is away",
        "newsletter has a bug",
    ]
    look(report)
    assert sum(len(chunk.recipients) for chunk in carrier.handed) == 3


def test_services_on_one_database_share_the_work(
    config: Config,
    engine: str,  # noqa: F811
    location: Location,  # noqa: F811
) -> None:
    """Each has its own connections, as processes have. No one gets two, and no one is left out."""
    done = Event()
    clock = SetClock()

    def counted(chunk: OutgoingChunk) -> None:
        got.update(recipient.email for recipient in chunk.recipients)
        if len(got) == 60:
            done.set()

    got: Counter[str] = Counter()
    with ExitStack() as stack:
        databases = [stack.enter_context(open_test_database(location)) for _ in range(3)]
        add_people(databases[0], 60)

        def step(chunk: OutgoingChunk) -> object:
            counted(chunk)
            return ACCEPTED

        carriers = [Carrier(script=[step] * 60, chunk_size=5) for _ in databases]  # type: ignore[list-item]
        broadcast = freeze_at(config, databases[0], carriers[0])
        clock.now = THURSDAY
        with ExitStack() as running:
            for each, carrier in zip(databases, carriers, strict=True):
                running.enter_context(
                    keep_sending(
                        config,
                        each,
                        lambda carrier=carrier: carrier,
                        interruption=Interruption(),
                        log=Diary(),
                        report=no_report,
                        clock=clock,
                    )
                )
            assert done.wait(60)
        assert set(got.values()) == {1}
        assert require_broadcast(databases[0], broadcast.id).state is BroadcastState.DONE


def test_an_interruption_reaches_work_that_goes_on_and_forgets_the_rest() -> None:
    interruption = Interruption()
    kept = interruption.new_stop()
    for _ in range(1000):
        interruption.new_stop()
    assert len(interruption._events) < 10
    assert not kept.is_set()
    interruption.ask()
    assert kept.is_set()
    assert interruption.new_stop().is_set()
