"""How broadcasts stand, on the screen and for scripts."""

from collections.abc import Sequence
from dataclasses import asdict

from newsletter.cli import output
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import SettledCount
from newsletter.workflows.status import BroadcastStatus

_STYLE = {
    BroadcastState.RUNNING: "yellow",
    BroadcastState.PAUSED: "yellow",
    BroadcastState.STOPPED: "red",
    BroadcastState.DONE: "green",
}


def show_broadcasts(statuses: Sequence[BroadcastStatus], *, as_json: bool) -> None:
    """A line a broadcast."""
    if as_json:
        output.show_json([_data(status) for status in statuses])
        return
    if not statuses:
        output.say("There is no broadcast yet.")
        return
    rows = [
        (
            str(status.broadcast.id),
            status.broadcast.issue,
            status.broadcast.segment,
            status.broadcast.state.value,
            f"{status.tally.accepted:,}",
            f"{status.tally.frozen:,}",
            f"{status.broadcast.created_at:%Y-%m-%d %H:%M}",
        )
        for status in statuses
    ]
    output.show_table(("broadcast", "issue", "segment", "state", "accepted", "frozen", "since (UTC)"), rows)


def show_broadcast(status: BroadcastStatus, *, as_json: bool) -> None:
    """One broadcast: the parts that add up, and what stands behind them."""
    if as_json:
        output.show_json(_data(status))
        return
    broadcast, tally = status.broadcast, status.tally
    state = output.styled(broadcast.state.value, _STYLE[broadcast.state])
    output.say(
        f"Broadcast {broadcast.id}: {broadcast.issue} to {broadcast.segment} through {broadcast.provider}, {state}"
    )
    if broadcast.reason:
        output.say(f"  {broadcast.reason}")
    parts = _parts(status)
    output.show_facts([(name, f"{count:,}") for name, count in parts if count or name == "accepted"])
    sum_of_parts = " + ".join(f"{count:,} {name}" for name, count in parts if count) or "0"
    output.say(f"  {sum_of_parts} {'=' if tally.adds_up else '≠'} {tally.frozen:,} frozen")
    for count in status.settled:
        output.say(f"  {count.status.value}: {_settled_line(count)}")
    for waiver in broadcast.waivers:
        output.say(f"  waived {waiver.rule}: {waiver.because}")
    _show_unknown(status)
    _show_next_step(status)


def _parts(status: BroadcastStatus) -> list[tuple[str, int]]:
    tally = status.tally
    return [
        ("accepted", tally.accepted),
        ("excluded", tally.excluded),
        ("invalid", tally.invalid),
        ("rejected", tally.rejected),
        ("unknown", tally.unknown),
        ("inflight", tally.inflight),
        ("waiting", tally.waiting),
    ]


def _settled_line(count: SettledCount) -> str:
    return f"{count.deliveries:,} {count.reason}"


def _show_unknown(status: BroadcastStatus) -> None:
    if not status.tally.unknown:
        return
    output.say("Uncertain, and therefore not sent again:")
    for delivery in status.unknown:
        output.say(f"  {delivery.email or 'somebody who left the list'}  chunk {delivery.chunk}  {delivery.reason}")
    if (more := status.tally.unknown - len(status.unknown)) > 0:
        output.say(f"  … and {more:,} more; `newsletter status {status.broadcast.id} --json` has all of them")


def _show_next_step(status: BroadcastStatus) -> None:
    number, tally = status.broadcast.id, status.tally
    if status.broadcast.state is BroadcastState.RUNNING and tally.inflight:
        output.note(f"{tally.inflight:,} are being handed over, or were when a process died.")
    if status.broadcast.state in {BroadcastState.RUNNING, BroadcastState.PAUSED}:
        output.show_next(f"newsletter resume {number}", "to go on, if no process is at work on it")


def _data(status: BroadcastStatus) -> dict[str, object]:
    broadcast = status.broadcast
    return {
        "broadcast": broadcast.id,
        "issue": broadcast.issue,
        "segment": broadcast.segment,
        "provider": broadcast.provider,
        "state": broadcast.state.value,
        "reason": broadcast.reason,
        "created_at": broadcast.created_at.isoformat(),
        "finished_at": broadcast.finished_at.isoformat() if broadcast.finished_at else None,
        "tally": asdict(status.tally),
        "adds_up": status.tally.adds_up,
        "settled": [
            {"status": count.status.value, "reason": count.reason, "deliveries": count.deliveries}
            for count in status.settled
        ],
        "chunks": [
            {"state": chunk.state.value, "reason": chunk.reason, "chunks": chunk.chunks, "deliveries": chunk.deliveries}
            for chunk in status.chunks
        ],
        "waivers": [asdict(waiver) for waiver in broadcast.waivers],
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
