"""Count soft bounces, and suppress an address as bounced after too many of them.

A soft bounce is an email that a mailbox refused temporarily. The bounces that providers list (the `soft_bounce` table)
and those that they reported for our own messages (events of the type `blocked`) count the same.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import orjson

from newsletter.language.clock import show_day
from newsletter.language.counts import count_of
from newsletter.model.address import person_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.event import SoftBounce, SoftBouncePolicy
from newsletter.refusals import not_about_the_recipient
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all
from newsletter.store.suppressions import suppress_listed
from newsletter.system.moments import text_of


class RepeatedBounce(NamedTuple):
    """One of several soft bounces of a subscriber."""

    subscriber: int
    email: str
    at: datetime


class LastSign(NamedTuple):
    """The time of the last sign that email reached a subscriber."""

    subscriber: int
    at: datetime


_ADD = change("soft_bounces", "add")
_REPEATED = query_all("soft_bounces", "repeated", RepeatedBounce)
_LAST_SIGNS = query_all("soft_bounces", "last_signs", LastSign)
# What fewer bounces suppress than the settings say, because of their causes. A domain that does not exist is the end of
# an address, unless only its servers fail for a day or two. No one uses a mailbox that is full and inactive. A policy
# may be changed, but hardly after a month.
_POLICIES_BY_CAUSE = (
    (frozenset({"no-such-domain"}), SoftBouncePolicy(bounces=2, span=timedelta(days=3))),
    (frozenset({"inactive"}), SoftBouncePolicy(bounces=2, span=timedelta())),
    (frozenset({"restricted", "policy"}), SoftBouncePolicy(bounces=3, span=timedelta(days=30))),
)
_NEVER = datetime.min.replace(tzinfo=UTC)


def add_soft_bounces(database: Database, bounces: Iterable[SoftBounce]) -> int:
    """Save soft bounces of people on the list, in one transaction. Return the number of new ones."""
    rows = [
        {"person": person_of(bounce.email), "at": text_of(bounce.at), "detail": bounce.detail} for bounce in bounces
    ]
    if not rows:
        return 0
    with database.transaction() as connection:
        return _ADD.for_each(connection, rows)


def suppress_soft_bounces(database: Database, policy: SoftBouncePolicy, *, now: datetime) -> tuple[Suppression, ...]:
    """Suppress, as `bounced`, everyone whose soft bounces reach the policy's limit. Return the suppressions."""
    found = find_soft_bounced(database, policy, now=now)
    if found:
        suppress_listed(database, found)
    return found


def find_soft_bounced(database: Database, policy: SoftBouncePolicy, *, now: datetime) -> tuple[Suppression, ...]:
    """Return the suppressions that the policy calls for. Write nothing.

    Only bounces after the last sign of life count: an email that was delivered, opened or clicked, new consent, or a
    suppression that a person lifted. All bounces of one day count once, for two reasons: the same bounce may be
    reported by several sources, and a mailbox that is full on one day may refuse several emails.
    """
    if not policy.bounces:
        return ()
    with database.read() as connection:
        runs = _runs(connection, policy)
        for causes, policy_on_cause in _POLICIES_BY_CAUSE:
            runs += _runs(connection, policy_on_cause, causes)
        signs = _last_signs(connection, runs)
    found: dict[str, Suppression] = {}
    for run in runs:
        last_sign = signs.get(run.subscriber, _NEVER)
        if last_sign < run.latest_start:
            detail = _told([bounce for bounce in run.bounces if bounce > last_sign])
            found[run.email] = Suppression(
                email=run.email, reason=SuppressionReason.BOUNCED, created_at=now, detail=detail
            )
    return tuple(found.values())


class _Run(NamedTuple):
    """The soft bounces of one person, in order of time, if there are enough of them for the policy."""

    subscriber: int
    email: str
    bounces: list[datetime]
    latest_start: datetime  # the latest bounce that, with those after it, is still enough


def _runs(connection: Connection, policy: SoftBouncePolicy, causes: Collection[str] = ()) -> list[_Run]:
    """Return the runs that a policy calls for. With causes, only bounces for these causes count."""
    asked = {"causes": _json(causes), "not_theirs": _json(not_about_the_recipient())}
    rows = _REPEATED(connection, bounces=policy.bounces, is_for_any=int(not causes), **asked)
    return [run for _, several in groupby(rows, key=attrgetter("subscriber")) if (run := _run(policy, list(several)))]


def _run(policy: SoftBouncePolicy, rows: Sequence[RepeatedBounce]) -> _Run | None:
    """Return the run of one person's bounces, or None if there are too few or they are too close together."""
    bounces = [row.at for row in rows]
    days: set[date] = set()
    for bounce in reversed(bounces):
        days.add(bounce.date())
        if len(days) >= policy.bounces and bounces[-1] - bounce >= policy.span:
            return _Run(subscriber=rows[0].subscriber, email=rows[0].email, bounces=bounces, latest_start=bounce)
    return None


def _last_signs(connection: Connection, runs: Sequence[_Run]) -> dict[int, datetime]:
    """Return the last sign of life per subscriber.

    Events before the earliest run are not read, because there may be very many.
    """
    if not runs:
        return {}
    since = text_of(min(run.latest_start for run in runs))
    return dict(_LAST_SIGNS(connection, subscribers=_json({run.subscriber for run in runs}), since=since))


def _json(values: Iterable[int] | Iterable[str]) -> str:
    return orjson.dumps(sorted(values)).decode()


def _told(bounces: Sequence[datetime]) -> str:
    days = len({bounce.date() for bounce in bounces})
    return f"{count_of(days, 'soft bounce')} from {show_day(bounces[0])} to {show_day(bounces[-1])}"
