"""Show the progress of a broadcast, the reasons for waiting, and the status at the end. Handle Ctrl-C."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct

from newsletter.cli import bars, output
from newsletter.cli.send.status import print_broadcast
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_clock, say_distance, say_wait
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.system.signals import Interruption, ending_signals, leave_terminal
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.grace import await_grace, grace_left
from newsletter.workflows.send.schedule import PATIENCE
from newsletter.workflows.send.status import BroadcastStatus, status_of

_WORTH_TELLING = timedelta(seconds=20)  # limits per second or minute cause short waits all the time
_NEVER = datetime.min.replace(tzinfo=UTC)
_CONTINUES = frozenset({BroadcastState.RUNNING, BroadcastState.SCHEDULED, BroadcastState.WATCHING})
_TELL_AGAIN_AFTER = timedelta(minutes=10)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Begin nothing new after the first Ctrl-C, SIGTERM or SIGHUP, and stop at once after the second.

    SIGHUP, which is sent when a terminal is closed, is ignored if the process was started to ignore it, as by `nohup`.
    """
    interruption = Interruption()

    def on_signal(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        if interruption.is_asked:
            raise KeyboardInterrupt
        interruption.ask()
        with suppress(RuntimeError):  # the signal interrupted another line that is being printed
            output.note("Stopping. Waiting up to 10 seconds for replies to emails on their way …")

    previous = {number: signal.signal(number, on_signal) for number in ending_signals()}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def hand_over(
    config: Config, database: Database, broadcast: Broadcast, provider: Provider, *, ahead: timedelta | None
) -> None:
    """Send the emails of a broadcast that are due, with a progress bar, and print the status at the end.

    In the grace period, count down first; Ctrl-C then cancels the broadcast. If a scheduled broadcast has to wait
    because of its pace, return at once: `run-due` sends the rest. Raise typer.Exit if not everyone was reached.
    """
    failure = ""
    with interruptible() as interruption:
        broadcast = _count_down(config, database, broadcast, interruption)
        if is_called_off := broadcast.state in {BroadcastState.CANCELLING, BroadcastState.CANCELLED}:
            output.note(f"Broadcast {broadcast.id} was canceled in its grace period. Nothing was sent.")
        else:
            failure = _deliver(config, database, broadcast, provider, ahead=ahead, interruption=interruption)
    found = status_of(database, broadcast.id)
    if failure:
        output.print_error(failure)
    print_broadcast(config, found)
    if found.tally.accepted and (folder := emails_folder(config)):
        output.note(f"The emails are {folder}. Any email app can open them.")
    if failure:
        raise typer.Exit(ProviderError.exit_code)
    if interruption.is_asked and is_called_off:
        raise KeyboardInterrupt
    if interruption.is_asked and found.tally.waiting:
        if isinstance(config.database, str):
            output.note(f"Running workers continue this broadcast. To stop it, run `newsletter cancel {broadcast.id}`.")
        raise KeyboardInterrupt
    if code := exit_code_of(found):
        raise typer.Exit(code)


def _count_down(config: Config, database: Database, broadcast: Broadcast, interruption: Interruption) -> Broadcast:
    """Wait until the grace period of a broadcast is over or the broadcast is canceled. Return it as it is then."""
    left = grace_left(broadcast, now=datetime.now(UTC))
    if not left:
        return broadcast
    clock = say_clock((datetime.now(UTC) + left).astimezone(ZoneInfo(config.settings.newsletter.timezone)))
    callable_off = f"Until then, Ctrl-C or `newsletter cancel {broadcast.id}` reaches no one."
    output.note(f"Sending begins at {clock}, in {say_wait(left)}. {callable_off}")
    # The signal handler sets the event. The main thread must not wait for it, because it could hold the event's lock.
    with bars.countdown("Sending begins in") as tick, ThreadPoolExecutor(1, thread_name_prefix="grace") as thread:
        stop = interruption.new_stop()
        return thread.submit(await_grace, database, broadcast.id, on_tick=tick, stop=stop).result()


def _deliver(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    provider: Provider,
    *,
    ahead: timedelta | None,
    interruption: Interruption,
) -> str:
    """Send what is due, with a progress bar. Return the provider's error message, or an empty string."""
    waiting, title = status_of(database, broadcast.id).tally.waiting, f"Broadcast {broadcast.id}"
    patience = PATIENCE if broadcast.is_scheduled else None
    with bars.progress(title, waiting, unit="emails") as advance:
        stop = interruption.new_stop()
        listener = Listener(
            on_settled=advance,
            on_wait=Teller(config).tell,
            on_note=output.note,
            is_asked=lambda: interruption.is_asked,
        )
        try:
            deliver(config, database, broadcast, provider, ahead=ahead, listener=listener, stop=stop, patience=patience)
        except ProviderError as err:
            return str(err)
    return ""


def emails_folder(config: Config) -> str:
    """Return `in FOLDER/` if the provider writes emails to files, otherwise an empty string."""
    provider = config.settings.provider
    return f"in {config.shown(config.root / provider.outbox.folder)}/" if provider.use == "outbox" else ""


def exit_code_of(status: BroadcastStatus) -> int:
    """Return 0 if all is well, 1 if not everyone was reached, or 3 if the provider prevents sending the rest."""
    broadcast, tally = status.broadcast, status.tally
    is_left_to_runs = broadcast.is_scheduled or status.watch is not None
    continues_later = is_left_to_runs and broadcast.state in _CONTINUES
    if tally.waiting and not continues_later:
        return ProviderError.exit_code
    return 1 if tally.unknown or tally.rejected or tally.deferred else 0


class Teller(Struct):
    """Prints why sending is waiting, if the wait is long enough to mention."""

    config: Config
    _reason: str = ""
    _told_at: datetime = _NEVER

    def tell(self, until: datetime, reason: str) -> None:
        """Print when sending continues, and why it is waiting."""
        now = datetime.now(UTC)
        is_repeated = reason == self._reason and now - self._told_at < _TELL_AGAIN_AFTER
        if until - now < _WORTH_TELLING or is_repeated:
            return
        self._reason, self._told_at = reason, now
        clock = say_clock(until.astimezone(ZoneInfo(self.config.settings.newsletter.timezone)))
        output.note(f"Sending continues at {clock}, {say_distance(until - now)}: {reason}")
