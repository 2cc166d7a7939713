"""A rehearsal in words, as answers to a director's questions. The terminal prints them, and the studio shows them."""

from datetime import timedelta

from msgspec.structs import asdict

from newsletter.language.clock import say_clock, say_day_and_clock, say_span, say_time, say_wait
from newsletter.language.counts import count_of, people_of
from newsletter.model.broadcast import BroadcastState, label_of
from newsletter.workflows.rehearse.failures import Aftermath
from newsletter.workflows.rehearse.forecast import Rehearsal, ZoneForecast
from newsletter.workflows.send.account import Fact, first_and_last, identity
from newsletter.workflows.send.awake import Awake

_PARTS = {
    "accepted": "accepted",
    "waiting": "ready",
    "unknown": "unknown",
    "deferred": "deferred",
    "rejected": "rejected",
}
NIGHT = frozenset({22, 23, *range(6)})  # hours
_RUNNERS = {
    Awake.SERVE: "the service, which looks every minute",
    Awake.TIMER: "a timer, which looks every five minutes",
    Awake.WORKER: "a worker, which looks every minute",
    Awake.HERE: "the program in which you confirm it",
}


def headline(found: Rehearsal, zone: str) -> str:
    """Return the answer to the first question in one sentence: when it is over, and how many people have it then."""
    people = people_of(found.tally.accepted)
    if found.state != BroadcastState.DONE:
        return f"It does not finish by itself: {people} get it, then it is {found.state} ({found.reason})."
    return f"{people} get it. The last email arrives on {say_time(found.last, zone)}."


def facts_of(found: Rehearsal, zone: str) -> list[Fact]:
    """Return when it begins and ends, what it takes, how fast it is, and why it waits."""
    took = found.last - found.first
    return [
        ("confirmed", say_time(found.begins, zone)),
        ("first email", say_time(found.first, zone)),
        ("last email", f"{say_time(found.last, zone)}, {say_wait(took)} after the first"),
        ("handed over", "" if found.handed_over >= found.last else say_time(found.handed_over, zone)),
        ("people", identity(found.tally)),
        ("at night", night_of(found)),
        ("takes", _effort(found)),
        ("speed", _speed(found)),
        ("sent by", _RUNNERS[found.awake] if found.last - found.begins > timedelta(minutes=10) else ""),
        ("limits", "\n".join(limits_of(found))),
        ("waits", first_and_last([_waiting(found, place) for place in range(len(found.waits))])),
    ]


def limits_of(found: Rehearsal) -> list[str]:
    """Return the most emails in any second, minute, hour and day, and what the settings allow."""
    return [
        f"at most {use.most:,} in {'an' if use.span == 'hour' else 'a'} {use.span}"
        + (f", of the {use.limit:,} that you allow" if use.limit else "")
        for use in found.spans
        if use.limit or use.span in {"hour", "day"}
    ]


def night_of(found: Rehearsal) -> str:
    """Return how many people get it at night on their own clocks, or an empty string if no one does."""
    people = sum(found.hours[hour] for hour in NIGHT)
    return f"{people_of(people)} get it between 10 pm and 6 am on their own clocks" if people else ""


def zone_row(each: ZoneForecast) -> tuple[str, str, str, str]:
    """Return a zone, the number of people in it, and when the first and the last of them get the email there."""
    first, last = each.first, each.last
    until = say_clock(last) if first.date() == last.date() else say_day_and_clock(last)
    return each.zone, f"{each.people:,}", say_day_and_clock(first), until


def left_by(failure: Aftermath) -> str:
    """Return what a failure leaves, in words."""
    if failure.tally is None:
        return failure.reason  # there is no broadcast
    counts = asdict(failure.tally)
    parts = [f"{counts[part]:,} {label_of(part)}" for part in _PARTS if counts[part]]
    return f"{failure.state}: {', '.join(parts)}"


def then_after(failure: Aftermath, zone: str) -> str:
    """Return what happens after a failure, or what a person has to do."""
    if failure.ends is not None:
        return f"continues by itself; the last email arrives on {say_time(failure.ends, zone)}"
    return "\n".join(f"`{command}` {why}" for command, why in failure.steps) or "nothing is left to do"


def _effort(found: Rehearsal) -> str:
    if found.provider == "outbox":
        return count_of(found.requests, "file")
    if found.tempo.unit == "email":
        return f"{count_of(found.requests, 'email')} through {count_of(found.connections, 'connection')}"
    return f"{count_of(found.requests, 'request')}, at most {found.connections} at the same time"


def _speed(found: Rehearsal) -> str:
    tempo = found.tempo
    each = f"{tempo.usual:.3g} seconds per {tempo.unit}"
    if tempo.broadcasts:
        numbers = ", ".join(map(str, tempo.broadcasts))
        return f"{each} on average, as measured in {count_of(len(tempo.broadcasts), 'broadcast')} ({numbers})"
    if len(tempo.seconds) == 1:
        return f"{each}, as you said"
    return f"{each}, an assumption: too little has been sent through {found.provider} so far to measure it"


def _waiting(found: Rehearsal, place: int) -> str:
    wait = found.waits[place]
    return f"{say_span(timedelta(seconds=wait.seconds))} in total: {wait.reason}"
