"""What a person can do about a broadcast, for each state and reason."""

from datetime import datetime

from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.segment import AD_HOC
from newsletter.workflows.send.status import BroadcastStatus

Step = tuple[str, str]  # the command as it is typed, and what it does

_HELD_BACK = frozenset({BroadcastState.SCHEDULED, BroadcastState.PAUSED})


def next_steps(status: BroadcastStatus, now: datetime) -> list[Step]:
    """Return the commands that make sense now, the most useful first; none where nothing is left to be done."""
    number, state = status.broadcast.id, status.broadcast.state
    steps = []
    if status.tally.unknown and not status.is_at_work:
        steps.append((f"newsletter resolve {number}", "looks for evidence of what became of the unknown, and asks"))
    steps += _ways_on(status, now)
    holds_some = bool(status.held_after(now)) and state is not BroadcastState.CANCELLED
    if state is BroadcastState.CANCELLING:
        steps.append((f"newsletter cancel {number}", "finishes cancelling; it can be repeated"))
    elif state in _HELD_BACK or holds_some:
        steps.append((f"newsletter cancel {number}", _effect_of_cancel(status, holds_some=holds_some)))
    return steps


def sending_again(broadcast: Broadcast) -> str:
    """Return the command that sends the issue to the same segment; a typed expression has to be typed again."""
    whom = "--where '…'" if broadcast.segment == AD_HOC else f"--to {broadcast.segment}"
    return f"newsletter send {broadcast.issue} {whom}"


def _ways_on(status: BroadcastStatus, now: datetime) -> list[Step]:
    broadcast, tally = status.broadcast, status.tally
    resume = f"newsletter resume {broadcast.id}"
    if broadcast.state is BroadcastState.PAUSED:
        return [(resume, "goes on with it; look at the reason above first" if tally.waiting else "goes on with it")]
    if broadcast.state is BroadcastState.STOPPED:
        return [(sending_again(broadcast), "once the issue is corrected: reaches those who did not get it")]
    if broadcast.state is BroadcastState.SCHEDULED:
        return [("newsletter run-due", "sends what is due; for a timer, where no workers run")]
    if broadcast.state is not BroadcastState.RUNNING or status.is_at_work:
        return []
    if tally.inflight == 0 and status.next_due and status.next_due > now:
        return [("newsletter run-due", "sends the rest when it is due; for a timer, where no workers run")]
    return [(resume, "goes on with it" if tally.inflight else "goes on with it, if no process is at work on it")]


def _effect_of_cancel(status: BroadcastStatus, *, holds_some: bool) -> str:
    if holds_some:
        return f"ends it, and takes back what {status.broadcast.provider} holds"
    return "ends it: nothing more of it leaves"
