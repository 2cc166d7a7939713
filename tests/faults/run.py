"""A run from beginning to end: a list of people, the API, a plan, and what came of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from newsletter.lists.exports import batch_of
from newsletter.store.merge import merge_subscribers
from tests.faults import commands
from tests.faults.api import FaultyApi
from tests.faults.commands import API_KEY, Scene
from tests.faults.director import Director
from tests.faults.eventlog import EventLog
from tests.faults.plan import Misfortune, Plan, draw_plan
from tests.faults.processes import Processes
from tests.faults.stores import Store
from tests.faults.story import Story
from tests.store.builders import NOW, row

_ZONES = ("", "Etc/GMT+1", "Etc/GMT-5")  # west and east of Greenwich, in this order


def carry_out(plan: Plan, store: Store, processes: Processes, folder: Path) -> Story:
    """Runs a plan to its end, and says which promises it broke."""
    with directed(plan, store, processes, folder) as director:
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
def directed(plan: Plan, store: Store, processes: Processes, folder: Path) -> Iterator[Director]:
    """A list of people, the API, and the director who will send to them."""
    log, is_calm = EventLog(folder / f"run-{plan.seed}.log"), threading.Event()

    def misfortune(request: int) -> Misfortune:
        return Misfortune.NONE if is_calm.is_set() else plan.misfortune(request)

    with FaultyApi(misfortune=misfortune, log=log, api_key=API_KEY) as api:
        scene = Scene(
            location=store.location,
            log=log.path,
            api_url=api.url,
            issue=f"issue-{plan.seed}",
            tag=f"run{plan.seed}",
            chunk_size=plan.chunk_size,
            concurrency=plan.concurrency,
        )
        director = Director(plan=plan, scene=scene, store=store, processes=processes, api=api, log=log, is_calm=is_calm)
        with store.opened() as database:
            people = [
                row(email, timezone=_ZONES[number % len(_ZONES)], tags=(scene.tag,))
                for number, email in enumerate(director.people)
            ]
            merge_subscribers(database, [batch_of(people)], now=NOW)
        try:
            yield director
        finally:
            director.end_all()
