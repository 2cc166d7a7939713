"""The account of a broadcast in words: its state, its numbers with their sum, its times, and what to do next.

The terminal prints it, and the studio shows it.
"""

from collections.abc import Sequence
from datetime import datetime
from shlex import quote

from msgspec.structs import asdict

from newsletter.language.clock import say_distance, say_moment, show_zoned_from
from newsletter.language.counts import people_of
from newsletter.language.rates import say_interval
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Tally, label_of
from newsletter.model.ledger import ChunkSummary, LastRun, SettledCount
from newsletter.model.notice import Alarm
from newsletter.model.readership import VERSION
from newsletter.model.segment import AD_HOC
from newsletter.model.waves import WaveState
from newsletter.workflows.send.alarms import Troubles
from newsletter.workflows.send.canary_facts import watch_line
from newsletter.workflows.send.grace import grace_left
from newsletter.workflows.send.plan_facts import variant_lines
from newsletter.workflows.send.recall import is_awake
from newsletter.workflows.send.status import BroadcastStatus
from newsletter.workflows.send.winner import comparison_facts

Fact = tuple[str, str]  # a name and a value; without a value, there is nothing to say
Step = tuple[str, str]  # a command as it is typed, and what it does

_HELD_BACK = frozenset({BroadcastState.SCHEDULED, BroadcastState.WATCHING, BroadcastState.PAUSED})
_AT_WORK = "a process is sending these emails now"
_LEFT_BEHIND = "the process that was sending these emails has stopped"
_LONGEST_LIST = 4  # lines
_NAMED = ("accepted", "excluded", "invalid", "cancelled", "unknown")  # in the sum even if zero
_PARTS = (*_NAMED, "rejected", "deferred", "inflight", "waiting")


def state_in_words(broadcast: Broadcast, tally: Tally) -> str:
    """Return the state of a broadcast as people see it, such as `running`, or `finished, 3 set aside`."""
    if broadcast.state is BroadcastState.DONE and tally.deferred:
        return f"finished, {tally.deferred:,} {label_of(ChunkState.DEFERRED)}"
    return label_of(broadcast.state)


def title_of(broadcast: Broadcast) -> str:
    """Return the title of a broadcast: its number, issue, segment and provider."""
    return f"Broadcast {broadcast.id}: {broadcast.title} through {broadcast.provider}"


def identity(tally: Tally) -> str:
    """Return the number of emails in each state, and the total. Rare states appear only if they are not zero."""
    counts = asdict(tally)
    sum_of_parts = " + ".join(f"{counts[name]:,} {label_of(name)}" for name in _PARTS if counts[name] or name in _NAMED)
    return f"{sum_of_parts} {'=' if tally.adds_up else '≠'} {tally.frozen:,} total"


def parts(settled: Sequence[SettledCount], chunks: Sequence[ChunkSummary]) -> list[Fact]:
    """Return the reasons for each state that has any: `("excluded", "48 unsubscribed")`."""
    lines: dict[str, list[str]] = {}
    for count in settled:
        lines.setdefault(label_of(count.status), []).append(f"{count.deliveries:,} {count.reason}")
    for chunk in chunks:
        if chunk.reason and chunk.state is not ChunkState.READY:
            lines.setdefault(label_of(chunk.state), []).append(f"{chunk.deliveries:,} {chunk.reason}")
    return [(name, "\n".join(reasons)) for name, reasons in lines.items()]


def runner_missing(last: LastRun | None, *, wanted: str = "service, timer or worker", now: datetime) -> str:
    """Return a warning if nothing that sends what is due has run lately, or an empty string."""
    if is_awake(last, now=now):
        return ""
    ran = f"the last one ran {say_distance(last.at - now)}" if last else "none has ever run here"
    remedy = (
        "start `newsletter worker`"
        if wanted == "worker"
        else "run `newsletter serve`, or set up a timer (docs/timer.md)"
    )
    return f"No {wanted} seems to be running: {ran}. Without one, nothing is sent; {remedy}."


def waived(broadcast: Broadcast) -> list[Fact]:
    """Return the checks that were overridden, with the reasons."""
    return [("overridden", "\n".join(f"{waiver.rule}: {waiver.because}" for waiver in broadcast.waivers))]


def first_and_last(lines: Sequence[str]) -> str:
    """Return the lines as one string. If there are many, keep only the first few and the last."""
    if len(lines) <= _LONGEST_LIST:
        return "\n".join(lines)
    return "\n".join([*lines[: _LONGEST_LIST - 2], f"… and {len(lines) - _LONGEST_LIST + 1:,} more", lines[-1]])


def times_of(status: BroadcastStatus, zone: str, now: datetime) -> list[Fact]:
    """Return when a broadcast was created, is due and ended, what the provider holds, and what is sending it."""
    broadcast, due = status.broadcast, ""
    if broadcast.is_local_time:
        upcoming = f"; next:\n{say_moment(status.next_due, zone, now=now)}" if status.next_due else ""
        due = f"in each subscriber's own time zone{upcoming}"
    elif broadcast.due_at:
        due = say_moment(broadcast.due_at, zone, now=now)
    held = [f"{mail.deliveries:,} until {show_zoned_from(mail.until, zone, now)}" for mail in status.held_after(now)]
    grace_until = broadcast.grace_until if grace_left(broadcast, now=now) else None
    ended = "passed on" if held else "ended"  # emails that the provider holds have not reached anyone yet
    at_work = _AT_WORK if status.is_at_work else _LEFT_BEHIND
    is_decided = status.comparison is None or bool(status.comparison.chosen)
    shown = (each.readership if is_decided else each.readership.having(VERSION, "") for each in status.variants)
    varies = any(each.sees for each in shown)
    return [
        ("created", show_zoned_from(broadcast.created_at, zone, now)),
        ("due", due),
        ("canary", canary_line(status, zone, now)),
        ("grace", f"nothing is sent before {show_zoned_from(grace_until, zone, now)}" if grace_until else ""),
        (ended, show_zoned_from(broadcast.finished_at, zone, now) if broadcast.finished_at else ""),
        (f"held by {broadcast.provider}", first_and_last(held)),
        _continuing(broadcast, zone, now),
        ("reviewers", "\n".join(f"not told by email: {notice.failure}" for notice in status.notices if notice.failure)),
        ("sending", at_work if status.tally.inflight else ""),
        ("variants", variant_lines(status.variants, has_versions=is_decided) if varies else ""),
        *_came_back(status.troubles),
        *comparison_facts(status.comparison, zone=zone, now=now),
    ]


