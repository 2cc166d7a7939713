"""Opens and clicks that wait to be judged, and the `reaction` table: who opened or clicked a broadcast, and when last.

Segments query that table.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

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
    _UNREACT.for_each(
        connection,
        [
            {
                "broadcast": each.broadcast,
                "type": (EventType.CLICKED if each.is_click else EventType.OPENED).value,
                "subscriber": each.subscriber,
                "at": text_of(each.at),
            }
            for each, found in verdicts.items()
            if not found.is_persons
        ],
    )
    _REACT(connection, since=text_of(minute), until=text_of(minute + MINUTE))
    _DELIVER(connection, since=text_of(minute), until=text_of(minute + MINUTE))
    _SET_JUDGED(connection, minute=text_of(minute)[:MINUTE_LETTERS])
