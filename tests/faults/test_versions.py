"""Versions are compared by processes that die at every moment: neither who gets which nor the winner changes.

A broadcast is created, its first wave is sent, and the winner is chosen and sent to the rest. At each moment around a
transaction or a request of these steps, one process is killed. The step is repeated, as a timer or a person would.
The plan is made once, so the draw is the same each time. NEWSLETTER_LONG_TESTS=1 kills at each moment, not at some.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.model.event import Event, EventType
from newsletter.providers.base import UNRECORDED, Replies
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.variants import variant_numbers
from newsletter.store.ledger.waves import drawn_of, watch_of
from newsletter.store.opening import open_database
from newsletter.workflows.send.plan import BroadcastPlan, plan_broadcast, reopen_broadcast, start_broadcast
from tests.faults.eventlog import EventLog
from tests.faults.seams import Death, Fate, Moment, MortalDatabase
from tests.postgresql import PostgresServer
from tests.store.builders import add, all_agree_to_tracking, row
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import NOW, run_at
from tests.workflows.send.test_winner import HOUR, MINUTE, order, workspace

EVERYWHERE = bool(os.environ.get("NEWSLETTER_LONG_TESTS"))
PEOPLE, CLICKERS = 90, 30  # of 36 with version B
LATER = NOW + 10 * MINUTE


class Result(NamedTuple):
    """What a broadcast came to."""

    drawn: dict[int, str]
    chosen: str
    because: str
    versions: dict[int, str]  # subscriber → the version that they were sent
    unconfirmed: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all runs have in common."""

    config: Config
    plan: BroadcastPlan
    fresh: Callable[[], Path | str]  # makes a database with people, and returns its location
    log: EventLog


class MortalCarrier(Carrier):
    """A provider that accepts everything, whose process may die around a request."""

    fate: Fate | None = None

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Accepts it, if the process lives."""
        if self.fate:
            self.fate.reach(Moment.BEFORE_SUBMIT)
        outcome = Carrier.submit(self, chunk, replies)
        if self.fate:
            self.fate.reach(Moment.AFTER_SUBMIT)
        return outcome


def create(world: World, database: Database, carrier: Carrier) -> None:
    if not list_broadcasts(database):
        start_broadcast(database, world.plan, carrier, now=NOW)


def send_first(world: World, database: Database, carrier: Carrier) -> None:
    with database.transaction() as connection:  # so that a timer carries it out
        connection.execute("UPDATE broadcast SET due_at = :now WHERE due_at = ''", {"now": "2026-02-17T13:00:00Z"})
    run_at(world.config, database, carrier, NOW)


def choose(world: World, database: Database, carrier: Carrier) -> None:
    click(database)
    run_at(world.config, database, carrier, LATER)


STEPS = (create, send_first, choose)


def click(database: Database) -> None:
    nonce = require_broadcast(database, 1).nonce
    people = [each for each, version in drawn_of(database, 1).items() if version == "B"][:CLICKERS]
    clicked = {"type": EventType.CLICKED, "broadcast": 1, "nonce": nonce, "url": "u", "url_offset": 1}
    add_events(database, [Event(at=NOW + MINUTE, subscriber=each, **clicked) for each in people])


def carry_out(world: World, where: Path | str, step: int, death: Death | None) -> bool:
    """Do a step in a process of its own. Return whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fate = Fate(death, world.log)
            carrier = MortalCarrier(chunk_size=10)
            carrier.fate = fate
            with open_database(where) as database:
                STEPS[step](world, MortalDatabase(database, fate, world.log, most_pages=None), carrier)
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert ended in {0, 9}, "the step failed"
    return ended == 9


def run(world: World, *, dies_in: int = -1, death: Death | None = None) -> Result | None:
    """Carry out all steps, with one death. Return None if the process did not come to that moment."""
    where = world.fresh()
    for number in range(len(STEPS)):
        if number == dies_in:
            if not carry_out(world, where, number, death):
                return None
            with open_database(where) as database:  # as a person or a timer does after a crash
                for each in list_broadcasts(database):
                    if each.state == "running":
                        reopen_broadcast(database, each.id, now=LATER + HOUR)
        carry_out(world, where, number, None)
    with open_database(where) as database:
        return result_of(world, database)


