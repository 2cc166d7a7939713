"""`newsletter status`: how broadcasts stand, on the screen and for scripts, and what can be done about each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec.structs import asdict

from newsletter.cli import output
from newsletter.cli.options import AsJson
from newsletter.cli.send.plan import variant_lines
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import say_moment, show_minute, show_utc_from
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Tally
from newsletter.model.ledger import ChunkSummary, SettledCount, ZoneProgress
from newsletter.model.segment import AD_HOC
from newsletter.workflows.send.status import BroadcastLine, BroadcastStatus, list_statuses, status_of

NOBODY_NOW = "somebody who left the list"
Step = tuple[str, str]  # the command as it is typed, and what it does

_STYLE = {BroadcastState.STOPPED: "red", BroadcastState.CANCELLED: "dim", BroadcastState.DONE: "green"}
_STYLE_OF_OTHERS = "yellow"  # something is still to come
_HELD_BACK = frozenset({BroadcastState.SCHEDULED, BroadcastState.PAUSED})
_AT_WORK = "a process is handing over what is inflight"
_LEFT_BEHIND = "nobody: the process that was handing over what is inflight has ended"
_COLUMNS: dict[str, Callable[[BroadcastLine], str]] = {
    "broadcast": lambda line: str(line.broadcast.id),
    "issue": lambda line: line.broadcast.issue,
    "segment": lambda line: line.broadcast.segment,
    "state": lambda line: line.broadcast.state.value,
    "time (UTC)": lambda line: show_minute(line.broadcast.due_at or line.broadcast.created_at),
    "accepted": lambda line: f"{line.tally.accepted:,}",
    "unknown": lambda line: f"{line.tally.unknown:,}" if line.tally.unknown else "",
    "frozen": lambda line: f"{line.tally.frozen:,}",
}
_ZONE_COLUMNS: dict[str, Callable[[ZoneProgress], str]] = {
    "time zone": lambda zone: zone.zone,
    "due (UTC)": lambda zone: show_minute(zone.due_at) or "at once",
    "people": lambda zone: f"{zone.deliveries:,}",
    "handed over": lambda zone: f"{zone.handed_over:,}",
    "waiting": lambda zone: f"{zone.waiting:,}",
    "cancelled": lambda zone: f"{zone.cancelled:,}" if zone.cancelled else "",
}
_LONGEST_LIST = 4  # lines
_NAMED = ("accepted", "excluded", "invalid", "cancelled", "unknown")  # in the identity, zero or not
_PARTS = (*_NAMED, "rejected", "inflight", "waiting")


def status(
    broadcast: Annotated[int | None, typer.Argument(metavar="BROADCAST", help="Its number; all without one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how broadcasts stand, and that their numbers add up."""
    with opened_database() as (config, database):
        if broadcast is not None:
            print_broadcast(config, status_of(database, broadcast, every_unknown=as_json), as_json=as_json)
            return
        lines = list_statuses(database)
    if as_json:
        output.print_json([standing_data(line.broadcast, line.tally) for line in lines])
    elif lines:
        output.print_columns(_COLUMNS, lines)
    else:
        output.say("There is no broadcast yet.")


def print_broadcast(config: Config, status: BroadcastStatus, *, as_json: bool = False) -> None:
    """Print one broadcast: the parts that add up, what stands behind them, and what can be done."""
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
    for command, why in next_steps(status, now):
        output.print_next(command, why)


def print_heading(broadcast: Broadcast, tally: Tally) -> None:
    """Print what a broadcast is, how it stands and why, and that its parts add up."""
    state = output.styled(broadcast.state.value, _STYLE.get(broadcast.state, _STYLE_OF_OTHERS))
    output.say(f"{title_of(broadcast)}, {state}")
    if broadcast.reason:
        output.say(f"  {broadcast.reason}")
    output.say(f"  {identity(tally)}")


def title_of(broadcast: Broadcast) -> str:
    """Return what a broadcast is: its number, issue, segment and provider."""
    return f"Broadcast {broadcast.id}: {broadcast.issue} to {broadcast.segment} through {broadcast.provider}"


def identity(tally: Tally) -> str:
    """Return the parts and their sum; what is usually nothing is named where there is some of it."""
    counts = asdict(tally)
    sum_of_parts = " + ".join(f"{counts[name]:,} {name}" for name in _PARTS if counts[name] or name in _NAMED)
    return f"{sum_of_parts} {'=' if tally.adds_up else '≠'} {tally.frozen:,} frozen"


