"""The grace period after a person confirms a broadcast: nothing is sent yet, so they can still change their mind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.workflows.send.cancel import cancel_broadcast

_OPEN = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING})
_TICK_SECONDS = 1.0  # how often the countdown moves, and the ledger is asked whether someone canceled the broadcast


def grace_left(broadcast: Broadcast, *, now: datetime) -> timedelta:
    """Return how long a broadcast that has not ended still waits, or zero."""
    if broadcast.grace_until is None or broadcast.state not in _OPEN:
        return timedelta()
    return max(broadcast.grace_until - now, timedelta())


def await_grace(
    database: Database,
    broadcast_id: int,
    *,
    on_tick: Callable[[timedelta], None],
    stop: Event,
    cancels: bool = True,
    clock: Clock = utc_now,
) -> Broadcast:
    """Wait until the grace period is over, or someone cancels the broadcast. Return the broadcast as it is then.

    `on_tick` is called every second with the time left. If `stop` is set in the meantime, the broadcast is canceled:
    otherwise a worker or a timer would still send it. No one has been sent anything. Without `cancels`, the broadcast
    stays as it is then, because the person who stopped the process did not call it off.
    """
    while left := grace_left(broadcast := require_broadcast(database, broadcast_id), now=clock()):
        on_tick(left)
        if stop.wait(min(left.total_seconds(), _TICK_SECONDS)):
            if not cancels:
                return broadcast
            # Nothing has been submitted, so there is no other process to wait for, and no provider holds any email.
            return cancel_broadcast(database, broadcast_id, None, patience=timedelta(), stop=stop, clock=clock)
    return broadcast
