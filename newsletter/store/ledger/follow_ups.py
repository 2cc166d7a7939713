"""Who gets a follow-up of an issue: those who are known to have got it and not opened it.

Everyone else in the segment is excluded with the reason. In doubt, a person is excluded. What a machine opened shows
neither that the person did nor that they did not: an app that loads every image hides it when its user opens the email.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson

from newsletter.model.event import EventType
from newsletter.model.ledger import FreezeRequest
from newsletter.store.database import Connection
from newsletter.store.queries import Change, change, query_all, query_value
from newsletter.system.moments import text_of

FOLLOWS_AFTER = timedelta(days=2)  # the shortest time between the issue and its follow-up
KNOWN_LATE = timedelta(minutes=15)  # until then, an open may not have been judged yet
NO_LONGER_KNOWN = "opened it in the meantime, or ended tracking"
_FIRST_SENT = query_value("follow_ups", "first_sent", str)
_EXCLUDE_REPORTED = change("follow_ups", "exclude_reported")
_NO_LONGER_KNOWN = query_all("follow_ups", "no_longer_known", int)
# Each reason with its query, in the order in which they are tried, and the events or reactions that it is about.
_REASONS: tuple[tuple[str, Change, tuple[EventType, ...]], ...] = (
    ("not reached by the issue", change("follow_ups", "exclude_unreached"), ()),
    ("got the issue less than two days before", change("follow_ups", "exclude_recent"), ()),
    ("left since then", change("follow_ups", "exclude_left"), ()),
    ("unsubscribed or marked it as spam", _EXCLUDE_REPORTED, (EventType.UNSUBSCRIBED, EventType.COMPLAINED)),
    ("clicked a link in it", change("follow_ups", "exclude_reacted"), (EventType.CLICKED,)),
    ("opened it", change("follow_ups", "exclude_reacted"), (EventType.OPENED,)),
    ("without known opens", change("follow_ups", "exclude_untracked"), ()),
    ("the issue bounced", _EXCLUDE_REPORTED, (EventType.BOUNCED, EventType.BLOCKED, EventType.DROPPED)),
    ("opened only by a machine", _EXCLUDE_REPORTED, (EventType.OPENED, EventType.CLICKED)),
)


def exclude_from_follow_up(
    connection: Connection, request: FreezeRequest, *, settlement: int, due_at: datetime
) -> Iterator[tuple[str, int]]:
    """Exclude the members who get no follow-up that leaves at a time. Yield each reason with the number of people.

    `settlement` is the number of the first reason. It must not be used again until the next reason is asked for.
    """
    since = _FIRST_SENT(connection, issue=request.issue, provider=request.provider)
    known = {
        "issue": request.issue,
        "provider": request.provider,
        "since": since,
        "until": text_of(due_at - FOLLOWS_AFTER),
    }
    for reason, exclude, types in _REASONS:
        values = [each.value for each in types]
        asked = {**known, "type": next(iter(values), ""), "types": orjson.dumps(values).decode()}
        if count := exclude(connection, settlement=settlement, **asked):
            yield reason, count
            settlement += 1


def no_longer_known(
    connection: Connection, broadcast_id: int, chunk: int, *, first_subscriber: int, size: int, now: datetime
) -> frozenset[int]:
    """Return the people in a chunk of a follow-up who are no longer known not to have opened the issue."""
    place = {"broadcast": broadcast_id, "chunk": chunk, "first_subscriber": first_subscriber, "size": size}
    return frozenset(_NO_LONGER_KNOWN(connection, **place, since=text_of(now - KNOWN_LATE)))
