"""How broadcasts stand, on the screen and for scripts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.next_steps import next_steps
from newsletter.cli.variants import variant_lines, variants_data
from newsletter.language.clock import say_moment, show_minute, show_utc_from
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Tally
from newsletter.model.ledger import ChunkSummary, SettledCount, ZoneProgress
from newsletter.workflows.send.status import BroadcastLine, BroadcastStatus

_STYLE = {
    BroadcastState.SCHEDULED: "yellow",
    BroadcastState.RUNNING: "yellow",
    BroadcastState.PAUSED: "yellow",
    BroadcastState.STOPPED: "red",
    BroadcastState.CANCELLING: "yellow",
    BroadcastState.CANCELLED: "dim",
    BroadcastState.DONE: "green",
}
_AT_WORK = "a process is handing over what is inflight"
_LEFT_BEHIND = "nobody: the process that was handing over what is inflight has ended"
_COLUMNS: dict[str, Callable[[BroadcastLine], str]] = {
    "broadcast": lambda line: str(line.broadcast.id),
    "issue": lambda line: line.broadcast.issue,
    "segment": lambda line: line.broadcast.segment,
    "state": lambda line: line.broadcast.state.value,
    "time (UTC)": lambda line: _minute(line.broadcast.due_at or line.broadcast.created_at),
    "accepted": lambda line: f"{line.tally.accepted:,}",
    "unknown": lambda line: f"{line.tally.unknown:,}" if line.tally.unknown else "",
    "frozen": lambda line: f"{line.tally.frozen:,}",
}
_ZONE_COLUMNS: dict[str, Callable[[ZoneProgress], str]] = {
    "time zone": lambda zone: zone.zone,
    "due (UTC)": lambda zone: _minute(zone.due_at) or "at once",
    "people": lambda zone: f"{zone.deliveries:,}",
    "handed over": lambda zone: f"{zone.handed_over:,}",
    "waiting": lambda zone: f"{zone.waiting:,}",
    "cancelled": lambda zone: f"{zone.cancelled:,}" if zone.cancelled else "",
}
_LONGEST_LIST = 4
_NAMED = frozenset({"accepted", "excluded", "invalid", "cancelled", "unknown"})  # in the identity, zero or not


def show_broadcasts(lines: Sequence[BroadcastLine], *, as_json: bool) -> None:
    """A line a broadcast."""
    if as_json:
        output.show_json([{**broadcast_data(line.broadcast), **tally_data(line.tally)} for line in lines])
        return
    if not lines:
        output.say("There is no broadcast yet.")
        return
    output.show_columns(_COLUMNS, lines)


def show_broadcast(status: BroadcastStatus, *, as_json: bool, zone: str = "UTC") -> None:
    """One broadcast: the parts that add up, what stands behind them, and what can be done.

    `zone` is the one on whose clocks its time is shown, beside UTC.
    """
    if as_json:
        output.show_json(_data(status))
        return
    now = datetime.now(UTC)
    show_heading(status.broadcast, status.tally)
    facts = _times(status, zone, now)
    if any(count.readership.sees for count in status.variants):
        facts.append(("variants", variant_lines(status.variants)))
    facts += parts(status.settled, status.chunks) + waived(status.broadcast)
    if facts:
        output.show_facts(facts)
    _show_zones(status)
    _show_unknown(status)
    for command, why in next_steps(status, now):
        output.show_next(command, why)


def show_heading(broadcast: Broadcast, tally: Tally) -> None:
    """What a broadcast is, how it stands and why, and that its parts add up."""
    state = output.styled(broadcast.state.value, _STYLE[broadcast.state])
    output.say(
        f"Broadcast {broadcast.id}: {broadcast.issue} to {broadcast.segment} through {broadcast.provider}, {state}"
    )
    if broadcast.reason:
        output.say(f"  {broadcast.reason}")
    output.say(f"  {identity(tally)}")


def identity(tally: Tally) -> str:
    """The parts and their sum; what is usually nothing is named where there is some of it."""
    counts = {
        "accepted": tally.accepted,
        "excluded": tally.excluded,
        "invalid": tally.invalid,
        "cancelled": tally.cancelled,
        "unknown": tally.unknown,
        "rejected": tally.rejected,
        "inflight": tally.inflight,
        "waiting": tally.waiting,
    }
    sum_of_parts = " + ".join(f"{count:,} {name}" for name, count in counts.items() if count or name in _NAMED)
    return f"{sum_of_parts} {'=' if tally.adds_up else '≠'} {tally.frozen:,} frozen"


def parts(settled: Sequence[SettledCount], chunks: Sequence[ChunkSummary]) -> list[tuple[str, str]]:
    """Why deliveries stand where they stand, for those of which it is not plain."""
    lines: dict[str, list[str]] = {}
    for count in settled:
        lines.setdefault(count.status.value, []).append(f"{count.deliveries:,} {count.reason}")
    for chunk in chunks:
        if chunk.reason and chunk.state is not ChunkState.READY:
            lines.setdefault(state_word(chunk.state), []).append(f"{chunk.deliveries:,} {chunk.reason}")
    return [(name, "\n".join(reasons)) for name, reasons in lines.items()]


def state_word(state: ChunkState) -> str:
    """A chunk's state as the identity names it."""
    return "waiting" if state is ChunkState.READY else state.value