def _came_back(found: Troubles) -> list[Fact]:
    """Return how many emails came back, each with a warning if there were too many."""
    alarms = found.alarms
    bounced = f"{found.bounces.count:,} of {found.bounces.of:,} ({say_interval(found.bounces.interval)})"
    spam = f"{found.complaints.count:,} of {found.complaints.of:,} whose mailboxes report it"
    return [
        ("bounced", alarms.get(Alarm.BOUNCES) or (bounced if found.bounces.count else "")),
        ("left", f"{people_of(found.left)} who got it" if found.left else ""),
        ("spam", alarms.get(Alarm.COMPLAINTS) or (spam if found.complaints.count else "")),
    ]


def canary_line(status: BroadcastStatus, zone: str, now: datetime) -> str:
    """Return how far the first part of a broadcast is, and what came back about it, for a list of facts."""
    if status.watch is None or not status.watch.plan.is_canary:
        return ""
    return watch_line(status.watch, status.broadcast.state, status.came_back, zone=zone, now=now)


def _continuing(broadcast: Broadcast, zone: str, now: datetime) -> Fact:
    """Return when a broadcast continues without a person, for a list of facts."""
    at = broadcast.continues_at
    if at is None or broadcast.state not in {BroadcastState.DONE, BroadcastState.PAUSED}:
        return ("", "")
    what = "tried again" if broadcast.state is BroadcastState.DONE else "continues"
    return (what, f"{say_moment(at, zone, now=now)}, by the service, a timer or a worker")


def next_steps(status: BroadcastStatus, now: datetime) -> list[Step]:
    """Return the commands that make sense now, the most useful first. Return an empty list if nothing is left to do."""
    number, state = status.broadcast.id, status.broadcast.state
    steps = []
    if status.tally.unknown and not status.is_at_work:
        steps.append((f"newsletter resolve {number}", "to look for evidence about the unconfirmed emails, then decide"))
    if status.comparison is not None and status.comparison.can_choose:
        version = status.comparison.versions[0].version
        steps.append((f"newsletter winner {number} {version}", "to choose the version that all others get"))
    steps += _ways_on(status, now)
    holds_some = bool(status.held_after(now)) and state is not BroadcastState.CANCELLED
    if state is BroadcastState.CANCELLING:
        steps.append((f"newsletter cancel {number}", "to finish canceling; safe to repeat"))
    elif state in _HELD_BACK or holds_some or grace_left(status.broadcast, now=now):
        held = f"to cancel it, and recall the emails that {status.broadcast.provider} is holding"
        steps.append((f"newsletter cancel {number}", held if holds_some else "to cancel it; nothing more is sent"))
    if state is BroadcastState.DONE and status.broadcast.continues_at is not None:
        steps.append(
            ("newsletter run-due", "to try the people who were set aside when it is time; run it from a timer")
        )
        steps.append((f"newsletter cancel {number}", "to leave them out; nothing more is sent"))
    if not steps and state is BroadcastState.DONE:
        steps.append((f"newsletter audit {number}", "to see the full record"))
    return steps


def sending_again(issue: str, segment: str) -> str:
    """Return the command that sends an issue to the same segment. An expression has to be typed again."""
    recipients = "--where '…'" if segment == AD_HOC else f"--to {quote(segment)}"
    return f"newsletter send {quote(issue)} {recipients}"


def _ways_on(status: BroadcastStatus, now: datetime) -> list[Step]:
    broadcast, tally = status.broadcast, status.tally
    resume = f"newsletter resume {broadcast.id}"
    if broadcast.state is BroadcastState.PAUSED and not (status.comparison and status.comparison.is_held):
        is_held = status.watch is not None and status.watch.state is WaveState.HELD
        what = "to send it to the others all the same" if is_held else "to continue"
        return [(resume, f"{what}; see the reason above first" if tally.waiting else what)]
    if broadcast.state is BroadcastState.STOPPED:
        why = "once you have corrected the issue, to reach the people who did not get it"
        return [(sending_again(broadcast.issue, broadcast.segment), why)]
    if broadcast.state in {BroadcastState.SCHEDULED, BroadcastState.WATCHING}:
        is_watched = broadcast.state is BroadcastState.WATCHING
        at_once = [(resume, "to send it to the others now, whatever comes back")] if is_watched else []
        return [*_steps_of_timer(status, "to send what is due; run this from a timer", now), *at_once]
    if broadcast.state is not BroadcastState.RUNNING or status.is_at_work:
        return []
    if tally.inflight == 0 and status.next_due and status.next_due > now:
        return _steps_of_timer(status, "to send the rest when it is due; run this from a timer", now)
    return [(resume, "to continue" if tally.inflight else "to continue, if no other process is sending it")]


def _steps_of_timer(status: BroadcastStatus, why: str, now: datetime) -> list[Step]:
    """Return the command that sends what is due, unless something does that already."""
    return [] if is_awake(status.last_run, now=now) else [("newsletter run-due", why)]
