"""Sorts the members of a segment before a freeze: who is left out and why, and who gets which variant, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import DeliveryStatus, Schedule
from newsletter.model.ledger import NO_CONSENT, FreezeRequest, SettledCount
from newsletter.model.mailbox import PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.readership import Readership
from newsletter.store.database import Connection
from newsletter.store.ledger.topics import exclude_left
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import compose

_SQL = load_queries("freeze")
_ALREADY_IN = "already in broadcast"
_PAGE = 10_000
Member = tuple[int, int]  # the subscriber and the number of their part


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """People who get their message at the same moment, because they go by the same clock."""

    name: str  # an IANA name; empty where everybody goes by one clock
    moment: datetime | None  # None: as soon as it can


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedMembers:
    """What is known once the temporary table `member` is filled."""

    count: int
    excluded: tuple[SettledCount, ...]  # the settlements are numbered in this order, from 1
    zones: tuple[Zone, ...]
    variants: int  # how many there can be

    def part_of(self, number: int) -> tuple[Zone, int]:
        """What the number of a part says: the zone, and the number of the variant."""
        zone, variant = divmod(number, self.variants)
        return self.zones[zone], variant


def readership_of(request: FreezeRequest, variant: int) -> Readership:
    """Who gets the variant of a number: the mailbox provider's place in the request, then a bit for each segment.

    Bit N is set where the variant shows the sections of the Nth `only:` segment.
    """
    mailbox, mask = divmod(variant, _masks(request))
    return Readership(
        segments=frozenset(only.name for bit, only in enumerate(request.only) if mask >> bit & 1),
        mailbox=request.mailboxes[mailbox] if request.mailboxes else None,
    )


def sort_members(connection: Connection, request: FreezeRequest) -> SortedMembers:
    """Fills the temporary table `member`, within a transaction."""
    variants = _masks(request) * max(1, len(request.mailboxes))
    zones = _zones(connection, request.schedule, variants)
    _SQL.create_mailbox(connection)
    _SQL.create_member(connection)
    count = _collect(connection, request)
    return SortedMembers(count=count, excluded=_exclude(connection, request), zones=zones, variants=variants)


def members_left(connection: Connection) -> Iterator[list[Member]]:
    """Who gets a message, in the order of the subscribers; many at a time, for there may be millions."""
    query, after = _SQL.members_left.sql, 0
    while page := connection.execute(query, {"after": after, "size": _PAGE}).fetchall():
        members = cast("list[Member]", page)
        yield members
        after = members[-1][0]


def zoneless_left(connection: Connection) -> int:
    """How many of those who get a message go by the schedule's clock because no zone of theirs is known."""
    count: int = _SQL.count_zoneless(connection)
    return count


def require_somebody(request: FreezeRequest, members: SortedMembers, *, left: int) -> None:
    """Raises InputError, with the reasons, where nobody would get anything."""
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


def _masks(request: FreezeRequest) -> int:
    """How many sets of the `only:` segments there are."""
    return 1 << len(request.only)


def _collect(connection: Connection, request: FreezeRequest) -> int:
    """Puts everybody of the segment into the temporary table `member`; how many they are."""
    segment, variants = request.segment.condition, [only.condition for only in request.only]
    if request.mailboxes:
        elsewhere = _load_mailboxes(connection, request)
        collect = _SQL.collect_members_by_mailbox.sql
        query = compose(collect, connection.dialect, segment=segment, variants=variants, elsewhere=elsewhere)
    else:
        query = compose(_SQL.collect_members.sql, connection.dialect, segment=segment, variants=variants)
    return connection.execute(query.sql, query.parameters).rowcount


def _load_mailboxes(connection: Connection, request: FreezeRequest) -> int:
    """Fills the temporary table `mailbox`; the first part of those at a domain that is not in it."""
    first_part = {provider: place * _masks(request) for place, provider in enumerate(request.mailboxes)}
    domains = [(domain, first_part[at]) for domain, at in PROVIDER_OF_DOMAIN.items() if at in first_part]
    connection.load("mailbox", domains)
    return first_part[MailboxProvider.OTHER]


def _zones(connection: Connection, schedule: Schedule | None, variants: int) -> tuple[Zone, ...]:
    """The zones that a member can be in; in local time, fills the temporary table `clock`."""
    _SQL.create_clock(connection)
    if schedule is None:
        return (Zone(name="", moment=None),)
    if not schedule.is_local_time:
        return (Zone(name="", moment=schedule.moment_in(schedule.zone)),)
    clocks = {stated: schedule.clock_of(stated) for (stated,) in list(_SQL.stated_zones(connection))}
    names = sorted(set(clocks.values()))
    first_part = {name: number * variants for number, name in enumerate(names)}
    connection.load("clock", [(stated, first_part[name], int(stated == name)) for stated, name in clocks.items()])
    return tuple(Zone(name=name, moment=schedule.moment_in(name)) for name in names)


def _exclude(connection: Connection, request: FreezeRequest) -> tuple[SettledCount, ...]:
    """Excludes members, each for the first reason that holds."""
    excluded: list[SettledCount] = []
    for suppression in SuppressionReason:
        count = _SQL.exclude_suppressed(connection, settlement=len(excluded) + 1, reason=suppression.value)
        _append(excluded, suppression.value, count)
    left, count = exclude_left(connection, request.topics, settlement=len(excluded) + 1)
    _append(excluded, left, count)
    count = _SQL.exclude_without_consent(connection, settlement=len(excluded) + 1)
    _append(excluded, NO_CONSENT, count)
    for (earlier,) in list(_SQL.earlier_broadcasts(connection, issue=request.issue)):
        count = _SQL.exclude_earlier(connection, settlement=len(excluded) + 1, earlier=earlier)
        _append(excluded, f"{_ALREADY_IN} {earlier}", count)
    return tuple(excluded)


def _append(excluded: list[SettledCount], reason: str, count: int) -> None:
    if count:
        excluded.append(SettledCount(status=DeliveryStatus.EXCLUDED, reason=reason, deliveries=count))
