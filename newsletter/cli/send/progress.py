"""Show mail on its way: a bar, what it waits for, how Ctrl-C ends it, and how the broadcast stands then."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct, field

from newsletter.cli import bars, output
from newsletter.cli.send.status import print_broadcast
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_clock, say_distance
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.schedule import PATIENCE
from newsletter.workflows.send.status import BroadcastStatus, status_of

_WORTH_TELLING = timedelta(seconds=20)  # a pace by the second or the minute waits all the time
_NEVER = datetime.min.replace(tzinfo=UTC)
_TELL_AGAIN_AFTER = timedelta(minutes=10)


class Interruption(Struct):
    """Whether a person asked the process to end; each event that it gives is set as soon as they do."""

    is_asked: bool = False
    _events: list[Event] = field(default_factory=list)

    def new_stop(self) -> Event:
        """Return an event for one drain, which may also set it itself."""
        event = Event()
        self._events.append(event)
        if self.is_asked:
            event.set()
        return event

    def ask(self) -> None:
        """Ask all work under way to end."""
        self.is_asked = True
        for event in self._events:
            event.set()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let the first Ctrl-C, or the system's SIGTERM, finish what is in hand; a second one does not wait."""
    interruption = Interruption()

    def on_signal(_number: int, _frame: object) -> None:
        if interruption.is_asked:
            raise KeyboardInterrupt
        interruption.ask()
        output.note("Stopping: the requests in hand are finished and recorded first …")

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def hand_over(
    config: Config, database: Database, broadcast: Broadcast, provider: Provider, *, ahead: timedelta | None
) -> None:
    """Hand over what is due of a broadcast with a progress bar, and say how it ended.

    What is scheduled does not keep a person waiting for the pace: `run-due` hands over the rest. Raise typer.Exit
    where not everybody was reached.
    """
    waiting = status_of(database, broadcast.id).tally.waiting
    title = f"Broadcast {broadcast.id}"
    with interruptible() as interruption, bars.progress(title, waiting, unit="deliveries") as advance:
        listener, stop = Listener(on_settled=advance, on_wait=Teller(config).tell), interruption.new_stop()
        patience = PATIENCE if broadcast.is_scheduled else None
        try:
            deliver(config, database, broadcast, provider, ahead=ahead, listener=listener, stop=stop, patience=patience)
            failure = ""
        except ProviderError as err:
            failure = str(err)
    found = status_of(database, broadcast.id)
    if failure:
        output.print_error(failure)
    print_broadcast(config, found)
    if failure:
        raise typer.Exit(ProviderError.exit_code)
    if interruption.is_asked and found.tally.waiting:
        if isinstance(config.database, str):
            output.note(f"Workers, where any run, go on with it; `newsletter cancel {broadcast.id}` ends it for all.")
        raise KeyboardInterrupt
    if code := exit_code_of(found):
        raise typer.Exit(code)


def longest_hold(provider: Provider) -> timedelta | None:
    """Return how far ahead of its time the provider takes mail, or None where it holds none."""
    return provider.scheduler.longest if provider.scheduler is not None else None


def exit_code_of(status: BroadcastStatus) -> int:
    """Return 0 where all is well, 1 where not everybody was reached, 3 where the provider holds the rest back."""
    broadcast, tally = status.broadcast, status.tally
    goes_on_by_itself = broadcast.is_scheduled and broadcast.state in {BroadcastState.RUNNING, BroadcastState.SCHEDULED}
    if tally.waiting and not goes_on_by_itself:
        return ProviderError.exit_code
    return 1 if tally.unknown or tally.rejected else 0


class Teller(Struct):
    """Tells what mail waits for, where the wait is worth a line."""

    config: Config
    _reason: str = ""
    _told_at: datetime = _NEVER

    def tell(self, until: datetime, reason: str) -> None:
        """Tell a person until when nothing is handed over, and why."""
        now = datetime.now(UTC)
        is_repeated = reason == self._reason and now - self._told_at < _TELL_AGAIN_AFTER
        if until - now < _WORTH_TELLING or is_repeated:
            return
        self._reason, self._told_at = reason, now
        clock = say_clock(until.astimezone(ZoneInfo(self.config.settings.newsletter.timezone)))
        output.note(f"Nothing leaves until {clock}, {say_distance(until - now)}: {reason}")
