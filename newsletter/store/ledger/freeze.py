"""Freeze a broadcast: fix its recipients, the excluded people with reasons, the chunks, the times and the content."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from newsletter.errors import InputError
from newsletter.language.counts import people_of
from newsletter.model.axes import in_every_version
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.finding import REPEAT
from newsletter.model.ledger import (
    Entry,
    FreezePreview,
    FreezeRequest,
    RepeatedContent,
    SettledCount,
    VariantCount,
    ZoneCount,
)
from newsletter.model.readership import VERSION, Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.cutting import BroadcastPart, count_parts, cut
from newsletter.store.ledger.members import (
    SortedMembers,
    Zone,
    require_somebody,
    sort_members,
    zoneless_left,
)
from newsletter.store.ledger.states import envelope_text, require_current, waivers_text
from newsletter.store.ledger.told import keep_told, require_last_telling
from newsletter.store.ledger.topics import keep_topics
from newsletter.store.ledger.variants import save_variant
from newsletter.store.ledger.waves import draw_first, keep_waves, mailboxes_left
from newsletter.store.proofs import keep_checks
from newsletter.store.queries import change, query_value
from newsletter.store.tracking import keep_tracking
from newsletter.system.moments import text_of

_ADD_BROADCAST = query_value("freeze", "add_broadcast", int)
_EDITION_OF = query_value("freeze", "edition_of", int)
_GIVE_UP_PLACES = change("freeze", "give_up_places")
_ADD_SETTLEMENT = change("freeze", "add_settlement")
_ADD_CHUNK = change("freeze", "add_chunk")
_CREATE_BEGINNING = change("freeze", "create_beginning")
_INDEX_BEGINNING = change("freeze", "index_beginning")
_ADD_DELIVERIES = change("freeze", "add_deliveries")
_CLEAR_UP = tuple(change("freeze", name) for name in ("drop_beginning", "drop_member", "drop_lookup"))


class NotRenderedError(Exception):
    """A subscriber in the segment has a readership whose variant was not rendered. Nothing was frozen."""

    def __init__(self, readerships: Sequence[Readership]) -> None:
        self.readerships = tuple(readerships)
        super().__init__("some readers have a variant that was not rendered")


class RepeatedContentError(Exception):
    """Some recipients may already have this content under another name, which was not allowed. Nothing was frozen."""

    def __init__(self, repeats: Sequence[RepeatedContent]) -> None:
        self.repeats = tuple(repeats)
        super().__init__("some recipients may already have this content")


def freeze_broadcast(
    database: Database, request: FreezeRequest, variants: Iterable[RenderedVariant], *, chunk_size: int, now: datetime
) -> Broadcast:
    """Create one delivery for each member of the segment, in one transaction.

    People are excluded for the first of these reasons that applies: they are suppressed, they left all topics of the
    issue, they have no recorded consent or basis, they have paused until after the time of the email, or they may have
    received the issue from an earlier broadcast of this kind. Only those of the `variants` that someone gets are saved.
    If the time is in the future, the broadcast is scheduled; otherwise it is running.

    Raise InputError if no one is left, if more people are left than `most`, or if `last_telling` is no longer the last,
    RepeatedContentError if someone may have this content under another name of the issue and REPEAT is not waived, and
    NotRenderedError if a readership has no variant. Nothing is written in any of these cases.
    """
    content = {variant.readership: variant for variant in variants}
    with database.transaction() as connection:
        if request.last_telling is not None:
            require_last_telling(connection, *request.last_telling)
        members = sort_members(connection, request, now=now)
        sizes = draw_first(connection, request.waves, members.numbering) if request.waves else {}
        parts = cut(connection, members, chunk_size, first_at=request.waves.first_at if request.waves else None)
        require_somebody(request, members, left=len(parts))
        _require_most(request, sum(part.deliveries for part in parts))
        if members.repeats and REPEAT.id not in {waiver.rule for waiver in request.waivers}:
            raise RepeatedContentError(members.repeats)
        readerships = list(dict.fromkeys(part.readership for part in parts))
        if request.waves and request.waves.axis == VERSION:  # the rest gets a version that is not known yet
            readerships = list(in_every_version(readerships, request.axes))
        if missing := [readership for readership in readerships if readership not in content]:
            raise NotRenderedError(missing)
        broadcast_id = _add_broadcast(connection, request, members, parts, now=now)
        keep_topics(connection, broadcast_id, request.topics)
        _add_settlements(connection, broadcast_id, members.excluded, now=now)
        _add_chunks(connection, broadcast_id, parts, readerships, chunk_size=chunk_size, now=now)
        edition = _EDITION_OF(connection, broadcast=broadcast_id)
        _GIVE_UP_PLACES(connection, edition=edition)
        _ADD_DELIVERIES(connection, broadcast=broadcast_id, edition=edition)
        for number, readership in enumerate(readerships):
            save_variant(connection, broadcast_id=broadcast_id, number=number, variant=content[readership])
        keep_told(connection, broadcast_id, {number: content[each] for number, each in enumerate(readerships)})
        keep_tracking(connection, broadcast_id, request.tracking, request.links)
        if request.checks is not None:
            keep_checks(connection, broadcast_id, request.checks)
        if request.waves:
            keep_waves(connection, broadcast_id, request.waves, sizes)
        _write_journal(connection, broadcast_id, request, members, now=now)
        for drop in _CLEAR_UP:
            drop(connection)
        return require_current(connection, broadcast_id)


def preview_freeze(database: Database, request: FreezeRequest, *, now: datetime) -> FreezePreview:
    """Return who would get which variant, and when, if the broadcast were frozen now. Write nothing and block no one.

    Raise InputError if no one would get anything.
    """
    with database.read() as connection:
        members = sort_members(connection, request, now=now)
        counts = count_parts(connection, members)
        mailboxes = mailboxes_left(connection) if request.waves else {}
        is_local = request.schedule is not None and request.schedule.is_local_time
        zoneless = zoneless_left(connection, request.schedule) if request.schedule and is_local else 0
    require_somebody(request, members, left=len(counts))
    by_readership: Counter[Readership] = Counter()
    by_zone: Counter[Zone] = Counter()
    for number, count in sorted(counts.items()):
        by_readership[members.numbering.readership(number)] += count
        by_zone[members.zone(number)] += count
    return FreezePreview(
        members=members.count,
        excluded=members.excluded,
        variants=tuple(
            VariantCount(readership=readership, deliveries=count) for readership, count in by_readership.items()
        ),
        zones=_zone_counts(by_zone),
        zoneless=zoneless,
        repeats=members.repeats,
        mailboxes=mailboxes,
    )


def _require_most(request: FreezeRequest, people: int) -> None:
    if request.most is not None and people > request.most:
        raise InputError(
            f"the list has changed in the meantime: {people_of(people)} would get the issue now, not "
            f"{request.most:,}, so nothing was sent; review it, then send it again"
        )


def _zone_counts(by_zone: Mapping[Zone, int]) -> tuple[ZoneCount, ...]:
    counts = [
        ZoneCount(zone=zone.name, due_at=zone.moment, deliveries=count)
        for zone, count in by_zone.items()
        if zone.name and zone.moment
    ]
    return tuple(sorted(counts, key=lambda count: (count.due_at, count.zone)))


def _add_broadcast(
    connection: Connection,
    request: FreezeRequest,
    members: SortedMembers,
    parts: Sequence[BroadcastPart],
    *,
    now: datetime,
) -> int:
    earliest = parts[0].due_at
    is_ahead = earliest is not None and earliest > now
    return _ADD_BROADCAST(
        connection,
        issue=request.issue,
        kind=request.kind.value,
        segment=request.segment.name,
        expression=request.segment.expression,
        provider=request.provider,
        state=(BroadcastState.SCHEDULED if is_ahead else BroadcastState.RUNNING).value,
        content_hash=request.content_hash,
        nonce=secrets.token_hex(8),
        envelope=envelope_text(request.envelope),
        waivers=waivers_text(request.waivers),
        frozen=members.count,
        due_at=_due_text(earliest),
        is_local_time=int(request.schedule is not None and request.schedule.is_local_time),
        good_until=_due_text(request.good_until),
        grace_until=text_of(now + request.grace) if request.grace else "",
        now=text_of(now),
    )


def _add_settlements(
    connection: Connection, broadcast_id: int, excluded: Sequence[SettledCount], *, now: datetime
) -> None:
    for number, exclusion in enumerate(excluded, start=1):
        _ADD_SETTLEMENT(
            connection,
            broadcast=broadcast_id,
            number=number,
            reason=exclusion.reason,
            size=exclusion.deliveries,
            now=text_of(now),
        )


def _add_chunks(
    connection: Connection,
    broadcast_id: int,
    parts: Sequence[BroadcastPart],
    readerships: Sequence[Readership],
    *,
    chunk_size: int,
    now: datetime,
) -> None:
    """Assign numbers to the chunks, and save the first subscriber of each in the temporary `beginning` table.

    The number of a variant is the index of its readership in `readerships`.
    """
    rows: list[dict[str, object]] = []
    beginnings: list[tuple[int, int, int]] = []
    for part in parts:
        moment = part.due_at
        for place, subscriber in enumerate(part.beginnings):
            number = len(rows) + 1
            beginnings.append((part.number, subscriber, number))
            rows.append(
                {
                    "broadcast": broadcast_id,
                    "number": number,
                    "variant": readerships.index(part.readership),
                    "zone": part.zone.name,
                    "wave": part.wave,
                    "due_at": _due_text(moment) if moment is not None and moment > now else "",
                    "size": min(chunk_size, part.deliveries - place * chunk_size),
                    "first_subscriber": subscriber,
                    "now": text_of(now),
                }
            )
    _ADD_CHUNK.for_each(connection, rows)
    _CREATE_BEGINNING(connection)
    connection.load("beginning", beginnings)
    _INDEX_BEGINNING(connection)


def _write_journal(
    connection: Connection, broadcast_id: int, request: FreezeRequest, members: SortedMembers, *, now: datetime
) -> None:
    reasons = ", ".join(f"{each.deliveries} {each.reason}" for each in members.excluded)
    people = f"{people_of(members.count)} in segment {request.segment.name}"
    journal.write(
        connection, broadcast_id, Entry.FROZEN, f"{people}; excluded: {reasons}" if reasons else people, now=now
    )
    for waiver in request.waivers:
        journal.write(connection, broadcast_id, Entry.WAIVED, f"{waiver.rule}: {waiver.because}", now=now)


def _due_text(moment: datetime | None) -> str:
    return "" if moment is None else text_of(moment)
