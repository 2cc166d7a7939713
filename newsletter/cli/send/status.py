"""`newsletter status`: the state of broadcasts, as text and as JSON, and the next steps for each."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer
from msgspec.structs import asdict

from newsletter.cli import output
from newsletter.cli.options import AsJson
from newsletter.cli.send.held import held_by, print_held
from newsletter.cli.send.plan import variant_lines
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import say_distance, say_moment, show_minute, show_utc_from
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Tally, label_of
from newsletter.model.ledger import ChunkSummary, LastRun, SettledCount, ZoneProgress
from newsletter.model.segment import AD_HOC
from newsletter.workflows.send.grace import grace_left
from newsletter.workflows.send.recall import StillHeld, is_awake
from newsletter.workflows.send.status import BroadcastLine, BroadcastStatus, list_statuses, status_of

NOBODY_NOW = "someone no longer on the list"
Step = tuple[str, str]  # a command as it is typed, and what it does

_STYLE = {BroadcastState.STOPPED: "red", BroadcastState.CANCELLED: "dim", BroadcastState.DONE: "green"}
_STYLE_OF_OTHERS = "yellow"  # these broadcasts are not finished
_HELD_BACK = frozenset({BroadcastState.SCHEDULED, BroadcastState.PAUSED})
_AT_WORK = "a process is sending these emails now"
_LEFT_BEHIND = "the process that was sending these emails has stopped"
_COLUMNS: dict[str, Callable[[BroadcastLine], str]] = {
    "broadcast": lambda line: str(line.broadcast.id),
    "issue": lambda line: line.broadcast.issue,
    "segment": lambda line: line.broadcast.segment,
    "state": lambda line: label_of(line.broadcast.state),
    "time (UTC)": lambda line: show_minute(line.broadcast.due_at or line.broadcast.created_at),
    "accepted": lambda line: f"{line.tally.accepted:,}",
    label_of("unknown"): lambda line: f"{line.tally.unknown:,}" if line.tally.unknown else "",
    "total": lambda line: f"{line.tally.frozen:,}",
}
_ZONE_COLUMNS: dict[str, Callable[[ZoneProgress], str]] = {
    "time zone": lambda zone: zone.zone,
    "due (UTC)": lambda zone: show_minute(zone.due_at) or "at once",
    "people": lambda zone: f"{zone.deliveries:,}",
    "sent": lambda zone: f"{zone.handed_over:,}",
    "waiting": lambda zone: f"{zone.waiting:,}",
    label_of("cancelled"): lambda zone: f"{zone.cancelled:,}" if zone.cancelled else "",
}
_LONGEST_LIST = 4  # lines
_NAMED = ("accepted", "excluded", "invalid", "cancelled", "unknown")  # in the sum even if zero
_PARTS = (*_NAMED, "rejected", "deferred", "inflight", "waiting")


def status(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="BROADCAST", help="The number of a broadcast. Default: show all broadcasts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the status of your broadcasts, with the number of emails in each state.

    With a number, shows one broadcast in detail: its times, the reasons behind its numbers, and what
    you can do next.
    """
    with opened_database() as (config, database):
        if broadcast is not None:
            found, held = status_of(database, broadcast, every_unknown=as_json), held_by(config, database, broadcast)
            print_broadcast(config, found, held=held, as_json=as_json)
            return
        lines = list_statuses(database)
    if as_json:
        output.print_json([standing_data(line.broadcast, line.tally) for line in lines])
    elif lines:
        output.print_columns(_COLUMNS, lines)
    else:
        output.say("There are no broadcasts yet.")


def print_broadcast(
    config: Config, status: BroadcastStatus, *, held: Iterable[StillHeld] = (), as_json: bool = False
) -> None:
    """Print one broadcast: its numbers, the reasons behind them, whom its held email still reaches, the next steps."""
    if as_json:
        output.print_json(_data(status))
        return
    now = datetime.now(UTC)
    print_heading(status.broadcast, status.tally)
    times = _times(status, config.settings.newsletter.timezone, now)
    output.print_facts([*times, *parts(status.settled, status.chunks), *waived(status.broadcast)])
    if status.zones:
        output.say()
        output.print_columns(_ZONE_COLUMNS, status.zones)
    _print_unknown(status)
    if status.needs_run(now):
        note_if_missing(status.last_run, now=now)
    print_held(config, held, now=now)
    for command, why in next_steps(status, now):
        output.print_next(command, why)


