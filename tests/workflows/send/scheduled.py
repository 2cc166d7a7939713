"""Broadcasts with a time, a clock that a test sets, and a provider that holds mail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import Broadcast
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.carry_out import DoneBroadcast
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast
from newsletter.workflows.send.run_due import run_due
from newsletter.workflows.send.schedule import read_schedule
from tests.store.builders import EVERYONE
from tests.workflows.send.carriers import Carrier

NOW = datetime(2026, 2, 17, 13, 0, tzinfo=UTC)  # a Tuesday, 5:00 am in Los Angeles
THURSDAY = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)  # 8:00 am in Los Angeles
AT = "2026-02-19 08:00"
DEAF = Listener(on_settled=lambda _: None, on_wait=lambda _until, _reason: None)


@dataclass(slots=True)
class SetClock:
    """What time it is for the code under test."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Hurried:
    """A clock that goes on by some seconds each time that it is read, so that short waits take no time."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=5)
        return self.now


@dataclass(slots=True)
class Holder:
    """A scheduler that remembers what it was asked; `failing` is what it says instead of an answer."""

    longest: timedelta = timedelta(hours=71)
    margin: timedelta = timedelta(minutes=10)
    most_cancelled: int = 10
    failing: str = ""
    opened: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    on_cancel: Callable[[], None] = lambda: None

    def open_batch(self) -> str:
        """Another id each time."""
        self._answer()
        self.opened.append(f"batch-{len(self.opened) + 1}")
        return self.opened[-1]

    def cancel_batch(self, batch_id: str) -> None:
        """Remembers it."""
        self._answer()
        self.on_cancel()
        self.cancelled.append(batch_id)

    def clear_batch(self, batch_id: str) -> None:
        """Remembers it."""
        self._answer()
        self.cleared.append(batch_id)

    def _answer(self) -> None:
        if self.failing:
            raise ProviderError(self.failing)


def plan_at(
    config: Config,
    database: Database,
    carrier: Carrier,
    *,
    at: str | None = AT,
    is_local_time: bool = False,
    now: datetime = NOW,
) -> BroadcastPlan:
    """A plan for everyone."""
    zone = config.settings.newsletter.timezone
    schedule = None if at is None else read_schedule(at, zone=zone, is_local_time=is_local_time, now=now)
    return plan_broadcast(
        config,
        database,
        Order(folder=require_issue(config, "2026-02"), segment=EVERYONE, schedule=schedule),
        provider=carrier,
        now=now,
    )


def freeze_at(
    config: Config,
    database: Database,
    carrier: Carrier,
    *,
    at: str | None = AT,
    is_local_time: bool = False,
    now: datetime = NOW,
) -> Broadcast:
    """A frozen broadcast for everyone."""
    made = plan_at(config, database, carrier, at=at, is_local_time=is_local_time, now=now)
    return start_broadcast(database, made, carrier, now=now)


def run_at(config: Config, database: Database, carrier: Carrier, now: datetime) -> list[DoneBroadcast]:
    """What one run of `run-due` did at a moment."""
    return list(run_due(config, database, lambda: carrier, listener=DEAF, new_stop=Event, clock=SetClock(now)))