def waived(broadcast: Broadcast) -> list[tuple[str, str]]:
    """The checks that were overridden, and why."""
    told = "\n".join(f"{waiver.rule}: {waiver.because}" for waiver in broadcast.waivers)
    return [("waived", told)] if told else []


def broadcast_data(broadcast: Broadcast) -> dict[str, object]:
    """A broadcast for a script."""
    return {
        "broadcast": broadcast.id,
        "issue": broadcast.issue,
        "segment": broadcast.segment,
        "provider": broadcast.provider,
        "state": broadcast.state.value,
        "reason": broadcast.reason,
        "created_at": broadcast.created_at.isoformat(),
        "due_at": iso(broadcast.due_at),
        "is_local_time": broadcast.is_local_time,
        "finished_at": iso(broadcast.finished_at),
        "waivers": [asdict(waiver) for waiver in broadcast.waivers],
    }


def tally_data(tally: Tally) -> dict[str, object]:
    """A tally for a script."""
    return {"tally": asdict(tally), "adds_up": tally.adds_up}


def settled_data(settled: Sequence[SettledCount]) -> list[dict[str, object]]:
    """Those who were settled by themselves, for a script."""
    return [{"status": count.status.value, "reason": count.reason, "deliveries": count.deliveries} for count in settled]


def chunks_data(chunks: Sequence[ChunkSummary]) -> list[dict[str, object]]:
    """The chunks by state and reason, for a script."""
    return [
        {"state": chunk.state.value, "reason": chunk.reason, "chunks": chunk.chunks, "deliveries": chunk.deliveries}
        for chunk in chunks
    ]


def shortened(lines: Sequence[str]) -> list[str]:
    """The first and the last of lines that are too many to be read."""
    if len(lines) <= _LONGEST_LIST:
        return list(lines)
    return [*lines[: _LONGEST_LIST - 2], f"… and {len(lines) - _LONGEST_LIST + 1:,} more", lines[-1]]


def iso(moment: datetime | None) -> str | None:
    """A moment for a script."""
    return moment.isoformat() if moment else None


def _times(status: BroadcastStatus, zone: str, now: datetime) -> list[tuple[str, str]]:
    broadcast = status.broadcast
    facts = [("frozen", show_utc_from(broadcast.created_at, now))]
    if broadcast.due_at:
        is_one_moment = not broadcast.is_local_time
        due = say_moment(broadcast.due_at, zone, now=now) if is_one_moment else _own_clocks(status, zone, now)
        facts.append(("due", due))
    held = [f"{mail.deliveries:,} until {show_utc_from(mail.until, now)}" for mail in status.held_after(now)]
    if broadcast.finished_at:  # what the provider holds has left this machine, and has not reached anybody
        facts.append(("handed over" if held else "ended", show_utc_from(broadcast.finished_at, now)))
    if held:
        facts.append((f"held by {broadcast.provider}", "\n".join(shortened(held))))
    if status.tally.inflight:
        facts.append(("at work", _AT_WORK if status.is_at_work else _LEFT_BEHIND))
    return facts


def _own_clocks(status: BroadcastStatus, zone: str, now: datetime) -> str:
    words = "by everybody's own clock"
    return words if status.next_due is None else f"{words}; next:\n{say_moment(status.next_due, zone, now=now)}"


def _show_zones(status: BroadcastStatus) -> None:
    if not status.zones:
        return
    output.say()
    output.show_columns(_ZONE_COLUMNS, status.zones)


def _show_unknown(status: BroadcastStatus) -> None:
    if not status.tally.unknown:
        return
    output.say()
    output.say("Uncertain, and therefore not sent again:")
    for delivery in status.unknown:
        output.say(f"  {delivery.email or 'somebody who left the list'}  chunk {delivery.chunk}")
    if (more := status.tally.unknown - len(status.unknown)) > 0:
        output.say(f"  … and {more:,} more; `newsletter audit {status.broadcast.id} --list unknown` has all of them")


def _minute(moment: datetime | None) -> str:
    return show_minute(moment) if moment else ""


def _data(status: BroadcastStatus) -> dict[str, object]:
    return {
        **broadcast_data(status.broadcast),
        **tally_data(status.tally),
        "next_due_at": iso(status.next_due),
        "is_at_work": status.is_at_work,
        "held": [{"until": mail.until.isoformat(), "deliveries": mail.deliveries} for mail in status.held],
        "zones": [
            {
                "zone": zone.zone,
                "due_at": iso(zone.due_at),
                "deliveries": zone.deliveries,
                "waiting": zone.waiting,
                "cancelled": zone.cancelled,
            }
            for zone in status.zones
        ],
        "variants": variants_data(status.variants),
        "settled": settled_data(status.settled),
        "chunks": chunks_data(status.chunks),
        "unknown": [
            {
                "email": delivery.email,
                "chunk": delivery.chunk,
                "since": delivery.since.isoformat(),
                "reason": delivery.reason,
            }
            for delivery in status.unknown
        ],
    }
