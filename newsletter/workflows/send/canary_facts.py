"""A canary in words: in the plan of a broadcast, and in its account, for the terminal and the studio."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from newsletter.language.clock import say_moment, say_span
from newsletter.language.counts import people_of
from newsletter.model.broadcast import BroadcastState
from newsletter.model.waves import Feedback, Watch, WaveState
from newsletter.workflows.send.canary import CanaryPlan, Count

_ENDS = frozenset({BroadcastState.CANCELLED, BroadcastState.CANCELLING, BroadcastState.STOPPED})


def canary_lines(plan: CanaryPlan, *, everyone: int, zone: str, now: datetime) -> str:
    """Return who gets the issue first, how long they are watched, and what is noticed, one line for each."""
    first_at = plan.waves.first_at
    when = f" {say_moment(first_at, zone, now=now)}" if first_at is not None and first_at > now else ""
    others = people_of(everyone - plan.people)
    usual = plan.waves.baselines[Feedback.COMPLAINTS]
    return "\n".join(
        (
            f"{people_of(plan.people)}, drawn by lot at every mailbox provider, get it first{when}",
            f"what comes back is watched for {say_span(plan.waves.watch)}; if all is well, the other {others} follow",
            f"complaints can be known of {plan.known:,} of them, because Gmail reports none",
            f"if {usual.worse * 100:.2g}% complain instead of {usual.usual * 100:.2g}%, that stops it in "
            f"{plan.power * 100:.0f} of 100 cases",
        )
    )


def canary_notes(plan: CanaryPlan) -> Iterator[str]:
    """Yield what is wrong with the first part: it is too small, or nothing comes back about it."""
    if not plan.tells:
        yield (
            "Nothing tells this program of bounces and complaints, so the others do not get it automatically: it is "
            "held until you decide. Set up [mailbox] or the provider's webhook."
        )
    if plan.is_too_small:
        remedy = "No first part of these recipients is large enough; watch the first issues yourself."
        if plan.enough is not None:
            remedy = (
                f"In 80 of 100 cases, {plan.enough:,} people are enough: newsletter send --canary-size {plan.enough}."
            )
        yield f"A canary of {people_of(plan.people)} is too small to be sure to notice complaints. {remedy}"


def watch_line(watch: Watch, state: BroadcastState, counts: Sequence[Count], *, zone: str, now: datetime) -> str:
    """Return how far a canary is, what came back, and what was decided."""
    first, rest = people_of(watch.first), people_of(watch.rest)
    lines = []
    if watch.state is WaveState.FIRST and state not in _ENDS:
        lines = [f"{first} get it first; the other {rest} wait for what comes back about them"]
    elif watch.state is WaveState.WATCHING and watch.watch_until is not None and state not in _ENDS:
        until = say_moment(watch.watch_until, zone, now=now)
        lines = [f"{first} got it first; the other {rest} wait for what comes back about them", f"until {until}"]
    elif watch.state is WaveState.REST:
        lines = [f"{first} got it first; the others followed, because nothing spoke against it"]
    elif watch.state is WaveState.OVER:
        lines = [f"{first} got it first; a person let the other {rest} follow"]
    elif watch.state is WaveState.HELD:
        lines = [f"{first} got it first; the other {rest} are held"]
    return "\n".join([*lines, *(each.words for each in counts)])
