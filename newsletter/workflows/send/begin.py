"""Decide how a new broadcast begins: at once, or at its time."""

from datetime import datetime, timedelta

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.workflows.send.plan import BroadcastPlan
from newsletter.workflows.send.schedule import lead_of
from newsletter.workflows.send.worker import announce


class Beginning(Struct, frozen=True, kw_only=True):
    """Whether some of a broadcast is sent now, and how far ahead email may be given to a provider that holds it."""

    is_now: bool
    ahead: timedelta | None  # None: nothing is scheduled


def begin(config: Config, broadcast: Broadcast, plan: BroadcastPlan, *, now: datetime) -> Beginning:
    """Wake an idle worker for a new broadcast, and return what the process that created it must do."""
    announce(config, broadcast.id)
    return beginning_of(config, broadcast, plan, now=now)


def beginning_of(config: Config, broadcast: Broadcast, plan: BroadcastPlan, *, now: datetime) -> Beginning:
    """Return what the process that created a broadcast must do."""
    if plan.schedule is None:
        return Beginning(is_now=True, ahead=None)
    # The time of a broadcast that is running came while the person was confirming.
    is_now = plan.schedule.leaves_at_once(now) or broadcast.state is BroadcastState.RUNNING
    return Beginning(is_now=is_now, ahead=lead_of(config))
