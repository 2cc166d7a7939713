"""One run of a broadcast on a copy of the data: everything that the commands would do, until nothing more happens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.workflows.rehearse.twin import Twin
from newsletter.workflows.rehearse.virtual_time import VirtualTime
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.begin import Beginning
from newsletter.workflows.send.carry_out import Work
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.schedule import PATIENCE, lead_of
from newsletter.workflows.send.watching import watch_due

_UNFINISHED = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.CANCELLING})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_WAITS = frozenset({BroadcastState.WATCHING, BroadcastState.PAUSED})  # for more than its scheduled time
_LONGEST = timedelta(days=180)
_LOOKS_EVERY = {  # as the service, the timer's documentation, the workers and a terminal do
    Awake.SERVE: timedelta(minutes=1),
    Awake.TIMER: timedelta(minutes=5),
    Awake.WORKER: timedelta(minutes=1),
    Awake.HERE: timedelta(seconds=10),
}


class Wait(Struct, frozen=True, kw_only=True):
    """A time in which nothing was sent."""

    begins: datetime
    ends: datetime
    reason: str


class RehearsedRun(Struct, kw_only=True):
    """A broadcast that is sent on a virtual clock. Everything that knows the time is `time`."""

    config: Config
    database: Database
    twin: Twin
    time: VirtualTime
    broadcast: int
    awake: Awake
    on_settled: Callable[[int], None] = lambda _count: None
    waits: list[Wait] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def begin(self, beginning: Beginning) -> None:
        """Do what the command that created the broadcast does: wait for the grace period, then send what is due."""
        found = self.current()
        if not beginning.is_now:
            return
        if found.grace_until is not None:
            self.time.move_to(found.grace_until)
        deliver(
            self.config,
            self.database,
            found,
            self.twin,
            ahead=beginning.ahead,
            listener=self.listener(),
            stop=self.time.new_event(),
            patience=PATIENCE if found.is_scheduled else None,
            clock=self.time,
            sleep=self.time.sleep,
        )

    def to_end(self) -> None:
        """Let the service, a timer or a worker send the rest, until only a person could do more."""
        began, work = self.time(), self._work()
        next_at: datetime | None = None
        while is_open(found := self.current()) and self.time() - began < _LONGEST:
            self._move_to_look(next_at)
            known = len(self.waits)
            if found.state is BroadcastState.WATCHING:
                self._report_deliveries(found)
            for _ in watch_due(work):  # the rest follows a first wave, or is held
                found = self.current()
            done = work.process(found, stop=self.time.new_event())
            if done.failure:
                self.failures.append(done.failure)
            if found.state in _WAITS and done.found.until is not None:
                self._on_wait(done.found.until, done.found.reason)
            told = [wait.ends for wait in self.waits[known:]] if done.waits else []
            next_at = done.found.until or max(told, default=None)

    def current(self) -> Broadcast:
        """Return the broadcast as the ledger has it."""
        return require_broadcast(self.database, self.broadcast)

    def listener(self) -> Listener:
        """Return a listener that records the waits."""
        return Listener(on_settled=self.on_settled, on_wait=self._on_wait, on_note=self.failures.append)

    def _report_deliveries(self, found: Broadcast) -> None:
        """Save that what the twin accepted so far was delivered. Providers report that, so silence would be a fault."""
        delivered = [
            Event(
                at=each.reaches_at,
                type=EventType.DELIVERED,
                broadcast=found.id,
                nonce=found.nonce,
                subscriber=person,
            )
            for each in self.twin.handed
            for person in each.people
        ]
        add_events(self.database, delivered)

    def _on_wait(self, until: datetime, reason: str) -> None:
        self.waits.append(Wait(begins=self.time(), ends=until, reason=reason))

    def _work(self) -> Work:
        return Work(
            config=self.config,
            database=self.database,
            opened=lambda: self.twin,
            listener=self.listener(),
            new_stop=self.time.new_event,
            clock=self.time,
        )

    def _move_to_look(self, next_at: datetime | None) -> None:
        """Move to the next look at what is due. Looks at which nothing could happen are left out."""
        now, every = self.time(), _LOOKS_EVERY[self.awake]
        ahead = lead_of(self.config) if self.twin.scheduler is not None else timedelta()
        wanted = max(now, next_at - ahead) if next_at is not None else now
        if self.awake is Awake.SERVE and wanted > now:  # the service looks when something is due
            self.time.move_to(wanted)
            return
        passed = (max(wanted, now + _TICK) - _EPOCH) // -every  # at full minutes and so on, as timers do
        self.time.move_to(_EPOCH - passed * every)


def is_open(broadcast: Broadcast) -> bool:
    """Return whether something of a broadcast is still sent without a person."""
    return broadcast.state in _UNFINISHED or broadcast.continues_at is not None


def offline(config: Config) -> Config:
    """Return the settings without what would reach the network while a broadcast is sent."""
    archive = config.settings.archive
    if archive is None:
        return config
    settings = config.settings.model_copy(update={"archive": archive.model_copy(update={"to": None})})
    return replace(config, settings=settings)
