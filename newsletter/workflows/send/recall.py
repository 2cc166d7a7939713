"""Keep email that the provider already holds from reaching people who left.

People who left are gathered until GATHERED_UNTIL before the time of a batch. Then the batch is canceled at the
provider, its email is put into new chunks, and those are sent to the provider again, without the people who left. That
happens once for each time of a broadcast, because a provider allows few cancellations. Later, and where it allows no
more, people who left are still emailed, and the commands say so.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import BatchLimitError, ProviderError, StillHeldError
from newsletter.language.clock import say_time
from newsletter.model.broadcast import Broadcast
from newsletter.model.ledger import BatchState, HeldBatch, LastRun, Leaver
from newsletter.providers.base import Clock, Scheduler
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.recall import (
    batches_of,
    begin_recall,
    give_up_recall,
    keep_undone,
    leavers_in,
    past_batches,
    settle_recall,
    times_in_use,
    watched_broadcasts,
)

GATHERED_UNTIL = timedelta(minutes=20)  # before the time of a batch; twice the margin of SendGrid
AWAKE_WITHIN = timedelta(minutes=15)  # a service, timer or worker that ran no longer ago than this counts as running
# SendGrid discards canceled email at its send time. The rest allows for a delay there, and for clocks that differ.
CLEARED_AFTER = timedelta(minutes=30)
_TRY_CLEARING_FOR = timedelta(days=3)
LIVE = frozenset({BatchState.OPEN, BatchState.RECALLING})
_SHOWN = 10  # addresses
_TOO_CLOSE = "it is too close to its time to be recalled"
_ONCE_ONLY = "it was already recalled once, to leave out others"


class Recall(Struct, frozen=True, kw_only=True):
    """What was done about one batch of a broadcast."""

    batch: HeldBatch
    left: tuple[Leaver, ...] = ()  # the people in it who left
    recalled: int = 0  # the number of emails that were recalled
    kept: str = ""  # why it could not be recalled, so that the people who left still get it
    is_final: bool = True  # whether nothing more is tried


class StillHeld(Struct, frozen=True, kw_only=True):
    """People who left, but whose email the provider holds."""

    broadcast: Broadcast
    batch: HeldBatch
    left: tuple[Leaver, ...]
    kept: str  # why the email cannot be recalled anymore; empty if it can

    @property
    def recalled_from(self) -> datetime:
        """When a timer or a worker recalls the email."""
        return self.batch.due_at - GATHERED_UNTIL


def batches_to_settle(database: Database, broadcast_id: int, *, now: datetime) -> tuple[HeldBatch, ...]:
    """Return the batches of a broadcast that need something now: to be recalled, settled or cleared at the provider."""
    return tuple(batch for batch in batches_of(database, broadcast_id) if _needs_something(database, batch, now=now))


def settle_batches(database: Database, broadcast_id: int, scheduler: Scheduler, *, clock: Clock) -> tuple[Recall, ...]:
    """Recall the batches in which people left, settle those that were recalled, and clear those that are past.

    Everything can be repeated after a crash. If it is not known whether the provider canceled a batch, the next run
    asks again, as long as there is time.
    """
    clear_past_batches(database, scheduler, now=clock())
    done = []
    for batch in batches_to_settle(database, broadcast_id, now=clock()):
        if batch.state is BatchState.OPEN or (batch.state is BatchState.RECALLING and clock() < batch.recall_ends_at):
            done.append(_recall_leavers(database, batch, scheduler, clock=clock))
        else:
            recalled = settle_recall(database, batch.id, confirmed_at=None, now=clock())
            done.append(Recall(batch=batch, recalled=recalled))
    return tuple(done)


def recall_batch(database: Database, batch: HeldBatch, scheduler: Scheduler, *, clock: Clock) -> int:
    """Have the provider cancel a batch, and settle it. Return the number of emails that were recalled.

    Raise StillHeldError if the provider certainly did not cancel it, or ProviderError if that is not known.
    """
    if not begin_recall(database, batch.id, now=clock()):  # another process was faster
        return settle_recall(database, batch.id, confirmed_at=None, now=clock())
    try:
        try:
            scheduler.cancel_batch(batch.id)
        except BatchLimitError:
            if not clear_past_batches(database, scheduler, now=clock()):
                raise
            scheduler.cancel_batch(batch.id)
    except StillHeldError as err:
        give_up_recall(database, batch.id, str(err), now=clock())
        raise
    confirmed_at = clock()
    return settle_recall(database, batch.id, confirmed_at=confirmed_at, now=confirmed_at)


def clear_past_batches(database: Database, scheduler: Scheduler, *, now: datetime) -> int:
    """Clear the canceled batches of all broadcasts whose time is past. Return the number of batches cleared.

    If that fails, the next run tries again, for a few days.
    """
    cleared = 0
    for batch in past_batches(database, before=now - CLEARED_AFTER):
        try:
            scheduler.clear_batch(batch.id)
        except ProviderError:
            if now - batch.due_at < _TRY_CLEARING_FOR:
                continue
        keep_undone(database, batch.id, now=now)
        cleared += 1
    return cleared


def still_held(
    database: Database, *, now: datetime, most_cancelled: int | None = None, only: Iterable[int] | None = None
) -> tuple[StillHeld, ...]:
    """Return the people who left although the provider holds email to them, by the time of the email.

    `most_cancelled` is how many batches the provider lets be canceled at the same time, if that is known. `only` are
    the ids of the subscribers to look for; default: everyone.
    """
    found = [
        (batch, left)
        for number in watched_broadcasts(database, now=now)
        for batch in batches_of(database, number)
        if batch.state in LIVE and batch.due_at > now and (left := leavers_in(database, batch))
    ]
    wanted = None if only is None else frozenset(only)
    in_use, held = list(times_in_use(database)), []
    for batch, everyone in sorted(found, key=lambda pair: pair[0].due_at):
        kept = _why_kept(batch, now=now)
        begins = batch.due_at - GATHERED_UNTIL
        if not kept and most_cancelled and sum(due > begins - CLEARED_AFTER for due in in_use) >= most_cancelled:
            kept = f"{most_cancelled} batches are canceled by then, and the provider allows no more"
        if not kept:
            in_use.append(batch.due_at)
        if left := tuple(leaver for leaver in everyone if wanted is None or leaver.subscriber in wanted):
            broadcast = require_broadcast(database, batch.broadcast)
            held.append(StillHeld(broadcast=broadcast, batch=batch, left=left, kept=kept))
    return tuple(held)


def told_about(config: Config, recall: Recall) -> str:
    """Return a sentence about people who left and whose email was not recalled, for people to read."""
    shown = [leaver.email or "someone no longer on the list" for leaver in recall.left[:_SHOWN]]
    more = f" and {len(recall.left) - _SHOWN:,} more" if len(recall.left) > _SHOWN else ""
    names, zone = f"{', '.join(shown)}{more}", config.settings.newsletter.timezone
    if recall.is_final:
        return f"{names} left, but will still get it on {say_time(recall.batch.due_at, zone)}: {recall.kept}"
    until = say_time(recall.batch.recall_ends_at, zone)
    return f"{names} left, and their email is not recalled yet: {recall.kept}; each run until {until} tries again"


def holds_for_later(database: Database, broadcast_id: int, *, now: datetime) -> bool:
    """Return whether the provider holds email of a broadcast that can still be recalled, or is being recalled."""
    return any(
        (batch.state in LIVE and batch.recall_ends_at > now) or batch.unsettled
        for batch in batches_of(database, broadcast_id)
    )


def is_awake(last: LastRun | None, *, now: datetime) -> bool:
    """Return whether a service, a timer, a worker or a terminal that sends what is due has run lately."""
    return last is not None and now - last.at <= AWAKE_WITHIN


def _needs_something(database: Database, batch: HeldBatch, *, now: datetime) -> bool:
    if batch.state is BatchState.OPEN:
        is_time = batch.due_at - GATHERED_UNTIL <= now < batch.due_at
        is_told = bool(batch.reason) and bool(_why_kept(batch, now=now))
        return is_time and not is_told and bool(leavers_in(database, batch))
    if batch.state is BatchState.UNDONE:
        return False
    return batch.state is BatchState.RECALLING or bool(batch.unsettled) or is_past(batch, now=now)


def is_past(batch: HeldBatch, *, now: datetime) -> bool:
    """Return whether a canceled batch was discarded by now, so that it can be cleared."""
    return now - batch.due_at > CLEARED_AFTER


def _why_kept(batch: HeldBatch, *, now: datetime) -> str:
    """Return why an open batch cannot be recalled anymore, or an empty string if it can."""
    if batch.is_second:
        return _ONCE_ONLY
    return _TOO_CLOSE if now >= batch.recall_ends_at else ""


def _recall_leavers(database: Database, batch: HeldBatch, scheduler: Scheduler, *, clock: Clock) -> Recall:
    left = leavers_in(database, batch)
    if batch.state is BatchState.OPEN and (kept := _why_kept(batch, now=clock())):
        give_up_recall(database, batch.id, kept, now=clock())
        return Recall(batch=batch, left=left, kept=kept)
    try:
        return Recall(batch=batch, left=left, recalled=recall_batch(database, batch, scheduler, clock=clock))
    except ProviderError as err:
        is_final = isinstance(err, BatchLimitError) or clock() >= batch.recall_ends_at
        return Recall(batch=batch, left=left, kept=str(err), is_final=is_final)
