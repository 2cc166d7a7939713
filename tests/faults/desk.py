"""What the commands of a run work with: the scene that they have in common, and the program set up for a test."""

import os
import resource
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from newsletter.config import Config
from newsletter.errors import InputError, MachineError, NewsletterError, ProviderError, StoreError
from newsletter.providers.registry import open_provider
from newsletter.settings.workspace import Settings
from newsletter.store.database import Database
from newsletter.store.ledger import deferrals
from newsletter.store.opening import open_database
from newsletter.store.postgresql.connection import PostgresConnection
from newsletter.workflows.send import drain, gate, stalls
from newsletter.workflows.send.worker import service
from tests.faults.api import API_KEY
from tests.faults.eventlog import EventLog
from tests.faults.planted import plant
from tests.faults.seams import Death, Fate, MortalDatabase, MortalProvider
from tests.faults.timeline import RunClock

CRASHED = 70
NOT_KEPT = 4  # the database could not be used
_CODES: dict[type[NewsletterError], int] = {
    InputError: 2,
    ProviderError: 3,
    StoreError: NOT_KEPT,
    MachineError: NOT_KEPT,
}


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
    planted: str = ""  # the fault that is planted in the program, if any
    wait_seconds: float = 10.0  # that a step waits for the database
    most_bytes: int | None = None  # that the process may write into one file
    most_pages: int | None = None  # that SQLite's file may have
    database: Database | None = None  # open already, where the command needs no process of its own

    def opened(self) -> AbstractContextManager[Database]:
        """The database, for the length of a command."""
        if self.database is not None:
            return nullcontext(self.database)
        return open_database(self.location, workspace=self.log.parent, wait_seconds=self.wait_seconds)


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


def carry_out(
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
        return next(code for kind, code in _CODES.items() if isinstance(err, kind))
    except BaseException:
        log.write(f"{name} crashed", traceback=traceback.format_exc())
        return CRASHED
    log.write(f"{name} ended", **facts)
    return 0


def hurry(scene: Scene) -> None:
    """Sets a process that sends up: short waits, and a name that the database knows it by."""
    stalls._LONGEST_BACKOFF_SECONDS = stalls._SHORT_BACKOFF_SECONDS = stalls._LONG_BACKOFF_SECONDS = 0.05
    stalls._LONGEST_WAIT_SECONDS = 0.05
    drain._SHORTEST_WAIT = deferrals._FIRST_WAIT = timedelta(milliseconds=20)
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
