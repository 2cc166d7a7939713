"""Opens and clicks that wait to be judged, and the `reaction` table: who opened or clicked a broadcast, and when last.

Segments query that table.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import json

from newsletter.model.event import EventType
from newsletter.model.machines import MachineVerdict
from newsletter.store.database import Connection, Database
from newsletter.store.events import MINUTE_LETTERS
from newsletter.store.queries import change, query_all, query_value
from newsletter.system.moments import text_of

MINUTE = timedelta(minutes=1)


class ReactionEvent(NamedTuple):
    """An open or a click, or the delivery of an email to someone who opened or clicked."""

    at: datetime
    digest: bytes  # together with the time, the key of the event
    broadcast: int
    subscriber: int
    is_click: bool
    is_delivery: bool
    link: int  # which link was clicked; -1 if it is not known
    verdict: str  # a MachineVerdict


class CountedReaction(NamedTuple):
    """Whose opens or clicks of a broadcast count, and when they were."""

    broadcast: int
    subscriber: int
    is_click: bool
    first_at: datetime
    last_at: datetime

    @property
    def whose(self) -> tuple[int, int, bool]:
        """What it is known by."""
        return self[:3]


class KnownPeople(NamedTuple):
    """Of how many people we may know what they opened and clicked."""

    people: int
    known: int


_KNOWN_OF_ISSUE = query_value("tracking", "known_of_issue", KnownPeople)
_KNOWN_OF_ALL = query_value("tracking", "known_of_all", KnownPeople)
_UNJUDGED = query_all("tracking", "unjudged", str)
_REACTIONS = query_all("tracking", "reactions", ReactionEvent)
_SET_VERDICT = change("tracking", "set_verdict")
_REACT = change("tracking", "react")
_DELIVER = change("tracking", "deliver")
_COUNTED = query_all("tracking", "counted", CountedReaction)
_COUNT_AGAIN = query_all("tracking", "count_again", CountedReaction)
_RECOUNT = change("tracking", "recount")
_UNREACT = change("tracking", "unreact")
_SET_JUDGED = change("tracking", "set_judged")


def known_people(database: Database, issue: str | None) -> KnownPeople:
    """Return how many people received an issue, or are on the list, and of how many we may know what they open."""
    return _KNOWN_OF_ALL.ask(database) if issue is None else _KNOWN_OF_ISSUE.ask(database, issue=issue)


def unjudged_minutes(database: Database, *, until: datetime) -> tuple[datetime, ...]:
    """Return the beginning of each minute up to a time whose deliveries, opens and clicks were not judged yet."""
    found = _UNJUDGED.ask(database, until=text_of(until)[:MINUTE_LETTERS])
    return tuple(datetime.fromisoformat(f"{minute}:00Z") for minute in found)


def reactions_around(connection: Connection, minute: datetime) -> Sequence[ReactionEvent]:
    """Return the opens and clicks of a minute, and of a minute before and after it, in the order of their times."""
    return _REACTIONS(connection, since=text_of(minute - MINUTE), until=text_of(minute + 2 * MINUTE))


def keep_judged(connection: Connection, minute: datetime, verdicts: Mapping[ReactionEvent, MachineVerdict]) -> None:
    """Save the new verdicts of a minute on opens and clicks, who opened or clicked, and who received the email."""
    _SET_VERDICT.for_each(
        connection,
        [{"at": text_of(each.at), "digest": each.digest, "verdict": found.value} for each, found in verdicts.items()],
    )
    _take_back(connection, [each for each, found in verdicts.items() if not found.is_persons])
    _REACT(connection, since=text_of(minute), until=text_of(minute + MINUTE))
    _DELIVER(connection, since=text_of(minute), until=text_of(minute + MINUTE))
    _SET_JUDGED(connection, minute=text_of(minute)[:MINUTE_LETTERS])


def _take_back(connection: Connection, machines: Sequence[ReactionEvent]) -> None:
    """Count again those whose first or last open or click turned out to be a machine's, from the events that remain."""
    at: defaultdict[tuple[int, int, bool], set[datetime]] = defaultdict(set)
    for event in machines:
        at[event.broadcast, event.subscriber, bool(event.is_click)].add(event.at)
    counted = _COUNTED(
        connection,
        broadcasts=_listed({event.broadcast for event in machines}),
        subscribers=_listed({event.subscriber for event in machines}),
    )
    wrong = [each for each in counted if {each.first_at, each.last_at} & at.get(each.whose, set())]
    if not wrong:
        return
    since, until = min(each.first_at for each in wrong), max(each.last_at for each in wrong)
    found = _COUNT_AGAIN(
        connection,
        since=text_of(since),
        until=text_of(until),
        subscribers=_listed({each.subscriber for each in wrong}),
    )
    right = {each.whose: {each.first_at, each.last_at} for each in found}
    gone, kept = [], []
    for each in wrong:
        # What was counted from an event that has been deleted since then stays.
        times = ({each.first_at, each.last_at} - at[each.whose]) | right.get(each.whose, set())
        kind = EventType.CLICKED if each.is_click else EventType.OPENED
        key = {"broadcast": each.broadcast, "type": kind.value, "subscriber": each.subscriber}
        if times:
            kept.append({**key, "first_at": text_of(min(times)), "last_at": text_of(max(times))})
        else:
            gone.append(key)
    _UNREACT.for_each(connection, gone)
    _RECOUNT.for_each(connection, kept)


def _listed(numbers: Iterable[int]) -> str:
    return json.encode(sorted(numbers)).decode()
