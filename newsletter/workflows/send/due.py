"""Decide what a scheduled broadcast needs now: sending, recalling, canceling, pausing or waiting."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.language.clock import say_moment, say_span
from newsletter.model.broadcast import Broadcast, BroadcastState, Tally
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import due_now, last_accepted, next_due
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.send.grace import grace_left
from newsletter.workflows.send.lateness import lateness
from newsletter.workflows.send.pace import opens_at, pace_for, shown_window
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.recall import batches_to_settle, is_past
from newsletter.workflows.send.schedule import lead_of

_STANDS_STILL = timedelta(days=2)  # if nothing was accepted for so long, a person must look into it
_IS_WATCHED = "its first part is watched until {time}"
_IN_GRACE = "it was confirmed a moment ago, and [delivery] grace says to wait"

Opener = Callable[[], Provider]


class Due(StrEnum):
    """The action that a scheduled broadcast needs now."""

    HAND_OVER = "hand over"
    RECALL = "recall"  # the emails of people who left, from the provider that holds them
    CANCEL = "cancel"  # continue a cancellation that a person began
    RELEASE = "release"  # let the rest follow the first wave
    HOLD_BACK = "hold back"  # pause it, because it must not be sent without a person
    WAIT = "wait"  # until its scheduled time, or until the sending window opens
    REFUSE = "refuse"  # a person must fix something first


DOES_SOMETHING = frozenset({Due.HAND_OVER, Due.RECALL, Due.CANCEL, Due.HOLD_BACK})


class DueBroadcast(Struct, frozen=True, kw_only=True):
    """One scheduled broadcast, and the action it needs."""

    broadcast: Broadcast
    tally: Tally
    due: Due
    reason: str = ""  # why it waits or is paused, as shown to people
    until: datetime | None = None  # when to look again


def judge_recall(
    config: Config, database: Database, broadcast: Broadcast, opened: Opener, *, now: datetime
) -> DueBroadcast | None:
    """Return what to do about the email of a broadcast that the provider holds, or None if that is nothing now.

    To clear a past batch is worth no error message: only the limit on canceled batches depends on it.
    """
    if broadcast.state is BroadcastState.CANCELLING:  # canceling recalls everything
        return None
    batches = batches_to_settle(database, broadcast.id, now=now)
    if not batches:
        return None
    found = DueBroadcast(broadcast=broadcast, tally=tally_of(database, broadcast.id), due=Due.RECALL)
    try:
        require_same_provider(broadcast, config.settings.provider.use)
        holds = opened().scheduler is not None
    except (InputError, ProviderError) as err:
        is_urgent = not all(is_past(batch, now=now) for batch in batches)
        return replace(found, due=Due.REFUSE, reason=str(err)) if is_urgent else None
    return found if holds else None


def judge(config: Config, database: Database, broadcast: Broadcast, opened: Opener, *, now: datetime) -> DueBroadcast:
    """Decide what to do with a broadcast. The provider is opened only if the broadcast is nearly due."""
    found = DueBroadcast(broadcast=broadcast, tally=tally_of(database, broadcast.id), due=Due.HAND_OVER)
    if broadcast.state is BroadcastState.CANCELLING:
        return replace(found, due=Due.CANCEL)
    until, waits = _wait(config, broadcast, now=now)
    if waits:
        return replace(found, due=Due.WAIT, until=until, reason=waits)
    if late := _too_late(config, database, broadcast, now=now):
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
    pace, is_any_left = pace_for(config, found.broadcast.kind), found.tally.waiting or found.tally.deferred
    if is_any_left and pace.window is not None and (opens := opens_at(pace.window, now)) > now:
        return replace(found, due=Due.WAIT, until=opens, reason=shown_window(pace))
    return found


def _wait(config: Config, broadcast: Broadcast, *, now: datetime) -> tuple[datetime | None, str]:
    """Return until when a broadcast is left alone, and why: a period that must pass first is not over.

    The reason is empty if it need not wait.
    """
    if left := grace_left(broadcast, now=now):
        return now + left, _IN_GRACE
    at = broadcast.continues_at
    if broadcast.state is BroadcastState.WATCHING and at is not None:
        return at, _IS_WATCHED.format(time=say_moment(at, config.settings.newsletter.timezone, now=now))
    if at is None or at <= now or broadcast.state not in {BroadcastState.PAUSED, BroadcastState.DONE}:
        return None, ""
    said = say_moment(at, config.settings.newsletter.timezone, now=now)
    if broadcast.state is BroadcastState.DONE:
        return at, f"the people who were set aside are tried again {said}"
    return at, f"it continues {said}; it was paused because {broadcast.reason}"


def _too_late(config: Config, database: Database, broadcast: Broadcast, *, now: datetime) -> str:
    """Return why a broadcast must not be sent without a person anymore, or an empty string if it may.

    One that was paused for a reason that passes continues for two days, unless an event in it is over by then.
    """
    if broadcast.state is not BroadcastState.PAUSED:
        return lateness(config, database, broadcast, now=now)
    if broadcast.good_until is not None and broadcast.good_until <= now:
        return f"an event in it is over: {broadcast.reason}"
    since = last_accepted(database, broadcast.id) or broadcast.due_at or broadcast.created_at
    if now - since <= _STANDS_STILL:
        return ""
    return f"nothing has been accepted for more than {say_span(_STANDS_STILL)}: {broadcast.reason}"


def _next_moment(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime:
    """Return when the next delivery is due. That is now if one may be sent immediately, or if none is waiting."""
    if broadcast.is_local_time and due_now(database, broadcast.id, now=now):
        return now
    return next_due(database, broadcast.id) or now
