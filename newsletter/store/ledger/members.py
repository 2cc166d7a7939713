"""Sort the members of a segment before a freeze: who is excluded and why, who gets which variant, and when."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, cast

import orjson
from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind, DeliveryStatus, Schedule
from newsletter.model.ledger import NO_CONSENT, FreezeRequest, RepeatedContent, SettledCount
from newsletter.model.permission import pause_at
from newsletter.store.database import Connection
from newsletter.store.ledger.follow_ups import exclude_from_follow_up
from newsletter.store.ledger.numbering import Numbering
from newsletter.store.ledger.topics import exclude_left
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


class MemberLeft(NamedTuple):
    """A member who will get a message, and the number of their part."""

    subscriber: int
    part: int


class PausedMember(NamedTuple):
    """A member who wants no email until a time, and the number of their part."""

    subscriber: int
    part: int
    paused_until: datetime


class ZoneLeft(NamedTuple):
    """The number of members with a certain stated time zone who will get a message."""

    zone: str
    people: int


_CREATE_MEMBER = change("freeze", "create_member")
_STATED_ZONES = query_all("freeze", "stated_zones", str)
_EXCLUDE_SUPPRESSED = change("freeze", "exclude_suppressed")
_EXCLUDE_WITHOUT_CONSENT = change("freeze", "exclude_without_consent")
_PAUSED_MEMBERS = query_all("freeze", "paused_members", PausedMember)
_EXCLUDE_LISTED = change("freeze", "exclude_listed")
_EARLIER_BROADCASTS = query_all("freeze", "earlier_broadcasts", int)
_EXCLUDE_EARLIER = change("freeze", "exclude_earlier")
_REPEATED_CONTENT = query_all("freeze", "repeated_content", RepeatedContent)
_MEMBERS_LEFT = query_all("freeze", "members_left", MemberLeft)
_ZONES_LEFT = query_all("freeze", "zones_left", ZoneLeft)
_ALREADY_IN = "already in broadcast"
_PAGE = 10_000


class Zone(Struct, frozen=True, kw_only=True):
    """A group of people who get their message at the same time, because they use the same clock."""

    name: str  # an IANA name; empty if everyone uses one clock
    moment: datetime | None  # None: as soon as possible


class SortedMembers(Struct, frozen=True, kw_only=True):
    """The result of filling the temporary `member` table."""

    count: int
    excluded: tuple[SettledCount, ...]  # settlement numbers are the positions in this tuple, from 1
    numbering: Numbering  # of the parts
    zones: Mapping[str, Zone]
    repeats: tuple[RepeatedContent, ...]  # the remaining members who may already have this content, by broadcast

    def zone(self, part: int) -> Zone:
        """Return the zone whose clock the people in a part use."""
        return self.zones[self.numbering.clock(part)]


def sort_members(connection: Connection, request: FreezeRequest, *, now: datetime) -> SortedMembers:
    """Fill the temporary `member` table with the segment, inside a transaction."""
    zones, clock_of = _zones(connection, request.schedule)
    numbering = Numbering(request.axes, request.only, tuple(zones), clock_of, request.waves)
    _CREATE_MEMBER(connection)
    count = numbering.collect(connection, request.segment.condition)
    return SortedMembers(
        count=count,
        excluded=_exclude(
            connection,
            request,
            moment_of=lambda part: zones[numbering.clock(part)].moment,
            first_at=max(now, min(zone.moment or now for zone in zones.values())),
            now=now,
        ),
        numbering=numbering,
        zones=zones,
        repeats=_repeats(connection, request),
    )


def members_left(connection: Connection) -> Iterator[list[tuple[int, int]]]:
    """Yield the members who will get a message, in the order of the subscribers, in pages of many rows.

    Each is a plain tuple with the fields of `MemberLeft`, because there may be millions.
    """
    after = 0
    while page := connection.execute(_MEMBERS_LEFT.sql, {"after": after, "size": _PAGE}).fetchall():
        members = cast("list[tuple[int, int]]", page)
        yield members
        after = members[-1][0]


def zoneless_left(connection: Connection, schedule: Schedule) -> int:
    """Return how many members will get a message by the schedule's own clock, because their zone is not known."""
    return sum(row.people for row in _ZONES_LEFT(connection) if schedule.clock_of(row.zone) != row.zone)


