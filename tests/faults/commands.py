"""What the processes of a run do: each function is one command, as a person or a timer would start it.

They run on the program's own code: those that send, or are to die, in children of the fork server. There, what would
take minutes of waiting is set to less; nothing else of the program is changed. The result is the exit status.
"""

import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from newsletter.config import Config
from newsletter.errors import InputError, MachineError, NewsletterError, ProviderError, StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Schedule
from newsletter.model.ledger import FreezeRequest, Resolution
from newsletter.model.segment import Segment, Tagged
from newsletter.providers.registry import open_provider
from newsletter.settings.workspace import Settings
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.opening import open_database
from newsletter.store.postgresql.connection import PostgresConnection
from newsletter.store.suppressions import add_suppression
from newsletter.system.log import no_log
from newsletter.workflows.send import drain, gate
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.plan import reopen_broadcast
from newsletter.workflows.send.resolve import reconcile as find_evidence
from newsletter.workflows.send.run_due import run_due as process_due
from newsletter.workflows.send.worker import drains, service
from tests.faults.api import API_KEY
from tests.faults.eventlog import EventLog
from tests.faults.planted import plant
from tests.faults.seams import Death, Fate, MortalDatabase, MortalProvider
from tests.faults.timeline import RunClock
from tests.store.builders import ENVELOPE, axes, variant