def print_heading(broadcast: Broadcast, tally: Tally) -> None:
    """Print the title of a broadcast, its state with the reason, and its numbers with their sum."""
    state = output.styled(_state_in_words(broadcast, tally), _STYLE.get(broadcast.state, _STYLE_OF_OTHERS))
    output.say(f"{title_of(broadcast)}, {state}")
    if broadcast.reason:
        output.say(f"  {broadcast.reason}")
    output.say(f"  {identity(tally)}")


def _state_in_words(broadcast: Broadcast, tally: Tally) -> str:
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


def parts(settled: Sequence[SettledCount], chunks: Sequence[ChunkSummary]) -> list[tuple[str, str]]:
    """Return the reasons for each state that has any: `("excluded", "48 unsubscribed")`."""
    lines: dict[str, list[str]] = {}
    for count in settled:
        lines.setdefault(label_of(count.status), []).append(f"{count.deliveries:,} {count.reason}")
    for chunk in chunks:
        if chunk.reason and chunk.state is not ChunkState.READY:
            lines.setdefault(label_of(chunk.state), []).append(f"{chunk.deliveries:,} {chunk.reason}")
    return [(name, "\n".join(reasons)) for name, reasons in lines.items()]


def note_if_missing(last: LastRun | None, *, wanted: str = "service, timer or worker", now: datetime) -> None:
    """Print a warning if nothing that sends what is due has run lately."""
    if is_awake(last, now=now):
        return
    ran = f"the last one ran {say_distance(last.at - now)}" if last else "none has ever run here"
    remedy = (
        "start `newsletter worker`"
        if wanted == "worker"
        else "run `newsletter serve`, or set up a timer (docs/timer.md)"
    )
    output.print_notes([f"No {wanted} seems to be running: {ran}. Without one, nothing is sent; {remedy}."])


def waived(broadcast: Broadcast) -> list[tuple[str, str]]:
    """Return the checks that were overridden, with the reasons."""
    return [("overridden", "\n".join(f"{waiver.rule}: {waiver.because}" for waiver in broadcast.waivers))]


def standing_data(broadcast: Broadcast, tally: Tally) -> dict[str, object]:
    """Return a broadcast and its numbers as data for JSON."""
    return {
        "broadcast": broadcast.id,
        "issue": broadcast.issue,
        "kind": broadcast.kind,
        "segment": broadcast.segment,
        "provider": broadcast.provider,
        "state": broadcast.state,
        "reason": broadcast.reason,
        "created_at": broadcast.created_at,
        "due_at": broadcast.due_at,
        "grace_until": broadcast.grace_until,
        "is_local_time": broadcast.is_local_time,
        "finished_at": broadcast.finished_at,
        "continues_at": broadcast.continues_at,
        "waivers": broadcast.waivers,
        "tally": asdict(tally),
        "adds_up": tally.adds_up,
    }


def first_and_last(lines: Sequence[str]) -> str:
    """Return the lines as one string. If there are many, keep only the first few and the last."""
    if len(lines) <= _LONGEST_LIST:
        return "\n".join(lines)
    return "\n".join([*lines[: _LONGEST_LIST - 2], f"… and {len(lines) - _LONGEST_LIST + 1:,} more", lines[-1]])


def _times(status: BroadcastStatus, zone: str, now: datetime) -> list[tuple[str, str]]:
    broadcast, due = status.broadcast, ""
    if broadcast.is_local_time:
        upcoming = f"; next:\n{say_moment(status.next_due, zone, now=now)}" if status.next_due else ""
        due = f"in each subscriber's own time zone{upcoming}"
    elif broadcast.due_at:
        due = say_moment(broadcast.due_at, zone, now=now)
    held = [f"{mail.deliveries:,} until {show_utc_from(mail.until, now)}" for mail in status.held_after(now)]
    grace_until = broadcast.grace_until if grace_left(broadcast, now=now) else None
    ended = "passed on" if held else "ended"  # emails that the provider holds have not reached anyone yet
    at_work = _AT_WORK if status.is_at_work else _LEFT_BEHIND
    varies = any(count.readership.sees for count in status.variants)
    return [
        ("created", show_utc_from(broadcast.created_at, now)),
        ("due", due),
        ("grace", f"nothing is sent before {show_utc_from(grace_until, now)}" if grace_until else ""),
        (ended, show_utc_from(broadcast.finished_at, now) if broadcast.finished_at else ""),
        (f"held by {broadcast.provider}", first_and_last(held)),
        _continuing(broadcast, zone, now),
        ("reviewers", "\n".join(f"not told by email: {notice.failure}" for notice in status.notices if notice.failure)),
        ("sending", at_work if status.tally.inflight else ""),
        ("variants", variant_lines(status.variants) if varies else ""),
    ]


