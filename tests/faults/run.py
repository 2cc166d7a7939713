"""A run from beginning to end: a list of people, the API, a plan, and what came of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zoneinfo import available_timezones

from newsletter.lists.exports import batch_of
from newsletter.store.merge import merge_subscribers
from newsletter.system.moments import moment_of
from tests.faults import commands
from tests.faults.api import FaultyApi
from tests.faults.desk import Scene
from tests.faults.director import Director
from tests.faults.eventlog import EventLog
from tests.faults.misfortunes import NOTHING, Misfortune, Mishap
from tests.faults.plan import FOR_GOOD, Plan, draw_plan
from tests.faults.post import OutboxFolder, Post
from tests.faults.processes import Processes
from tests.faults.relay import FaultyRelay
from tests.faults.stores import Store
from tests.faults.story import Story
from tests.faults.timeline import RunClock
from tests.faults.transitions import watch
from tests.store.builders import KEY, NOW, row

# None, then west and east of Greenwich, then as many more as a plan wants.
_NEAR_ZONES = ("", "Etc/GMT+1", "Etc/GMT-5")
_ZONES = (*_NEAR_ZONES, *islice((each for each in sorted(available_timezones()) if "/" in each), 0, None, 9))


def carry_out(plan: Plan, store: Store, processes: Processes, folder: Path, *, planted: str = "") -> Story:
    """Runs a plan to its end, and says which promises it broke."""
    with directed(plan, store, processes, folder) as director:
        director.scene = replace(director.scene, planted=planted)
        try:
            director.tell()
        except (TimeoutError, AssertionError) as err:
            director.end_all()
            return director.judge(f"the run did not come to its end: {err}")
        return director.judge()


def rehearse(store: Store, processes: Processes, folder: Path) -> None:
    """Let the fork server itself send an email, so that everything for it is imported and compiled in its children."""
    plan = draw_plan(0)
    with directed(replace(plan, people=1, hold=None), store, processes, folder) as director:
        director.is_calm.set()
        for function, arguments in (
            (commands.freeze, {}),
            (commands.resume, {"broadcast": 1}),
            (commands.send, {"broadcast": 1}),
        ):
            processes.rehearse(function, scene=director.scene, **arguments)


@contextmanager
def directed(
    plan: Plan, store: Store, processes: Processes, folder: Path, *, given: Post | None = None
) -> Iterator[Director]:
    """A list of people, the post, and the director who will send to them. A given post is open already."""
    log, is_calm = EventLog(folder / f"run-{plan.seed}.log"), threading.Event()

    def misfortune(request: int) -> StrEnum:
        return NOTHING[plan.provider] if is_calm.is_set() else plan.misfortune(request)

    def deferrals(email: str) -> int:
        number = plan.deferrals(email)
        return 0 if is_calm.is_set() and number != FOR_GOOD else number

    clock = RunClock(start=datetime.now(UTC), ahead=_past_other_claims(plan, store), speed=plan.speed)
    directors: list[Director] = []  # one, who has the time
    opened = (
        nullcontext(given)
        if given is not None
        else _post_of(
            plan,
            folder,
            misfortune=misfortune,
            deferrals=deferrals,
            is_calm=is_calm.is_set,
            log=log,
            now=lambda: directors[0].clock.now() if directors else clock.now(),
        )
    )
    with opened as post:
        scene = Scene(
            location=store.location,
            log=log.path,
            issue=f"issue-{plan.seed}",
            tag=f"run{plan.seed}",
            chunk_size=plan.chunk_size,
            provider=plan.provider,
            settings=post.settings,
            elsewhere=post.elsewhere,
            clock=clock,
            bell=post.bell if isinstance(post, OutboxFolder) else None,
            concurrency=plan.concurrency,
            per_minute=plan.per_minute,
        )
        director = Director(
            plan=plan, scene=scene, store=store, processes=processes, post=post, log=log, is_calm=is_calm
        )
        directors.append(director)
        with store.opened() as database:
            people = [
                row(email, timezone=_ZONES[number % min(plan.zones, len(_ZONES))], tags=(scene.tag,))
                for number, email in enumerate(director.people)
            ]
            merge_subscribers(database, [batch_of(people)], key=KEY, now=NOW)
            watch(database, is_postgresql=isinstance(store.location, str))
        try:
            yield director
        finally:
            director.end_all()


def _past_other_claims(plan: Plan, store: Store) -> timedelta:
    """Return how far ahead a run with a pace begins, so that the claims of earlier runs use up none of it."""
    if plan.per_minute is None:
        return timedelta()
    with store.opened() as database, database.read() as connection:
        ((last,),) = connection.execute("SELECT max(claimed_at) FROM chunk", {}).fetchall()
    return max(moment_of(last) - datetime.now(UTC), timedelta()) + timedelta(days=1) if last else timedelta()


def _post_of(
    plan: Plan,
    folder: Path,
    *,
    misfortune: Callable[[int], StrEnum],
    deferrals: Callable[[str], int],
    is_calm: Callable[[], bool],
    log: EventLog,
    now: Callable[[], datetime],
) -> Post:
    """What takes the emails of a run."""
    if plan.provider == "outbox":
        return OutboxFolder(folder / f"post-{plan.seed}")
    patience = {"log": log, "timeout_seconds": plan.timeout_seconds}
    if plan.provider == "smtp":
        return FaultyRelay(
            misfortune=lambda number: Mishap(misfortune(number)), deferrals=deferrals, is_calm=is_calm, **patience
        )
    return FaultyApi(misfortune=lambda number: Misfortune(misfortune(number)), clock=now, **patience)