def result_of(world: World, database: Database) -> Result:
    for _ in range(3):
        run_at(world.config, database, Carrier(chunk_size=10), LATER + MINUTE)
    with database.transaction() as connection:
        numbers = {number: readership.version for readership, number in variant_numbers(connection, 1).items()}
        rows = connection.execute(
            "SELECT d.subscriber, c.variant FROM delivery AS d "
            "JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk",
            {},
        ).fetchall()
    watch, tally = watch_of(database, 1), tally_of(database, 1)
    assert watch is not None
    return Result(
        drawn=drawn_of(database, 1),
        chosen=watch.chosen,
        because=watch.chosen_because,
        versions={int(str(subscriber)): numbers[int(str(variant))] for subscriber, variant in rows},
        unconfirmed=tally.unknown,
        accepted=tally.accepted,
    )


def require_the_same(world: World, undisturbed: Result, step: int, moment: Moment) -> int:
    """Kill a step at each time that it comes to a moment. Return how often that is."""
    for number in range(1, 1000):
        found = run(world, dies_in=step, death=Death(moment=moment, number=number))
        if found is None:
            return number - 1
        told = f"{STEPS[step].__name__} {moment} {number}"
        assert found.drawn == undisturbed.drawn, told
        assert found.chosen == undisturbed.chosen, told
        if not found.unconfirmed:  # those who may or may not have got it do not count
            assert found.because == undisturbed.because, told
        assert found.versions == undisturbed.versions, told
        assert found.accepted + found.unconfirmed == PEOPLE, told
    raise AssertionError("the step never ends")


def world_with(tmp_path: Path, fresh: Callable[[], Path | str], location: Path | str) -> World:
    config = workspace(tmp_path, "versions:\n  share: 80 %\n  wait: 4 hours\n")
    with open_database(location) as database:
        plan = plan_broadcast(config, database, order(config), provider=Carrier(chunk_size=10), now=NOW)
    assert plan.request.waves is not None
    request = replace(plan.request, waves=replace(plan.request.waves, seed="of all runs"))
    return World(config=config, plan=replace(plan, request=request), fresh=fresh, log=EventLog(tmp_path / "log"))


def populate(location: Path | str) -> None:
    with open_database(location) as database:
        add(database, *(row(f"p{number:02}@{('gmail.com', 'example.org')[number % 2]}") for number in range(PEOPLE)))
        all_agree_to_tracking(database)


def test_kills_at_any_moment_change_neither_assignment_nor_winner(tmp_path: Path) -> None:
    template, count = tmp_path / "template.db", iter(range(10_000))
    populate(template)

    def fresh() -> Path:
        path = tmp_path / f"{next(count)}.db"
        copy(template, path)
        return path

    world = world_with(tmp_path, fresh, fresh())
    undisturbed = run(world)
    assert undisturbed is not None
    assert (undisturbed.chosen, undisturbed.accepted, undisturbed.unconfirmed) == ("B", PEOPLE, 0)
    rest = undisturbed.versions.keys() - undisturbed.drawn.keys()
    assert {undisturbed.versions[each] for each in rest} == {"B"}
    assert {each: undisturbed.versions[each] for each in undisturbed.drawn} == undisturbed.drawn

    moments = tuple(Moment) if EVERYWHERE else (Moment.AFTER_COMMIT, Moment.BEFORE_SUBMIT)
    kills = [require_the_same(world, undisturbed, step, moment) for step in range(len(STEPS)) for moment in moments]
    assert sum(kills) > (60 if EVERYWHERE else 20), kills


@pytest.mark.parametrize("moment", [Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT] if EVERYWHERE else [Moment.AFTER_COMMIT])
def test_kills_around_the_decision_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresServer, moment: Moment
) -> None:
    urls: list[str] = []

    def fresh() -> str:
        urls.append(postgresql_server.fresh_database())
        populate(urls[-1])
        return urls[-1]

    world = world_with(tmp_path, fresh, fresh())
    undisturbed = run(world)
    assert undisturbed is not None
    assert require_the_same(world, undisturbed, STEPS.index(choose), moment) > 3
    for url in urls:
        postgresql_server.drop_database(url)