def _continuing(broadcast: Broadcast, zone: str, now: datetime) -> tuple[str, str]:
    """Return when a broadcast continues without a person, for a list of facts."""
    at = broadcast.continues_at
    if at is None or broadcast.state not in {BroadcastState.DONE, BroadcastState.PAUSED}:
        return ("", "")
    what = "tried again" if broadcast.state is BroadcastState.DONE else "continues"
    return (what, f"{say_moment(at, zone, now=now)}, by the service, a timer or a worker")


def _print_unknown(status: BroadcastStatus) -> None:
    if not status.tally.unknown:
        return
    output.say()
    output.say("Unconfirmed, and therefore not sent again:")
    for delivery in status.unknown:
        output.say(f"  {delivery.email or NOBODY_NOW}  batch {delivery.chunk}")
    if (more := status.tally.unknown - len(status.unknown)) > 0:
        all_of_them = f"newsletter audit {status.broadcast.id} --list {label_of(ChunkState.UNKNOWN)}"
        output.say(f"  … and {more:,} more; `{all_of_them}` lists all of them")


def _data(status: BroadcastStatus) -> dict[str, object]:
    return {
        **standing_data(status.broadcast, status.tally),
        "next_due_at": status.next_due,
        "is_at_work": status.is_at_work,
        "last_run": status.last_run,
        "notices": status.notices,
        "held": status.held,
        "zones": status.zones,
        "variants": [
            {
                "segments": sorted(who.readership.segments),
                "mailbox": who.readership.mailbox,
                "deliveries": who.deliveries,
            }
            for who in status.variants
        ],
        "settled": status.settled,
        "chunks": status.chunks,
        "unknown": status.unknown,
    }


def next_steps(status: BroadcastStatus, now: datetime) -> list[Step]:
    """Return the commands that make sense now, the most useful first. Return an empty list if nothing is left to do."""
    number, state = status.broadcast.id, status.broadcast.state
    steps = []
    if status.tally.unknown and not status.is_at_work:
        steps.append((f"newsletter resolve {number}", "to look for evidence about the unconfirmed emails, then decide"))
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


def sending_again(broadcast: Broadcast) -> str:
    """Return the command that sends the issue to the same segment. An expression has to be typed again."""
    recipients = "--where '…'" if broadcast.segment == AD_HOC else f"--to {quote(broadcast.segment)}"
    return f"newsletter send {quote(broadcast.issue)} {recipients}"


def _ways_on(status: BroadcastStatus, now: datetime) -> list[Step]:
    broadcast, tally = status.broadcast, status.tally
    resume = f"newsletter resume {broadcast.id}"
    if broadcast.state is BroadcastState.PAUSED:
        return [(resume, "to continue; see the reason above first" if tally.waiting else "to continue")]
    if broadcast.state is BroadcastState.STOPPED:
        why = "once you have corrected the issue, to reach the people who did not get it"
        return [(sending_again(broadcast), why)]
    if broadcast.state is BroadcastState.SCHEDULED:
        return _steps_of_timer(status, "to send what is due; run this from a timer", now)
    if broadcast.state is not BroadcastState.RUNNING or status.is_at_work:
        return []
    if tally.inflight == 0 and status.next_due and status.next_due > now:
        return _steps_of_timer(status, "to send the rest when it is due; run this from a timer", now)
    return [(resume, "to continue" if tally.inflight else "to continue, if no other process is sending it")]


def _steps_of_timer(status: BroadcastStatus, why: str, now: datetime) -> list[Step]:
    """Return the command that sends what is due, unless something does that already."""
    return [] if is_awake(status.last_run, now=now) else [("newsletter run-due", why)]
