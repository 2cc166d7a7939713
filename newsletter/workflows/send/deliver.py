"""Send the deliveries of a broadcast that are due, within the limits of its provider, pace and schedule.

Both the commands and the workers send through this module.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from time import sleep as really_sleep

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Clock, Provider, Scheduler, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    continue_unattended,
    require_broadcast,
    start_scheduled,
)
from newsletter.store.ledger.recall import keep_batch, moments_to_hold
from newsletter.workflows.publish.on_sending import publish_sent
from newsletter.workflows.send.drain import drain_broadcast
from newsletter.workflows.send.gate import OnWait
from newsletter.workflows.send.pace import pace_for


class Listener(Struct, frozen=True, kw_only=True):
    """Callbacks for the progress of a delivery. They are called from several threads, but never two at once."""

    on_settled: Callable[[int], None]  # called with the number of deliveries that were just completed
    on_wait: OnWait  # called with the end and the reason of each wait
    on_note: Callable[[str], None] = lambda _words: None  # called with what a person should change
    is_asked: Callable[[], bool] = lambda: False  # whether someone asked the process to end


def deliver(  # noqa: PLR0913 - the limits of a broadcast, and the callbacks
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
    sleep: Callable[[float], None] = really_sleep,
) -> Broadcast:
    """Start a scheduled broadcast, or continue one that is running or whose time to continue has come.

    Stop when nothing more of it is due. Before the first email leaves, the issue's page is published.

    A provider that can hold mail also gets the deliveries that are due within `ahead`. Those that are due at the same
    time share a batch, whose id is saved in the ledger before it is first used. If the provider or the pace requires a
    wait longer than `patience`, the rest is left to a later run. Raise ProviderError if the provider returns no batch
    id; in that case, nothing has been sent. Raise StoreError if the ledger can no longer be written.
    """
    within, scheduler = None, provider.scheduler
    if broadcast.is_scheduled and ahead is not None and scheduler is not None:
        within = min(ahead, scheduler.longest)
        _open_batches(database, broadcast, scheduler, now=clock(), within=within)
    if broadcast.state is BroadcastState.SCHEDULED:
        start_scheduled(database, broadcast.id, now=clock())
    elif broadcast.continues_at is not None:
        continue_unattended(database, broadcast.id, now=clock())
    publish_sent(config, database, now=clock(), say=listener.on_note)
    return drain_broadcast(
        database,
        require_broadcast(database, broadcast.id),
        provider,
        pace=pace_for(config, broadcast.kind),
        hold_within=within,
        on_settled=listener.on_settled,
        on_note=listener.on_note,
        on_wait=listener.on_wait if patience is None else _impatient(listener, stop, patience, clock),
        stop=stop,
        is_asked=listener.is_asked,
        clock=clock,
        sleep=sleep,
    )


def _impatient(listener: Listener, stop: Event, patience: timedelta, clock: Clock) -> OnWait:
    """Return a callback that reports a wait, and stops the work if the wait is too long."""

    def on_wait(until: datetime, reason: str) -> None:
        listener.on_wait(until, reason)
        if until - clock() > patience:
            stop.set()

    return on_wait


def _open_batches(
    database: Database, broadcast: Broadcast, scheduler: Scheduler, *, now: datetime, within: timedelta
) -> None:
    """Open a batch for each time at which email will be held. If two processes do so, the first batch is kept."""
    for moment in moments_to_hold(database, broadcast.id, now=now, until=now + within):
        batch_id = scheduler.open_batch()
        keep_batch(database, broadcast.id, batch_id, due_at=moment, margin=scheduler.margin, now=now)
