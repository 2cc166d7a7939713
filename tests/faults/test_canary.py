"""A canary is carried out by processes that die at every moment: neither who gets it first nor the decision changes.

The broadcast is created, its first part is sent, and then the rest follows, or is held because people complain. At each
moment around a transaction or a request of these steps, one process is killed, and a timer repeats the step. The plan
is made once, so the draw is the same each time. NEWSLETTER_LONG_TESTS=1 kills at each moment, and on PostgreSQL too.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from shutil import copy
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.model.broadcast import BroadcastState
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import Entry
from newsletter.model.waves import WaveState
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.waves import drawn_of, watch_of
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast
from tests.faults.eventlog import EventLog
from tests.faults.seams import Death, Fate, Moment, MortalDatabase
from tests.faults.test_versions import MortalCarrier
from tests.postgresql import PostgresServer
from tests.store.builders import EVERYONE, add, row
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import NOW, run_at
from tests.workspaces import write_workspace

EVERYWHERE = bool(os.environ.get("NEWSLETTER_LONG_TESTS"))
PEOPLE, FIRST, COMPLAINTS = 100, 40, 4
DAY = timedelta(days=1)
MOMENTS = tuple(Moment) if EVERYWHERE else (Moment.AFTER_COMMIT, Moment.AFTER_SUBMIT)
STEPS = 3


class Ending(NamedTuple):
    """What a broadcast came to."""

    drawn: dict[int, str]
    state: BroadcastState
    wave: WaveState
    reached: int  # accepted or unconfirmed
    decisions: int  # entries of the journal that say so


class World(NamedTuple):
    """What all runs have in common."""

    config: Config
    plan: BroadcastPlan
    is_bad: bool
    fresh: Callable[[], Path | str]
    log: EventLog


def do(world: World, step: int, database: Database, carrier: Carrier) -> None:
    """Create the broadcast, send its first part, or decide and send the rest, as a timer would."""
    if step == 0 and not list_broadcasts(database):
        start_broadcast(database, world.plan, carrier, now=NOW)
    elif step == 1:
        run_at(world.config, database, carrier, NOW)
    elif step == 2:
        if world.is_bad:
            complain(database)
        run_at(world.config, database, carrier, NOW + DAY)


def complain(database: Database) -> None:
    (broadcast,) = list_broadcasts(database)  # not always 1: PostgreSQL uses up a number for each try
    some = sorted(drawn_of(database, broadcast.id))[:COMPLAINTS]
    events = [
        Event(
            at=NOW + DAY / 2, type=EventType.COMPLAINED, broadcast=broadcast.id, nonce=broadcast.nonce, subscriber=each
        )
        for each in some
    ]
    add_events(database, events)


def carry_out(world: World, where: Path | str, step: int, death: Death | None) -> bool:
    """Do a step in a process of its own. Return whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fate = Fate(death, world.log)
            carrier = MortalCarrier(chunk_size=20)
            carrier.fate = fate
            with open_database(where) as database:
                do(world, step, MortalDatabase(database, fate, world.log, most_pages=None), carrier)
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert ended in {0, 9}, "the step failed"
    return ended == 9


def run(world: World, *, dies_in: int = -1, death: Death | None = None) -> Ending | None:
    """Carry out all steps, with one death. Return None if the process did not come to that moment."""
    where = world.fresh()
    for step in range(STEPS):
        if step == dies_in and not carry_out(world, where, step, death):
            return None
        carry_out(world, where, step, None)
    with open_database(where) as database:
        for later in range(1, 4):  # the timer runs on
            run_at(world.config, database, Carrier(chunk_size=20), NOW + DAY + timedelta(minutes=5 * later))
        (broadcast,) = list_broadcasts(database)
        watch, tally = watch_of(database, broadcast.id), tally_of(database, broadcast.id)
        assert watch is not None
        assert tally.adds_up
        said = [each.entry for each in journal_of(database, broadcast.id)]
        return Ending(
            drawn=drawn_of(database, broadcast.id),
            state=broadcast.state,
            wave=watch.state,
            reached=tally.accepted + tally.unknown,
            decisions=said.count(Entry.RELEASED) + said.count(Entry.PAUSED),
        )


def require_the_same(world: World, undisturbed: Ending) -> int:
    """Kill each step at each moment. Return the number of deaths."""
    deaths = 0
    for step in range(STEPS):
        for moment in MOMENTS:
            for number in range(1, 1000):
                found = run(world, dies_in=step, death=Death(moment=moment, number=number))
                if found is None:
                    break
                assert found == undisturbed, f"step {step}, {moment} {number}"
                deaths += 1
    return deaths


def world_with(tmp_path: Path, fresh: Callable[[], Path | str], *, is_bad: bool) -> World:
    config = load_config(write_workspace(tmp_path / "workspace"))
    order = Order(
        folder=require_issue(config, "2026-02"), segment=EVERYONE, canary=CanaryWish(is_wanted=True, people=FIRST)
    )
    with open_database(fresh()) as database:
        plan = plan_broadcast(config, database, order, provider=Carrier(chunk_size=20), now=NOW)
    assert plan.request.waves is not None
    request = replace(plan.request, waves=replace(plan.request.waves, seed="of all runs"))
    plan = replace(plan, request=request)
    return World(config=config, plan=plan, is_bad=is_bad, fresh=fresh, log=EventLog(tmp_path / "log"))


def populate(location: Path | str) -> None:
    with open_database(location) as database:
        add(database, *(row(f"p{number:02}@{('gmail.com', 'example.org')[number % 2]}") for number in range(PEOPLE)))


def endings(is_bad: bool, drawn: dict[int, str]) -> Ending:
    if is_bad:
        return Ending(drawn, BroadcastState.PAUSED, WaveState.HELD, reached=FIRST, decisions=1)
    return Ending(drawn, BroadcastState.DONE, WaveState.REST, reached=PEOPLE, decisions=1)


@pytest.mark.parametrize("is_bad", [False, True], ids=["well", "bad"])
def test_kills_at_any_moment_change_neither_the_draw_nor_the_decision(tmp_path: Path, is_bad: bool) -> None:
    template, count = tmp_path / "template.db", iter(range(10_000))
    populate(template)

    def fresh() -> Path:
        path = tmp_path / f"{next(count)}.db"
        copy(template, path)
        return path

    world = world_with(tmp_path, fresh, is_bad=is_bad)
    undisturbed = run(world)

    assert undisturbed is not None
    assert undisturbed == endings(is_bad, undisturbed.drawn)
    assert len(undisturbed.drawn) == FIRST
    assert require_the_same(world, undisturbed) > (50 if EVERYWHERE else 15)


@pytest.mark.skipif(not EVERYWHERE, reason="NEWSLETTER_LONG_TESTS is not set")
def test_the_same_on_postgresql(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    urls: list[str] = []

    def fresh() -> str:
        urls.append(postgresql_server.fresh_database())
        populate(urls[-1])
        return urls[-1]

    world = world_with(tmp_path, fresh, is_bad=True)
    undisturbed = run(world)

    assert undisturbed == endings(True, undisturbed.drawn if undisturbed else {})
    assert require_the_same(world, undisturbed) > 20
    for url in urls:
        postgresql_server.drop_database(url)
