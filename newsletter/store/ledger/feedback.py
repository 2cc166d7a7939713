"""Count what comes back about a broadcast that can be a reason to stop it. Each person counts once for each kind."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
from msgspec import Struct, field

from newsletter.model.broadcast import BroadcastKind
from newsletter.model.waves import Feedback
from newsletter.refusals import not_about_the_recipient
from newsletter.store.database import Database
from newsletter.store.queries import query_all, query_one, query_value
from newsletter.system.moments import text_of


class ReportedRow(NamedTuple):
    """The number of people with one kind of report."""

    kind: Feedback
    people: int


class CameBack(Struct, frozen=True, kw_only=True):
    """What came back about the emails of a broadcast that were sent so far."""

    sent: int  # emails that were accepted and passed on
    counts: Mapping[Feedback, int]
    at_once: Mapping[Feedback, int] = field(default_factory=dict)  # those of them that were refused instead of accepted

    def tried(self, kind: Feedback) -> int:
        """Return how many emails a count is of."""
        return self.sent + self.at_once.get(kind, 0)


_POLICIES = frozenset({"policy", "filtered"})  # besides the causes that are never the recipient's
_FOR = timedelta(days=7)  # after that, it is hardly about the issue
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_PASSED_ON = query_value("feedback", "passed_on", int)
_REFUSED = query_value("feedback", "refused", int)
_INVALID = query_value("feedback", "invalid", int)
_REPORTED = query_all("feedback", "reported", ReportedRow)
_BEGAN = query_one("feedback", "began", datetime)
_IS_ANYTHING_KNOWN = query_value("feedback", "is_anything_known", bool)
_EARLIER = query_all("feedback", "earlier", int)


def came_back(database: Database, broadcast_id: int, *, now: datetime) -> CameBack:
    """Return what came back about a broadcast within a week after it began."""
    with database.read() as connection:
        began = _BEGAN(connection, broadcast=broadcast_id) or _EVER
        rows = _REPORTED(
            connection,
            broadcast=broadcast_id,
            causes=orjson.dumps(sorted(not_about_the_recipient() | _POLICIES)).decode(),
            since=text_of(began),
            until=text_of(min(began, _EVER - _FOR) + _FOR),
        )
        found = dict.fromkeys(Feedback, 0) | {row.kind: row.people for row in rows}
        at_once = {
            Feedback.BOUNCES: _INVALID(connection, broadcast=broadcast_id),
            Feedback.REFUSALS: _REFUSED(connection, broadcast=broadcast_id),
        }
        return CameBack(
            sent=_PASSED_ON(connection, broadcast=broadcast_id, now=text_of(now)),
            counts={kind: count + at_once.get(kind, 0) for kind, count in found.items()},
            at_once=at_once,
        )


def is_anything_known(database: Database, broadcast_id: int) -> bool:
    """Return whether anything at all came back about a broadcast, such as that an email was delivered."""
    began = _BEGAN.ask(database, broadcast=broadcast_id)
    return began is not None and bool(_IS_ANYTHING_KNOWN.ask(database, broadcast=broadcast_id, since=text_of(began)))


def earlier_broadcasts(database: Database, kind: BroadcastKind, provider: str, *, most: int) -> tuple[int, ...]:
    """Return the newest broadcasts of a kind that were sent through a provider, up to a number."""
    return _EARLIER.ask(database, kind=kind.value, provider=provider, most=most)
