"""Hand over what is due of a broadcast, as its provider, the pace and its time ask: how commands and workers send."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Clock, Provider, Scheduler, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import keep_batch_id, next_due, require_broadcast, start_scheduled
from newsletter.workflows.send.drain import drain_broadcast
from newsletter.workflows.send.gate import OnWait
from newsletter.workflows.send.pace import pace_of


class Listener(Struct, frozen=True, kw_only=True):
    """Who hears how a delivery goes; called from several threads, one at a time."""

    on_settled: Callable[[int], None]  # how many more deliveries a provider has answered for
    on_wait: OnWait  # until when nothing is handed over, and why


def deliver(  # noqa: PLR0913 - what a broadcast goes by, and whom it tells
    config: Config,
    database: Database,
    broadcast: Broadcast,
    provider: Provider,
    *,
    ahead: timedelta | None,
    listener: Listener,
    stop: Event,
    patience: timedelta | None = None,
    clock: Clock = utc_now,
) -> Broadcast:
    """Start a scheduled broadcast, or go on with one that is running, until nothing more of it is due.

    A provider that can hold mail is handed what is due within `ahead`, under one batch id, which is in the ledger
    before it is first used. With `patience` the rest is left to a later run where the provider or the pace asks to wait
    longer than that. Raise ProviderError where the provider gives none: then nothing has left. Raise StoreError where
    the ledger can no longer be written.
    """
    within, scheduler = None, provider.scheduler
    if broadcast.is_scheduled and ahead is not None and scheduler is not None:
        within = min(ahead, scheduler.longest)
        _keep_batch(database, broadcast, scheduler, now=clock())
    if broadcast.state is BroadcastState.SCHEDULED:
        start_scheduled(database, broadcast.id, now=clock())
    return drain_broadcast(
        database,
        require_broadcast(database, broadcast.id),
        provider,
        pace=pace_of(config),
        hold_within=within,
        on_settled=listener.on_settled,
        on_wait=listener.on_wait if patience is None else _impatient(listener, stop, patience, clock),
        stop=stop,
        clock=clock,
    )


def _impatient(listener: Listener, stop: Event, patience: timedelta, clock: Clock) -> OnWait:
    """Return what tells of a wait, and ends the work where it is too long."""

    def on_wait(until: datetime, reason: str) -> None:
        listener.on_wait(until, reason)
        if until - clock() > patience:
            stop.set()

    return on_wait


def _keep_batch(database: Database, broadcast: Broadcast, scheduler: Scheduler, *, now: datetime) -> None:
    """Give a broadcast of which some is ahead of its time a batch id; of two processes the first one's counts."""
    due = next_due(database, broadcast.id)
    may_be_held = due is not None and (due > now or broadcast.is_local_time)
    if may_be_held and not broadcast.batch_id:
        keep_batch_id(database, broadcast.id, scheduler.open_batch())