def parts(settled: Sequence[SettledCount], chunks: Sequence[ChunkSummary]) -> list[tuple[str, str]]:
    """Return why deliveries stand where they stand, where that is not plain."""
    lines: dict[str, list[str]] = {}
    for count in settled:
        lines.setdefault(count.status.value, []).append(f"{count.deliveries:,} {count.reason}")
    for chunk in chunks:
        if chunk.reason and chunk.state is not ChunkState.READY:
            lines.setdefault(state_word(chunk.state), []).append(f"{chunk.deliveries:,} {chunk.reason}")
    return [(name, "\n".join(reasons)) for name, reasons in lines.items()]


def state_word(state: ChunkState) -> str:
    """Return a chunk's state as the identity names it."""
    return "waiting" if state is ChunkState.READY else state.value


def waived(broadcast: Broadcast) -> list[tuple[str, str]]:
    """Return the checks that were overridden, and why."""
    return [("waived", "\n".join(f"{waiver.rule}: {waiver.because}" for waiver in broadcast.waivers))]


def standing_data(broadcast: Broadcast, tally: Tally) -> dict[str, object]:
    """Return for a script what a broadcast is, and how it stands."""
    return {
        "broadcast": broadcast.id,
        "issue": broadcast.issue,
        "segment": broadcast.segment,
        "provider": broadcast.provider,
        "state": broadcast.state,
        "reason": broadcast.reason,
        "created_at": broadcast.created_at,
        "due_at": broadcast.due_at,
        "is_local_time": broadcast.is_local_time,
        "finished_at": broadcast.finished_at,
        "waivers": broadcast.waivers,
        "tally": asdict(tally),
        "adds_up": tally.adds_up,
    }


def first_and_last(lines: Sequence[str]) -> str:
    """Return lines, of many only the first and the last."""
    if len(lines) <= _LONGEST_LIST:
        return "\n".join(lines)
    return "\n".join([*lines[: _LONGEST_LIST - 2], f"… and {len(lines) - _LONGEST_LIST + 1:,} more", lines[-1]])


def _times(status: BroadcastStatus, zone: str, now: datetime) -> list[tuple[str, str]]:
    broadcast, due = status.broadcast, ""
    if broadcast.is_local_time:
        upcoming = f"; next:\n{say_moment(status.next_due, zone, now=now)}" if status.next_due else ""
        due = f"by everybody's own clock{upcoming}"
    elif broadcast.due_at:
        due = say_moment(broadcast.due_at, zone, now=now)
    held = [f"{mail.deliveries:,} until {show_utc_from(mail.until, now)}" for mail in status.held_after(now)]
    ended = "handed over" if held else "ended"  # what the provider holds has left this machine, and reached nobody yet
    at_work = _AT_WORK if status.is_at_work else _LEFT_BEHIND
    varies = any(count.readership.sees for count in status.variants)
    return [
        ("frozen", show_utc_from(broadcast.created_at, now)),
        ("due", due),
        (ended, show_utc_from(broadcast.finished_at, now) if broadcast.finished_at else ""),
        (f"held by {broadcast.provider}", first_and_last(held)),
        ("at work", at_work if status.tally.inflight else ""),
        ("variants", variant_lines(status.variants) if varies else ""),
    ]


def _print_unknown(status: BroadcastStatus) -> None:
    if not status.tally.unknown:
        return
    output.say()
    output.say("Uncertain, and therefore not sent again:")
    for delivery in status.unknown:
        output.say(f"  {delivery.email or NOBODY_NOW}  chunk {delivery.chunk}")
    if (more := status.tally.unknown - len(status.unknown)) > 0:
        output.say(f"  … and {more:,} more; `newsletter audit {status.broadcast.id} --list unknown` has all of them")


def _data(status: BroadcastStatus) -> dict[str, object]:
    return {
        **standing_data(status.broadcast, status.tally),
        "next_due_at": status.next_due,
        "is_at_work": status.is_at_work,
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
        held = f"ends it, and takes back what {status.broadcast.provider} holds"
        steps.append((f"newsletter cancel {number}", held if holds_some else "ends it: nothing more of it leaves"))
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
