"""Process all scheduled broadcasts once: send what is due, pause what is late, finish what is being canceled.

Only scheduled broadcasts are processed. An unscheduled broadcast that was interrupted must be resumed by a person.
Simultaneous runs share the work; no chunk is claimed twice.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from threading import Event

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.language.clock import say_moment, say_span, say_time
from newsletter.model.broadcast import Broadcast, BroadcastState, Tally, label_of
from newsletter.providers.base import Clock, Provider, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    last_claimed,
    next_due,
    overdue,
    pause_broadcast,
    require_broadcast,
    scheduled_broadcasts,
    zone_progress,
)
from newsletter.store.ledger.requests import runners_of
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.system.log import Log, no_log
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.pace import opens_at, pace_of, shown_window
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.recover import recover
from newsletter.workflows.send.schedule import PATIENCE, lead_of

_DAY = timedelta(days=1)

Opener = Callable[[], Provider]


class Due(StrEnum):
    """The action that a scheduled broadcast needs now."""

    HAND_OVER = "hand over"
    CANCEL = "cancel"  # continue a cancellation that a person began
    HOLD_BACK = "hold back"  # pause it, because it is too late to be sent automatically
    WAIT = "wait"  # until its scheduled time, or until the sending window opens
    REFUSE = "refuse"  # a person must fix something first


DOES_SOMETHING = frozenset({Due.HAND_OVER, Due.CANCEL, Due.HOLD_BACK})
_BEGINS = {Due.HAND_OVER: "sending begins", Due.CANCEL: "canceling begins", Due.HOLD_BACK: "pausing"}


class DueBroadcast(Struct, frozen=True, kw_only=True):
    """One scheduled broadcast, and the action it needs."""

    broadcast: Broadcast
    tally: Tally
    due: Due
    reason: str = ""  # why it waits or is paused, as shown to people
    until: datetime | None = None  # when to look again


class DoneBroadcast(Struct, frozen=True, kw_only=True):
    """The result of a run for one scheduled broadcast, and the state of the broadcast afterward."""

    found: DueBroadcast
    broadcast: Broadcast
    tally: Tally
    waits: str = ""  # why the rest was left to the next run
    failure: str = ""  # the provider's error message

    @property
    def handed_over(self) -> int:
        """The number of deliveries accepted during this run, including those sent by other processes."""
        return max(self.tally.accepted - self.found.tally.accepted, 0)

    @property
    def is_news(self) -> bool:
        """Whether anything changed during the run."""
        before = self.found
        return bool(self.failure) or self.tally != before.tally or self.broadcast.state != before.broadcast.state


def look_at_due(config: Config, database: Database, opener: Opener, *, now: datetime) -> tuple[DueBroadcast, ...]:
    """Return every scheduled broadcast, the oldest first, and what a run would do with it. Change nothing."""
    opened = cache(opener)
    return tuple(judge(config, database, each, opened, now=now) for each in scheduled_broadcasts(database))


def run_due(
    config: Config,
    database: Database,
    opener: Opener,
    *,
    listener: Listener,
    new_stop: Callable[[], Event],
    clock: Clock = utc_now,
    log: Log = no_log,
) -> Iterator[DoneBroadcast]:
    """Process the scheduled broadcasts one after the other, and yield the result of each.

    The provider is opened when it is first needed. A failure of one broadcast does not delay the others. `new_stop`
    returns an event for each broadcast, which is set when the process is asked to end.
    """
    opened = cache(opener)
    for broadcast in scheduled_broadcasts(database):
        stop = new_stop()
        if stop.is_set():
            return
        before = tally_of(database, broadcast.id)
        recover(database, broadcast.id, now=clock())
        found = replace(judge(config, database, broadcast, opened, now=clock()), tally=before)
        name = name_of(broadcast)
        if found.due in DOES_SOMETHING:
            log(f"{name}: {_BEGINS[found.due]}: {in_words(before)}", broadcast=broadcast.id, reason=found.reason)
        done = carry_out(config, database, found, opened, listener=listener, stop=stop, clock=clock)
        if done.is_news:
            ending = done.failure or ending_of(done, done.handed_over)
            log(f"{name}: {ending}", broadcast=broadcast.id, waits=done.waits)
        yield done


def name_of(broadcast: Broadcast) -> str:
    """Return the name of a broadcast in messages: `broadcast 3 (2026-02 to everyone)`."""
    return f"broadcast {broadcast.id} ({broadcast.issue} to {broadcast.segment})"


def ending_of(done: DoneBroadcast, handed_over: int) -> str:
    """Return a summary of one run: the number of emails sent, and the state of the broadcast."""
    reason = f" ({done.broadcast.reason})" if done.broadcast.reason else ""
    return f"{handed_over:,} sent in this run; it is {label_of(done.broadcast.state)}{reason}: {in_words(done.tally)}"


def judge(config: Config, database: Database, broadcast: Broadcast, opened: Opener, *, now: datetime) -> DueBroadcast:
    """Decide what to do with a broadcast. The provider is opened only if the broadcast is nearly due."""
    found = DueBroadcast(broadcast=broadcast, tally=tally_of(database, broadcast.id), due=Due.HAND_OVER)
    if broadcast.state is BroadcastState.CANCELLING:
        return replace(found, due=Due.CANCEL)
    if late := _lateness(config, database, broadcast, now=now):
        return replace(found, due=Due.HOLD_BACK, reason=late)
    due = _next_moment(database, broadcast, now=now)
    its_time = f"scheduled for {say_moment(due, config.settings.newsletter.timezone, now=now)}"
    if due > now + lead_of(config):
        return replace(found, due=Due.WAIT, until=due, reason=its_time)
    try:
        require_same_provider(broadcast, config.settings.provider.use)
        is_held = opened().scheduler is not None
    except (InputError, ProviderError) as err:
        return replace(found, due=Due.REFUSE, reason=str(err))
    return found if is_held else _judge_unheld(config, found, due, its_time, now=now)


def _judge_unheld(config: Config, found: DueBroadcast, due: datetime, its_time: str, *, now: datetime) -> DueBroadcast:
    """Decide what to do if the provider cannot hold mail but delivers it as soon as it is submitted."""
    if due > now:
        return replace(found, due=Due.WAIT, until=due, reason=its_time)
    pace = pace_of(config)
    if found.tally.waiting and pace.window is not None and (opens := opens_at(pace.window, now)) > now:
        return replace(found, due=Due.WAIT, until=opens, reason=shown_window(pace))
    return found


def _next_moment(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime:
    """Return when the next delivery is due. That is now if one may be sent immediately, or if none is waiting."""
    zones = zone_progress(database, broadcast.id) if broadcast.is_local_time else ()
    if any(zone.waiting and zone.due_at is None for zone in zones):
        return now
    return next_due(database, broadcast.id) or now


def _lateness(config: Config, database: Database, broadcast: Broadcast, *, now: datetime) -> str:
    """Return why a broadcast is too late to be sent automatically, or an empty string if it is not.

    A broadcast in progress is late only if nothing has been sent for longer than the allowed lateness, apart from waits
    that the pace requires. The pace can spread emails with the same due time over days. The sending window can open
    long after a zone's due time.
    """
    allowed = timedelta(minutes=config.settings.delivery.lateness_minutes)
    due = next_due(database, broadcast.id)
    if due is None or not overdue(database, broadcast.id, before=now - allowed):
        return ""
    if _opens_at(config, due) >= now - allowed:
        return ""
    if (moved_at := _moved_at(database, broadcast, now=now)) and _goes_on_at(config, moved_at) > now - allowed:
        return ""
    said = say_time(due, config.settings.newsletter.timezone)  # this text is stored, so it must not contain "hours ago"
    return f"scheduled for {said}, but more than {say_span(allowed)} late, so it was not sent automatically"


def _moved_at(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime | None:
    """Return when a chunk of a broadcast was last sent, or None if none was.

    The time of the claim counts, because the outcome of a chunk may be determined or decided days later.
    """
    if any(database.alive(runner) for runner in runners_of(database, broadcast.id)):
        return now
    return last_claimed(database, broadcast.id)


def _goes_on_at(config: Config, moved_at: datetime) -> datetime:
    """Return the latest time at which the pace allows a broadcast to continue after it last sent something."""
    pace = pace_of(config)
    slowest = max((timedelta(seconds=rate.seconds) for rate in pace.rates), default=timedelta())
    return _opens_at(config, moved_at + (_DAY if pace.warm_up else slowest))


def _opens_at(config: Config, moment: datetime) -> datetime:
    """Return the first time from `moment` on at which the sending window is open."""
    window = pace_of(config).window
    return moment if window is None else opens_at(window, moment)


def carry_out(
    config: Config,
    database: Database,
    found: DueBroadcast,
    opened: Opener,
    *,
    listener: Listener,
    stop: Event,
    clock: Clock = utc_now,
) -> DoneBroadcast:
    """Carry out the decision. If the provider refuses, report that; the next run tries again."""
    waits, failure, number = [], found.reason if found.due is Due.REFUSE else "", found.broadcast.id

    def on_wait(until: datetime, reason: str) -> None:
        waits.append(reason)
        listener.on_wait(until, reason)

    try:
        if found.due is Due.HAND_OVER:
            deliver(
                config,
                database,
                found.broadcast,
                opened(),
                ahead=lead_of(config),
                listener=replace(listener, on_wait=on_wait),
                stop=stop,
                patience=PATIENCE,
                clock=clock,
            )
        elif found.due is Due.CANCEL:
            holder = opened() if found.broadcast.batch_id else None
            cancel_broadcast(database, number, holder, patience=PATIENCE, stop=stop, clock=clock)
        elif found.due is Due.HOLD_BACK:
            pause_broadcast(database, number, found.reason, now=clock())
    except ProviderError as err:
        failure = str(err)
    except InputError:
        failure = ""  # another process was faster and, for example, canceled it; the new state is reported
    return DoneBroadcast(
        found=found,
        broadcast=require_broadcast(database, number),
        tally=tally_of(database, number),
        waits=waits[-1] if waits and stop.is_set() else "",
        failure=failure,
    )
