"""Cancel a broadcast: nothing more is sent, and the provider discards the emails that it still holds.

Each step is recorded in the ledger before the next one and can be repeated. After an interruption, cancel again.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, BroadcastState, Tally, label_of
from newsletter.model.ledger import HeldMail
from newsletter.providers.base import Clock, Provider, Scheduler, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.recall import batches_of, settle_recall
from newsletter.store.ledger.requests import held_mail, runners_of
from newsletter.store.ledger.resolve import unknown_chunks
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.recall import LIVE, recall_batch
from newsletter.workflows.send.recover import recover

CANCEL_PATIENCE = timedelta(seconds=60)  # how long to wait for other processes that are still sending
_POLL_SECONDS = 0.25
OnWait = Callable[[int], None]  # called with the number of deliveries that another process is still sending


class CancelPlan(Struct, frozen=True, kw_only=True):
    """The effects that canceling a broadcast would have."""

    broadcast: Broadcast
    tally: Tally
    held: tuple[HeldMail, ...]  # mail that the provider can still be asked to discard
    too_late: tuple[HeldMail, ...]  # mail that is also held, but due so soon that it may still be sent

    @property
    def gone(self) -> int:
        """The number of emails that were or may have been accepted by the provider and cannot be recalled."""
        held = sum(mail.deliveries for mail in (*self.held, *self.too_late))
        return max(self.tally.accepted + self.tally.unknown - held, 0)


def plan_cancel(database: Database, broadcast_id: int, provider: Provider | None, *, now: datetime) -> CancelPlan:
    """Return what canceling would do. The ledger does not change.

    The provider is needed if it holds mail. Raise InputError if there is nothing left to cancel.
    """
    broadcast, tally = require_broadcast(database, broadcast_id), tally_of(database, broadcast_id)
    ahead = [mail for mail in _held(database, broadcast_id) if mail.until > now]
    margin = provider.scheduler.margin if provider is not None and provider.scheduler is not None else timedelta()
    held = tuple(mail for mail in ahead if mail.until - now > margin)
    too_late = tuple(mail for mail in ahead if mail not in held)
    plan = CancelPlan(broadcast=broadcast, tally=tally, held=held, too_late=too_late)
    is_open = broadcast.state is BroadcastState.CANCELLING or tally.waiting or tally.inflight or tally.deferred
    if not is_open and not plan.held:
        raise InputError(f"broadcast {broadcast_id} cannot be canceled; {_why_not(plan)}")
    return plan


def holds_email(database: Database, broadcast_id: int, *, now: datetime) -> bool:
    """Return whether the provider may hold email of a broadcast, so that it is needed to cancel the broadcast."""
    return any(batch.state in LIVE and batch.due_at > now for batch in batches_of(database, broadcast_id))


def holder_of(
    config: Config, database: Database, broadcast_id: int, opener: Callable[[], Provider], *, now: datetime
) -> Provider | None:
    """Return the provider if it may be holding emails of a broadcast, so that it is needed to cancel it.

    Raise InputError if there is no such broadcast, or if it was started with another provider.
    """
    found = require_broadcast(database, broadcast_id)
    if not holds_email(database, broadcast_id, now=now):
        return None
    require_same_provider(found, config.settings.provider.use)
    return opener()


def cancel_broadcast(
    database: Database,
    broadcast_id: int,
    provider: Provider | None,
    *,
    patience: timedelta,
    stop: Event,
    on_wait: OnWait = lambda _: None,
    clock: Clock = utc_now,
) -> Broadcast:
    """Stop unsent deliveries, and have the provider discard the mail that it holds. Return the resulting broadcast.

    The provider is asked immediately, because every minute counts. What other processes were sending meanwhile is
    settled after they have finished their requests; `patience` is the longest wait for them. If they are still sending
    after that, or if the provider refuses (ProviderError), the broadcast remains `cancelling`, and it must be canceled
    again. A provider limits how many batches are canceled at the same time, so the earliest are canceled first.
    """
    begin_cancel(database, broadcast_id, now=clock())
    recover(database, broadcast_id, now=clock())
    _give_back(database, broadcast_id, provider, clock=clock)
    if tally_of(database, broadcast_id).inflight:
        _await_others(database, broadcast_id, patience=patience, on_wait=on_wait, stop=stop, clock=clock)
        recover(database, broadcast_id, now=clock())
        _give_back(database, broadcast_id, provider, clock=clock)
    return finish_cancel(database, broadcast_id, now=clock())


def _held(database: Database, broadcast_id: int) -> list[HeldMail]:
    """Return the mail that the provider holds or may hold. Requests without a response count, too."""
    until = Counter({mail.until: mail.deliveries for mail in held_mail(database, broadcast_id)})
    for chunk in unknown_chunks(database, broadcast_id, sample=0):
        if chunk.hold_until is not None:
            until[chunk.hold_until] += chunk.deliveries
    return [HeldMail(until=moment, deliveries=count) for moment, count in sorted(until.items())]


def _give_back(database: Database, broadcast_id: int, provider: Provider | None, *, clock: Clock) -> None:
    """Have the provider cancel the batches that it holds, and only then record the deliveries as canceled."""
    failures = []
    for batch in batches_of(database, broadcast_id):
        if batch.state not in LIVE or batch.due_at <= clock():
            settle_recall(database, batch.id, confirmed_at=None, now=clock())
            continue
        try:
            recall_batch(database, batch, _scheduler_of(database, broadcast_id, provider), clock=clock)
        except ProviderError as err:
            failures.append(err)
    if failures:
        raise failures[0]


def _scheduler_of(database: Database, broadcast_id: int, provider: Provider | None) -> Scheduler:
    broadcast = require_broadcast(database, broadcast_id)
    if provider is None or provider.name != broadcast.provider or provider.scheduler is None:
        remedy = f'check that newsletter.toml has use = "{broadcast.provider}" under [provider], then cancel again'
        raise ProviderError(f"{broadcast.provider} may still hold emails of broadcast {broadcast_id}; {remedy}")
    return provider.scheduler


def _await_others(
    database: Database, broadcast_id: int, *, patience: timedelta, on_wait: OnWait, stop: Event, clock: Clock
) -> None:
    """Wait until no other running process is sending, but no longer than `patience`."""
    until, told = clock() + patience, 0
    while clock() < until and any(database.alive(runner) for runner in runners_of(database, broadcast_id)):
        inflight = tally_of(database, broadcast_id).inflight
        if inflight and inflight != told:
            on_wait(told := inflight)
        if stop.wait(_POLL_SECONDS):
            return


def _why_not(plan: CancelPlan) -> str:
    broadcast = plan.broadcast
    if broadcast.state is BroadcastState.CANCELLED:
        return "it is already canceled"
    if plan.too_late:
        return f"{broadcast.provider} will send it within minutes"
    return f"it is {label_of(broadcast.state)}, and no emails are waiting or set aside"