def require_somebody(request: FreezeRequest, members: SortedMembers, *, left: int) -> None:
    """Raise InputError with the reasons if no one would get anything."""
    if left:
        return
    name = request.segment.name
    if not members.count:
        raise InputError(f"segment {name} has no subscribers; `newsletter segments` shows the size of each segment")
    reasons = ", ".join(f"{each.deliveries} {each.reason}" for each in members.excluded)
    remedy = "send to another segment (`newsletter segments` lists them)"
    if request.kind is BroadcastKind.FOLLOW_UP:
        remedy = "docs/follow-ups.md says who gets a follow-up"
    elif _ALREADY_IN in reasons:  # perhaps that broadcast was interrupted and only needs to be resumed
        remedy = "run `newsletter status` to see the progress of that broadcast"
    elif NO_CONSENT in reasons:
        remedy = 'import the list again with the dates of consent, or with --basis "why you may email them"'
    what = f"no one in segment {name} can be sent {request.issue} (of {members.count}: {reasons}), so nothing was sent"
    raise InputError(f"{what}; {remedy}")


def _zones(connection: Connection, schedule: Schedule | None) -> tuple[dict[str, Zone], dict[str, str]]:
    """Return the possible zones by name, and a mapping from each stated time zone to the name of the zone to use."""
    if schedule is None:
        return {"": Zone(name="", moment=None)}, {}
    if not schedule.is_local_time:
        return {"": Zone(name="", moment=schedule.moment_in(schedule.zone))}, {}
    clock_of = {stated: schedule.clock_of(stated) for stated in _STATED_ZONES(connection)}
    names = sorted(set(clock_of.values()) or {schedule.zone})
    return {name: Zone(name=name, moment=schedule.moment_in(name)) for name in names}, clock_of


def _exclude(
    connection: Connection,
    request: FreezeRequest,
    *,
    moment_of: Callable[[int], datetime | None],
    first_at: datetime,
    now: datetime,
) -> tuple[SettledCount, ...]:
    """Exclude members, each for the first reason that applies. Return the number for each reason.

    `moment_of` returns when the email for the people in a part is due, or None if as soon as possible. `first_at` is
    when the first email is due.
    """
    excluded: list[SettledCount] = []
    for suppression in SuppressionReason:
        count = _EXCLUDE_SUPPRESSED(connection, settlement=len(excluded) + 1, reason=suppression.value)
        _append(excluded, suppression.value, count)
    left, count = exclude_left(connection, request.topics, settlement=len(excluded) + 1)
    _append(excluded, left, count)
    count = _EXCLUDE_WITHOUT_CONSENT(connection, settlement=len(excluded) + 1)
    _append(excluded, NO_CONSENT, count)
    for reason, paused in _paused(connection, moment_of, now=now).items():
        listed = orjson.dumps(paused).decode()
        _append(excluded, reason, _EXCLUDE_LISTED(connection, settlement=len(excluded) + 1, subscribers=listed))
    if request.kind is BroadcastKind.FOLLOW_UP:
        for reason, count in exclude_from_follow_up(connection, request, settlement=len(excluded) + 1, due_at=first_at):
            _append(excluded, reason, count)
    same = {"issue": request.issue, "kind": request.kind.value, "provider": request.provider}
    for earlier in _EARLIER_BROADCASTS(connection, **same):
        count = _EXCLUDE_EARLIER(connection, settlement=len(excluded) + 1, earlier=earlier)
        _append(excluded, f"{_ALREADY_IN} {earlier}", count)
    return tuple(excluded)


def _paused(
    connection: Connection, moment_of: Callable[[int], datetime | None], *, now: datetime
) -> dict[str, list[int]]:
    """Return the members who have paused until after the time of their email, by the reason, the earliest day first."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for member in _PAUSED_MEMBERS(connection, at=text_of(now)):
        if reason := pause_at(member.paused_until, max(now, moment_of(member.part) or now)):
            found[reason].append(member.subscriber)
    return dict(sorted(found.items()))


def _repeats(connection: Connection, request: FreezeRequest) -> tuple[RepeatedContent, ...]:
    """Return the earlier broadcasts of the same content and kind under another name, with the people who have it."""
    if request.kind is BroadcastKind.CORRECTION:  # who gets one depends on what they were told last, even if it repeats
        return ()
    same = {"content_hash": request.content_hash, "kind": request.kind.value, "provider": request.provider}
    found = _REPEATED_CONTENT(connection, **same, issue=request.issue)
    return tuple(repeat for repeat in found if repeat.people)


def _append(excluded: list[SettledCount], reason: str, count: int) -> None:
    if count:
        excluded.append(SettledCount(status=DeliveryStatus.EXCLUDED, reason=reason, deliveries=count))
