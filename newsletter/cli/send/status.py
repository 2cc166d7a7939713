"""`newsletter status`: the state of broadcasts, as text and as JSON."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec.structs import asdict

from newsletter.cli import output
from newsletter.cli.options import AsJson
from newsletter.cli.send.held import held_by, print_held
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import show_minute
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Tally, label_of
from newsletter.model.ledger import LastRun, ZoneProgress
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.account import (
    identity,
    next_steps,
    parts,
    runner_missing,
    state_in_words,
    times_of,
    title_of,
    waived,
)
from newsletter.workflows.send.recall import StillHeld
from newsletter.workflows.send.road import Road, Step, draft_of, road_of
from newsletter.workflows.send.status import BroadcastLine, BroadcastStatus, list_statuses, status_of
from newsletter.workflows.send.told import notes_on_old_times

NOBODY_NOW = "someone no longer on the list"

_PASSED, _OPEN = "✓", "·"  # a station on the road of an issue
_WHY = {
    Step.COMPOSED: "to see what to correct",
    Step.CHECKED: "to see what to correct",
    Step.TESTED: "to send one to your reviewers",
    Step.APPROVED: "once someone has reviewed it",
    Step.SCHEDULED: "to see who would get it",
    Step.SENT: "to see what you can do",
}

_STYLE = {BroadcastState.STOPPED: "red", BroadcastState.CANCELLED: "dim", BroadcastState.DONE: "green"}
_STYLE_OF_OTHERS = "yellow"  # these broadcasts are not finished
_COLUMNS: dict[str, Callable[[BroadcastLine], str]] = {
    "broadcast": lambda line: str(line.broadcast.id),
    "issue": lambda line: line.broadcast.about,
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


def status(
    of: Annotated[
        str | None,
        typer.Argument(
            metavar="BROADCAST|ISSUE", help="The number of a broadcast, or an issue. Default: show all broadcasts."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the status of your broadcasts, with the number of emails in each state.

    With a number, shows one broadcast in detail: its times, the reasons behind its numbers, and what
    you can do next. With an issue, shows how far it is on its road to the inbox, and what is missing.
    """
    with opened_database() as (config, database):
        if of is None:
            _print_all(list_statuses(database), as_json=as_json)
        elif of.isdecimal():
            number = int(of)
            found, held = status_of(database, number, every_unknown=as_json), held_by(config, database, number)
            print_broadcast(config, found, held=held, as_json=as_json)
        else:
            draft = draft_of(config, database, require_issue(config, of))
            _print_road(road_of(config, database, draft), as_json=as_json)
        if not as_json:
            output.print_notes(tuple(notes_on_old_times(database, now=datetime.now(UTC))))


def _print_all(lines: Sequence[BroadcastLine], *, as_json: bool) -> None:
    if as_json:
        output.print_json([standing_data(line.broadcast, line.tally) for line in lines])
    elif lines:
        output.print_columns(_COLUMNS, lines)
    else:
        output.say("There are no broadcasts yet.")


def _print_road(road: Road, *, as_json: bool) -> None:
    """Print each station of an issue on its road to the inbox, and the command for the next one."""
    if as_json:
        stations = [asdict(station) for station in road.stations]
        broadcasts = [standing_data(line.broadcast, line.tally) for line in road.broadcasts]
        output.print_json(
            {"issue": road.issue, "content": road.content_hash, "stations": stations, "broadcasts": broadcasts}
        )
        return
    output.say(f"{road.issue} on its road to the inbox")
    facts = [
        (station.step.value, f"{_PASSED if station.is_passed else _OPEN} {station.note}".rstrip())
        for station in road.stations
    ]
    output.print_facts(facts)
    if road.next is not None and road.next.command:
        output.print_next(road.next.command, _WHY[road.next.step])


def print_broadcast(
    config: Config, status: BroadcastStatus, *, held: Iterable[StillHeld] = (), as_json: bool = False
) -> None:
    """Print one broadcast: its numbers, the reasons behind them, whom its held email still reaches, the next steps."""
    if as_json:
        output.print_json(_data(status))
        return
    now = datetime.now(UTC)
    print_heading(status.broadcast, status.tally)
    times = times_of(status, config.settings.newsletter.timezone, now)
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
    state = output.styled(state_in_words(broadcast, tally), _STYLE.get(broadcast.state, _STYLE_OF_OTHERS))
    output.say(f"{title_of(broadcast)}, {state}")
    if broadcast.reason:
        output.say(f"  {broadcast.reason}")
    output.say(f"  {identity(tally)}")


def note_if_missing(last: LastRun | None, *, wanted: str = "service, timer or worker", now: datetime) -> None:
    """Print a warning if nothing that sends what is due has run lately."""
    if warning := runner_missing(last, wanted=wanted, now=now):
        output.print_notes([warning])


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


def _waves_data(status: BroadcastStatus) -> dict[str, object] | None:
    watch = status.watch
    if watch is None:
        return None
    return {
        "state": watch.state,
        "first": watch.first,
        "rest": watch.rest,
        "seed": watch.plan.seed,
        "watch_until": watch.watch_until,
        "decided_at": watch.decided_at,
        "reason": watch.reason,
        "came_back": status.came_back,
    }


def _data(status: BroadcastStatus) -> dict[str, object]:
    return {
        **standing_data(status.broadcast, status.tally),
        "next_due_at": status.next_due,
        "is_at_work": status.is_at_work,
        "last_run": status.last_run,
        "notices": status.notices,
        "held": status.held,
        "troubles": {
            "bounces": asdict(status.troubles.bounces),
            "complaints": asdict(status.troubles.complaints),
            "left": status.troubles.left,
        },
        "waves": _waves_data(status),
        "zones": status.zones,
        "variants": [
            {
                "segments": sorted(who.readership.segments),
                "mailbox": who.readership.mailbox,
                "deliveries": who.deliveries,
            }
            for who in status.variants
        ],
        "comparison": status.comparison,
        "settled": status.settled,
        "chunks": status.chunks,
        "unknown": status.unknown,
    }
