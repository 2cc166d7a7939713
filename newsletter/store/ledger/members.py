"""Sorts the members of a segment before a freeze: who is left out and why, and who gets which variant, and when."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import DeliveryStatus, Schedule
from newsletter.model.ledger import NO_CONSENT, FreezeRequest, SettledCount
from newsletter.store.database import Connection
from newsletter.store.ledger.numbering import Numbering
from newsletter.store.ledger.topics import exclude_left
from newsletter.store.queries import change, query_all


class MemberLeft(NamedTuple):
    """Somebody who gets a message, and the number of their part."""

    subscriber: int
    part: int


class ZoneLeft(NamedTuple):
    """How many people who get a message state a time zone."""

    zone: str
    people: int


_CREATE_MEMBER = change("freeze", "create_member")
_STATED_ZONES = query_all("freeze", "stated_zones", str)
_EXCLUDE_SUPPRESSED = change("freeze", "exclude_suppressed")
_EXCLUDE_WITHOUT_CONSENT = change("freeze", "exclude_without_consent")
_EARLIER_BROADCASTS = query_all("freeze", "earlier_broadcasts", int)
_EXCLUDE_EARLIER = change("freeze", "exclude_earlier")
_MEMBERS_LEFT = query_all("freeze", "members_left", MemberLeft)
_ZONES_LEFT = query_all("freeze", "zones_left", ZoneLeft)
_ALREADY_IN = "already in broadcast"
_PAGE = 10_000


class Zone(Struct, frozen=True, kw_only=True):
    """People who get their message at the same moment, because they go by the same clock."""

    name: str  # an IANA name; empty where everybody goes by one clock
    moment: datetime | None  # None: as soon as it can


class SortedMembers(Struct, frozen=True, kw_only=True):
    """What is known once the temporary table `member` is filled."""

    count: int
    excluded: tuple[SettledCount, ...]  # the settlements are numbered in this order, from 1
    numbering: Numbering  # of the parts
    zones: Mapping[str, Zone]

    def zone(self, part: int) -> Zone:
        """Return the zone by whose clock the people of a part go."""
        return self.zones[self.numbering.clock(part)]


def sort_members(connection: Connection, request: FreezeRequest) -> SortedMembers:
    """Fill the temporary table `member`, within a transaction."""
    zones, clock_of = _zones(connection, request.schedule)
    numbering = Numbering(request.axes, request.only, tuple(zones), clock_of)
    _CREATE_MEMBER(connection)
    count = numbering.collect(connection, request.segment.condition)
    return SortedMembers(count=count, excluded=_exclude(connection, request), numbering=numbering, zones=zones)


def members_left(connection: Connection) -> Iterator[list[tuple[int, int]]]:
    """Yield who gets a message, as a `MemberLeft`, in the order of the subscribers; many at a time.

    There may be millions, so that each stays a plain tuple.
    """
    after = 0
    while page := connection.execute(_MEMBERS_LEFT.sql, {"after": after, "size": _PAGE}).fetchall():
        members = cast("list[tuple[int, int]]", page)
        yield members
        after = members[-1][0]


def zoneless_left(connection: Connection, schedule: Schedule) -> int:
    """Return how many who get a message go by the schedule's clock because no zone of theirs is known."""
    return sum(row.people for row in _ZONES_LEFT(connection) if schedule.clock_of(row.zone) != row.zone)


def require_somebody(request: FreezeRequest, members: SortedMembers, *, left: int) -> None:
    """Raise InputError, with the reasons, where nobody would get anything."""
    if left:
        return
    name = request.segment.name
    if not members.count:
        raise InputError(f"nobody is in segment {name}; `newsletter segments` shows how many each one has")
    reasons = ", ".join(f"{each.deliveries} {each.reason}" for each in members.excluded)
    hint = ""
    if _ALREADY_IN in reasons:  # perhaps it was interrupted, and the person only wants it to go on
        hint = "; `newsletter status` shows how it stands"
    elif NO_CONSENT in reasons:
        hint = '; import the list again with when they said yes, or with --basis "…" that says why they may be mailed'
    raise InputError(
        f"nobody in segment {name} is left to send {request.issue} to: of {members.count}, {reasons}; nothing was "
        f"sent{hint}"
    )


def _zones(connection: Connection, schedule: Schedule | None) -> tuple[dict[str, Zone], dict[str, str]]:
    """Return the zones that a member can be in, by name, and which of them whoever states a time zone goes by."""
    if schedule is None:
        return {"": Zone(name="", moment=None)}, {}
    if not schedule.is_local_time:
        return {"": Zone(name="", moment=schedule.moment_in(schedule.zone))}, {}
    clock_of = {stated: schedule.clock_of(stated) for stated in _STATED_ZONES(connection)}
    names = sorted(set(clock_of.values()) or {schedule.zone})
    return {name: Zone(name=name, moment=schedule.moment_in(name)) for name in names}, clock_of


def _exclude(connection: Connection, request: FreezeRequest) -> tuple[SettledCount, ...]:
    """Exclude members, each for the first reason that holds. Return how many for each reason."""
    excluded: list[SettledCount] = []
    for suppression in SuppressionReason:
        count = _EXCLUDE_SUPPRESSED(connection, settlement=len(excluded) + 1, reason=suppression.value)
        _append(excluded, suppression.value, count)
    left, count = exclude_left(connection, request.topics, settlement=len(excluded) + 1)
    _append(excluded, left, count)
    count = _EXCLUDE_WITHOUT_CONSENT(connection, settlement=len(excluded) + 1)
    _append(excluded, NO_CONSENT, count)
    for earlier in _EARLIER_BROADCASTS(connection, issue=request.issue):
        count = _EXCLUDE_EARLIER(connection, settlement=len(excluded) + 1, earlier=earlier)
        _append(excluded, f"{_ALREADY_IN} {earlier}", count)
    return tuple(excluded)


def _append(excluded: list[SettledCount], reason: str, count: int) -> None:
    if count:
        excluded.append(SettledCount(status=DeliveryStatus.EXCLUDED, reason=reason, deliveries=count))
