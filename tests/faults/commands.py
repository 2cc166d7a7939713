"""What the processes of a run do: each function is one command, as a person or a timer would start it.

They run on the program's own code: those that send, or are to die, in children of the fork server. There, what would
take minutes of waiting is set to less; nothing else of the program is changed. The result is the exit status.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind, Schedule
from newsletter.model.ledger import FreezeRequest, Resolution
from newsletter.model.segment import Segment, Tagged
from newsletter.model.waves import Waves
from newsletter.store.forgotten import forget_person
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.opening import open_database
from newsletter.store.restore import _leave_open as leave_open
from newsletter.store.suppressions import add_suppression
from newsletter.system.log import no_log
from newsletter.system.moments import text_of
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.plan import reopen_broadcast
from newsletter.workflows.send.resolve import reconcile as find_evidence
from newsletter.workflows.send.run_due import run_due as process_due
from newsletter.workflows.send.worker import drains, service
from tests.faults.desk import Desk, Scene, carry_out, hurry
from tests.faults.seams import Death, MortalDatabase
from tests.store.builders import ENVELOPE, KEY, axes, variant

TOPIC = "news"  # of every issue
_PATIENCE = timedelta(seconds=2)
_LONGEST_HOLD = timedelta(hours=72)
_SILENT = Listener(on_settled=lambda _: None, on_wait=lambda *_: None)


class Leaving(StrEnum):
    """What someone leaves, or asks for."""

    LIST = "list"
    TOPIC = "topic"
    ERASED = "erased"  # from everything


def freeze(
    scene: Scene,
    *,
    kind: BroadcastKind = BroadcastKind.ISSUE,
    hold: timedelta | None = None,
    is_local_time: bool = False,
    grace: timedelta = timedelta(),
    waves: Waves | None = None,
    death: Death | None = None,
) -> int:
    """Freezes the issue for the people of the run, for now or for a time to come."""

    def work(desk: Desk) -> None:
        now = scene.clock.now()
        wall_time = (now + hold).replace(tzinfo=None) if hold else None
        request = FreezeRequest(
            issue=scene.issue,
            segment=Segment(name=scene.tag, expression=f'tagged("{scene.tag}")', condition=Tagged(scene.tag)),
            axes=axes(),
            provider=scene.provider,
            content_hash="abc",
            envelope=ENVELOPE,
            schedule=Schedule(wall_time=wall_time, zone="UTC", is_local_time=is_local_time) if wall_time else None,
            topics=(TOPIC,),
            kind=kind,
            grace=grace,
            waves=waves,
        )
        frozen = freeze_broadcast(desk.database, request, [variant()], chunk_size=scene.chunk_size, now=now)
        desk.log.write("frozen", broadcast=frozen.id)

    return carry_out("freeze", scene, work, death=death)


def send(scene: Scene, *, broadcast: int, death: Death | None = None, unreachable: frozenset[int] = frozenset()) -> int:
    """Hands over what is due; of a scheduled broadcast, all that the provider can hold."""

    def work(desk: Desk) -> None:
        ended = deliver(
            desk.config,
            desk.database,
            require_broadcast(desk.database, broadcast),
            desk.provider(),
            ahead=_LONGEST_HOLD,
            listener=_SILENT,
            stop=Event(),
            clock=scene.clock.now,
        )
        desk.log.write("sent", broadcast=broadcast, state=ended.state, reason=ended.reason)

    hurry(scene)
    return carry_out("send", scene, work, death=death, unreachable=unreachable)


def run_due(
    scene: Scene, *, broadcast: int, death: Death | None = None, unreachable: frozenset[int] = frozenset()
) -> int:
    """Does what is due of every scheduled broadcast, as a timer would have it done."""

    def work(desk: Desk) -> None:
        began = scene.clock.now()
        due = process_due(
            desk.config,
            desk.database,
            desk.provider,
            listener=_SILENT,
            new_stop=Event,
            clock=scene.clock.now,
        )
        for done in due:
            desk.log.write("ran", broadcast=done.broadcast.id, state=done.broadcast.state, failure=done.failure)
        desk.log.write("timer ran", now=text_of(began))

    hurry(scene)
    return carry_out("send", scene, work, death=death, unreachable=unreachable)


def work_queue(
    scene: Scene, *, broadcast: int, death: Death | None = None, unreachable: frozenset[int] = frozenset()
) -> int:
    """Works as a worker of the queue until nothing is due any more; then a SIGTERM ends it."""

    def work(desk: Desk) -> None:
        @contextmanager
        def opened(_location: object, *, workspace: Path) -> Iterator[MortalDatabase]:
            with open_database(scene.location, wait_seconds=scene.wait_seconds, workspace=workspace) as database:
                yield desk.database.around(database)

        drains.open_database = opened
        drains.datetime = SimpleNamespace(now=lambda _utc: scene.clock.now())
        drains.Work = partial(drains.Work, clock=scene.clock.now)
        provider = desk.provider()
        watch = Thread(target=_end_when_idle, args=(drains.Drains(desk.config, provider, no_log),), daemon=True)
        watch.start()
        service.run_worker(desk.config, str(scene.location), provider, concurrency=1, log=no_log)

    hurry(scene)
    return carry_out("send", scene, work, death=death, unreachable=unreachable)


def resume(scene: Scene, *, broadcast: int, death: Death | None = None) -> int:
    """Takes note of what dead processes left, and lets the broadcast go on."""

    def work(desk: Desk) -> None:
        reopen_broadcast(desk.database, broadcast, now=scene.clock.now())

    return carry_out("resume", scene, work, death=death)


def pause(scene: Scene, *, broadcast: int) -> int:
    """Holds the broadcast back."""
    return carry_out(
        "pause",
        scene,
        lambda desk: pause_broadcast(desk.database, broadcast, "a person looks at it", now=scene.clock.now()),
    )


def cancel(scene: Scene, *, broadcast: int, death: Death | None = None) -> int:
    """Ends the broadcast, and takes back what the provider holds."""

    def work(desk: Desk) -> None:
        cancel_broadcast(
            desk.database,
            broadcast,
            desk.provider(),
            patience=_PATIENCE,
            on_wait=lambda _: None,
            stop=Event(),
            clock=scene.clock.now,
        )

    return carry_out("cancel", scene, work, death=death)


def leave(scene: Scene, *, email: str, way: Leaving = Leaving.LIST) -> int:
    """Has someone leave, who is not to be handed over from then on."""

    def work(desk: Desk) -> None:
        now = scene.clock.now()
        if way is Leaving.ERASED:
            forget_person(desk.database, email, key=KEY, now=now)
        else:
            topic = TOPIC if way is Leaving.TOPIC else ""
            add_suppression(desk.database, email, SuppressionReason.UNSUBSCRIBED, topic=topic, key=KEY, now=now)

    return carry_out("leave", scene, work, email=email, way=way, now=text_of(scene.clock.now()))


def reconcile(scene: Scene, *, broadcast: int, death: Death | None = None) -> int:
    """Looks into the provider's log for what is unknown."""
    return carry_out(
        "reconcile",
        scene,
        lambda desk: find_evidence(desk.database, broadcast, desk.provider(), now=scene.clock.now()),
        death=death,
    )


def resolve(
    scene: Scene, *, broadcast: int, decisions: dict[tuple[int, int], Resolution], death: Death | None = None
) -> int:
    """Decides about unknown chunks, each by its number and attempt."""

    def work(desk: Desk) -> None:
        for (chunk, attempt), resolution in decisions.items():
            resolve_chunk(
                desk.database, broadcast, chunk, attempt, resolution, detail="a person decided", now=scene.clock.now()
            )

    return carry_out("resolve", scene, work, death=death)


def restore(scene: Scene) -> int:
    """Does to the ledger what a restore does: what had been sent since the backup is unknown."""

    def work(desk: Desk) -> None:
        with desk.database.transaction() as connection:
            leave_open(connection, scene.clock.now(), now=scene.clock.now())

    return carry_out("restore", scene, work)


def _end_when_idle(look: drains.Drains) -> None:
    """End this worker once the ledger has no work for it."""
    pause = Event()
    while not pause.wait(0.05):
        try:
            if not look.due():
                os.kill(os.getpid(), signal.SIGTERM)
                return
        except StoreError:  # the database is gone for a while; the worker says so itself
            continue