CRASHED = 70
NOT_KEPT = 4  # the database could not be used
_CODES: dict[type[NewsletterError], int] = {
    InputError: 2,
    ProviderError: 3,
    StoreError: NOT_KEPT,
    MachineError: NOT_KEPT,
}
_PATIENCE = timedelta(seconds=2)
_LONGEST_HOLD = timedelta(hours=72)
_SILENT = Listener(on_settled=lambda _: None, on_wait=lambda *_: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all commands of a run have in common."""

    location: Path | str  # of the database
    log: Path
    issue: str
    tag: str  # of the people who get it
    chunk_size: int
    provider: str
    settings: Mapping[str, Any]  # the provider's table
    elsewhere: Mapping[str, Any]  # the same, with a place that takes nothing
    clock: RunClock
    bell: int | None = None  # the port at which requests are announced, if the provider has no server
    concurrency: int = 1
    per_minute: int | None = None  # the pace
    kind: str = "issue"  # of the broadcast
    planted: str = ""  # the fault that is planted in the program, if any
    wait_seconds: float = 10.0  # that a step waits for the database
    most_bytes: int | None = None  # that the process may write into one file
    most_pages: int | None = None  # that SQLite's file may have
    database: Database | None = None  # open already, where the command needs no process of its own

    def opened(self) -> AbstractContextManager[Database]:
        """The database, for the length of a command."""
        if self.database is not None:
            return nullcontext(self.database)
        return open_database(self.location, wait_seconds=self.wait_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a command works with."""

    scene: Scene
    database: MortalDatabase
    log: EventLog
    fate: Fate
    unreachable: frozenset[int] = field(default_factory=frozenset)  # requests that reach no server

    @property
    def config(self) -> Config:
        """The workspace's."""
        return _config(self.scene, self.scene.settings)

    def provider(self) -> MortalProvider:
        """The provider's adapter, with small chunks."""
        environ, clock = {"SENDGRID_API_KEY": API_KEY}, self.scene.clock.now
        return MortalProvider(
            open_provider(self.config, environ, clock=clock),
            open_provider(_config(self.scene, self.scene.elsewhere), environ, clock=clock),
            chunk_size=self.scene.chunk_size,
            unreachable_requests=self.unreachable,
            began=lambda: self.database.last_began,
            clock=clock,
            bell=self.scene.bell,
            fate=self.fate,
            log=self.log,
        )


def freeze(
    scene: Scene, *, hold: timedelta | None = None, is_local_time: bool = False, death: Death | None = None
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
        )
        frozen = freeze_broadcast(desk.database, request, [variant()], chunk_size=scene.chunk_size, now=now)
        desk.log.write("frozen", broadcast=frozen.id)

    return _carry_out("freeze", scene, work, death=death)


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

    _hurry(scene)
    return _carry_out("send", scene, work, death=death, unreachable=unreachable)


def run_due(
    scene: Scene, *, broadcast: int, death: Death | None = None, unreachable: frozenset[int] = frozenset()
) -> int:
    """Does what is due of every scheduled broadcast, as a timer would have it done."""

    def work(desk: Desk) -> None:
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

    _hurry(scene)
    return _carry_out("send", scene, work, death=death, unreachable=unreachable)


def work_queue(
    scene: Scene, *, broadcast: int, death: Death | None = None, unreachable: frozenset[int] = frozenset()
) -> int:
    """Works as a worker of the queue until nothing is due any more; then a SIGTERM ends it."""

    def work(desk: Desk) -> None:
        @contextmanager
        def opened(_location: object) -> Iterator[MortalDatabase]:
            with open_database(scene.location, wait_seconds=scene.wait_seconds) as database:
                yield desk.database.around(database)

        drains.open_database = opened
        provider = desk.provider()
        watch = Thread(target=_end_when_idle, args=(drains.Drains(desk.config, provider, no_log),), daemon=True)
        watch.start()
        service.run_worker(desk.config, str(scene.location), provider, concurrency=1, log=no_log)

    _hurry(scene)
    return _carry_out("send", scene, work, death=death, unreachable=unreachable)


def resume(scene: Scene, *, broadcast: int, death: Death | None = None) -> int:
    """Takes note of what dead processes left, and lets the broadcast go on."""

    def work(desk: Desk) -> None:
        reopen_broadcast(desk.database, broadcast, now=scene.clock.now())

    return _carry_out("resume", scene, work, death=death)


def pause(scene: Scene, *, broadcast: int) -> int:
    """Holds the broadcast back."""
    return _carry_out(
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

    return _carry_out("cancel", scene, work, death=death)


def suppress(scene: Scene, *, email: str) -> int:
    """Unsubscribe someone."""
    return _carry_out(
        "suppress",
        scene,
        lambda desk: add_suppression(desk.database, email, SuppressionReason.UNSUBSCRIBED, now=scene.clock.now()),
        email=email,
    )


def reconcile(scene: Scene, *, broadcast: int, death: Death | None = None) -> int:
    """Looks into the provider's log for what is unknown."""
    return _carry_out(
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

    return _carry_out("resolve", scene, work, death=death)


def _carry_out(
    name: str,
    scene: Scene,
    work: Callable[[Desk], object],
    *,
    death: Death | None = None,
    unreachable: frozenset[int] = frozenset(),
    **facts: object,
) -> int:
    """Runs a command on a database of its own, and writes into the log how it ended."""
    _limit(scene)
    log = EventLog(scene.log)
    fate = Fate(death, log)
    log.write(name, **facts)
    try:
        plant(scene.planted)
        with scene.opened() as opened:
            database = MortalDatabase(opened, fate, log, most_pages=scene.most_pages)
            work(Desk(scene=scene, database=database, log=log, fate=fate, unreachable=unreachable))
    except NewsletterError as err:
        log.write(f"{name} failed", error=type(err).__name__, message=str(err))
        return _CODES[type(err)]
    except BaseException:
        log.write(f"{name} crashed", traceback=traceback.format_exc())
        return CRASHED
    log.write(f"{name} ended", **facts)
    return 0


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


def _hurry(scene: Scene) -> None:
    """Sets a process that sends up: short waits, and a name that the database knows it by."""
    drain._LONGEST_BACKOFF_SECONDS = 0.05
    drain._LONGEST_WAIT_SECONDS = 0.05
    if scene.clock.speed > 1:
        gate._NAP_SECONDS = 0.02
    service.LOOK_SECONDS = 0.05
    service._AFTER_NOTHING_SECONDS = service._AFTER_FAILURE_SECONDS = 0.05
    service._FIRST_PAUSE_SECONDS = service._LONGEST_PAUSE_SECONDS = 0.05
    if isinstance(scene.location, str):
        named = partial(PostgresConnection.connect, application_name=session_name(os.getpid()))
        PostgresConnection.connect = staticmethod(named)


def _limit(scene: Scene) -> None:
    """Leaves the process as much room as there is; none will be made while it tries to record an outcome."""
    if scene.most_bytes is not None:
        drain._FIRST_RECORD_PAUSE_SECONDS = 0.002
        resource.setrlimit(resource.RLIMIT_FSIZE, (scene.most_bytes, scene.most_bytes))


def session_name(pid: int) -> str:
    """What PostgreSQL calls the connections of a process of ours."""
    return f"faults-{pid}"


def _config(scene: Scene, table: Mapping[str, Any]) -> Config:
    pace = {"pace": {"per_minute": scene.per_minute}} if scene.per_minute else {}
    concurrency = {"concurrency": scene.concurrency} if scene.provider != "outbox" else {}
    settings = {
        "newsletter": {
            "name": "The Gentle Letter",
            "organization": "Example",
            "from": "The Gentle Letter <letter@example.org>",
            "address": "1 Example Street, Exampleton",
            "website": "https://example.org",
            "reason": "You signed up at example.org.",
            "timezone": "America/Los_Angeles",
        },
        "service": {"url": "https://news.example.org"},
        "provider": {"use": scene.provider, scene.provider: {**table, **concurrency, **pace}},
        **({"database": {"url": scene.location}} if isinstance(scene.location, str) else {}),
    }
    return Config(root=scene.log.parent, settings=Settings.model_validate(settings))
