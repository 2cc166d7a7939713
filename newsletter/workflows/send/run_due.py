"""Carry out what is scheduled, once: hand over what is due, hold back what is late, finish what is being cancelled.

Only broadcasts with a time are taken up; one that was to leave at once and was interrupted waits for a person. Several
runs at the same time share the work: no chunk is claimed twice.
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
from newsletter.model.broadcast import Broadcast, BroadcastState, Tally
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
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.ledger.requests import runners_of
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.system.log import Log, no_log
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.pace import opens_at, pace_of, shown_window
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.schedule import PATIENCE, lead_of

_DAY = timedelta(days=1)

Opener = Callable[[], Provider]


class Due(StrEnum):
    """What is to be done about a scheduled broadcast."""

    HAND_OVER = "hand over"
    CANCEL = "cancel"  # go on with what a person began
    HOLD_BACK = "hold back"  # it is too late to leave by itself
    WAIT = "wait"  # for its time, or for the sending hours
    REFUSE = "refuse"  # something is wrong that a person must put right


DOES_SOMETHING = frozenset({Due.HAND_OVER, Due.CANCEL, Due.HOLD_BACK})


class DueBroadcast(Struct, frozen=True, kw_only=True):
    """One scheduled broadcast, and what is to be done about it."""

    broadcast: Broadcast
    tally: Tally
    due: Due
    reason: str = ""  # why it waits or is held back, for people
    until: datetime | None = None  # when it is worth looking again


class DoneBroadcast(Struct, frozen=True, kw_only=True):
    """What a run did about one scheduled broadcast, and how it stands since."""

    found: DueBroadcast
    broadcast: Broadcast
    tally: Tally
    waits: str = ""  # why the run left the rest to the next one
    failure: str = ""  # what the provider said

    @property
    def handed_over(self) -> int:
        """How many deliveries the provider took in this run, whoever handed them over."""
        return max(self.tally.accepted - self.found.tally.accepted, 0)

    @property
    def is_news(self) -> bool:
        """Whether anything is different from before."""
        before = self.found
        return bool(self.failure) or self.tally != before.tally or self.broadcast.state != before.broadcast.state


def look_at_due(config: Config, database: Database, opener: Opener, *, now: datetime) -> tuple[DueBroadcast, ...]:
    """Return every scheduled broadcast, the oldest first, and what a run would do about it; change nothing."""
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
    """Do what is to be done about each scheduled broadcast, one after the other, and yield what came of it.

    The provider is opened when it is first needed. What goes wrong with one broadcast does not hold up the others.
    `new_stop` gives an event for each, which is set, or will be, when the process is asked to end.
    """
    opened = cache(opener)
    for broadcast in scheduled_broadcasts(database):
        stop = new_stop()
        if stop.is_set():
            return
        before = tally_of(database, broadcast.id)
        adopt_orphans(database, broadcast.id, now=clock())
        found = replace(judge(config, database, broadcast, opened, now=clock()), tally=before)
        name = name_of(broadcast)
        if found.due in DOES_SOMETHING:
            log(f"{name}: {found.due.value} begins: {in_words(before)}", broadcast=broadcast.id, reason=found.reason)
        done = carry_out(config, database, found, opened, listener=listener, stop=stop, clock=clock)
        if done.is_news:
            ending = done.failure or ending_of(done, done.handed_over)
            log(f"{name}: {ending}", broadcast=broadcast.id, waits=done.waits)
        yield done


def name_of(broadcast: Broadcast) -> str:
    """Return what a line about a broadcast begins with: `broadcast 3 (2026-02 to everyone)`."""
    return f"broadcast {broadcast.id} ({broadcast.issue} to {broadcast.segment})"


def ending_of(done: DoneBroadcast, handed_over: int) -> str:
    """Return what came of one piece of work: how much was handed over in it, and how the broadcast stands."""
    reason = f" ({done.broadcast.reason})" if done.broadcast.reason else ""
    return f"{handed_over:,} handed over here; it is {done.broadcast.state.value}{reason}: {in_words(done.tally)}"


def judge(config: Config, database: Database, broadcast: Broadcast, opened: Opener, *, now: datetime) -> DueBroadcast:
    """Return what is to be done; the provider is opened only for what is nearly due."""
    found = DueBroadcast(broadcast=broadcast, tally=tally_of(database, broadcast.id), due=Due.HAND_OVER)
    if broadcast.state is BroadcastState.CANCELLING:
        return replace(found, due=Due.CANCEL)
    if late := _lateness(config, database, broadcast, now=now):
        return replace(found, due=Due.HOLD_BACK, reason=late)
    due = _next_moment(database, broadcast, now=now)
    its_time = f"its time is {say_moment(due, config.settings.newsletter.timezone, now=now)}"
    if due > now + lead_of(config):
        return replace(found, due=Due.WAIT, until=due, reason=its_time)
    try:
        require_same_provider(broadcast, config.settings.provider.use)
        is_held = opened().scheduler is not None
    except (InputError, ProviderError) as err:
        return replace(found, due=Due.REFUSE, reason=str(err))
    return found if is_held else _judge_unheld(config, found, due, its_time, now=now)


def _judge_unheld(config: Config, found: DueBroadcast, due: datetime, its_time: str, *, now: datetime) -> DueBroadcast:
    """Return what is to be done where mail reaches people as soon as the provider is handed it."""
    if due > now:
        return replace(found, due=Due.WAIT, until=due, reason=its_time)
    pace = pace_of(config)
    if found.tally.waiting and pace.window is not None and (opens := opens_at(pace.window, now)) > now:
        return replace(found, due=Due.WAIT, until=opens, reason=shown_window(pace))
    return found


def _next_moment(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime:
    """Return when there is something to do next: now where some of it may leave at once, or all of it has left."""
    zones = zone_progress(database, broadcast.id) if broadcast.is_local_time else ()
    if any(zone.waiting and zone.due_at is None for zone in zones):
        return now
    return next_due(database, broadcast.id) or now


def _lateness(config: Config, database: Database, broadcast: Broadcast, *, now: datetime) -> str:
    """Return why a broadcast is too late to leave by itself; empty where it is not.

    One that is under way is late only where nothing of it has moved for so long, beyond what the pace asks: a pace may
    take days over what was due at one moment, and its hours may begin long after the moment of a time zone.
    """
    allowed = timedelta(minutes=config.settings.delivery.lateness_minutes)
    due = next_due(database, broadcast.id)
    if due is None or not overdue(database, broadcast.id, before=now - allowed):
        return ""
    if _opens_at(config, due) >= now - allowed:
        return ""
    if (moved_at := _moved_at(database, broadcast, now=now)) and _goes_on_at(config, moved_at) > now - allowed:
        return ""
    said = say_time(due, config.settings.newsletter.timezone)  # kept in the ledger: how long ago would not stay true
    return f"more than {say_span(allowed)} late, it does not leave by itself: its time was {said}"


def _moved_at(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime | None:
    """Return when something of a broadcast was last handed over; None where nothing was.

    That is when it was claimed: what became of it may be found out, or decided, days later.
    """
    if any(database.alive(runner) for runner in runners_of(database, broadcast.id)):
        return now
    return last_claimed(database, broadcast.id)


def _goes_on_at(config: Config, moved_at: datetime) -> datetime:
    """Return when the pace lets a broadcast go on, at the latest, of which something was handed over then."""
    pace = pace_of(config)
    slowest = max((timedelta(seconds=rate.seconds) for rate in pace.rates), default=timedelta())
    return _opens_at(config, moved_at + (_DAY if pace.warm_up else slowest))


def _opens_at(config: Config, moment: datetime) -> datetime:
    """Return when mail may leave from a moment on, by the sending hours."""
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
    """Do what the judgement says; what the provider refuses is told, and tried again by the next run."""
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
        failure = ""  # somebody was faster, such as with the same cancelling: how it stands is told
    return DoneBroadcast(
        found=found,
        broadcast=require_broadcast(database, number),
        tally=tally_of(database, number),
        waits=waits[-1] if waits and stop.is_set() else "",
        failure=failure,
    )
