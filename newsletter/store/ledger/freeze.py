"""Freezes a broadcast: who is meant, who is left out and why, in which chunks, and with which content."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from math import ceil

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, DeliveryStatus
from newsletter.model.ledger import FreezePreview, FreezeRequest, SettledCount, VariantCount
from newsletter.model.rendered import RenderedVariant
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.broadcasts import envelope_text, find_broadcast, waivers_text
from newsletter.store.ledger.variants import save_variant
from newsletter.store.moments import text_of
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import compose

_SQL = load_queries("freeze")
_ALREADY_IN = "already in broadcast"


def freeze_broadcast(
    database: Database,
    request: FreezeRequest,
    variants: Mapping[frozenset[str], RenderedVariant],
    *,
    chunk_size: int,
    now: datetime,
) -> Broadcast:
    """Gives everybody of the segment one delivery, in one transaction.

    `variants` holds one for each set of names that `request.only` allows; those that nobody gets are not kept.
    Whoever is suppressed, or may have got the issue from an earlier broadcast, is excluded with that reason. Raises
    InputError, and writes nothing, where nobody is left.
    """
    with database.transaction() as connection:
        preview = _sort_members(connection, request)
        broadcast_id = _add_broadcast(connection, request, frozen=preview.members, now=now)
        for number, exclusion in enumerate(preview.excluded, start=1):
            _SQL.add_settlement(
                connection,
                broadcast=broadcast_id,
                number=number,
                reason=exclusion.reason,
                size=exclusion.deliveries,
                now=text_of(now),
            )
        _SQL.add_excluded(connection, broadcast=broadcast_id)
        first_chunk = 1
        for count in preview.variants:
            mask = _mask_of(request, count.segments)
            place = {"broadcast": broadcast_id, "variant": mask, "first_chunk": first_chunk, "chunk_size": chunk_size}
            _SQL.add_chunks(connection, **place, members=count.deliveries, now=text_of(now))
            _SQL.add_deliveries(connection, **place)
            save_variant(connection, broadcast_id=broadcast_id, number=mask, variant=variants[count.segments])
            first_chunk += ceil(count.deliveries / chunk_size)
        _SQL.drop_member(connection)
        return find_broadcast(database, broadcast_id)


def preview_freeze(database: Database, request: FreezeRequest) -> FreezePreview:
    """Who would get what if the broadcast were frozen now; writes nothing and holds up nobody.

    Raises InputError where nobody would get anything.
    """
    with database.read() as connection:
        return _sort_members(connection, request)


def _sort_members(connection: Connection, request: FreezeRequest) -> FreezePreview:
    """Fills the temporary table `member`: who is in the segment, who is excluded, and who gets which variant."""
    _SQL.create_member(connection)
    query = compose(
        _SQL.collect_members.sql,
        connection.dialect,
        segment=request.segment.condition,
        variants=[only.condition for only in request.only],
    )
    members = connection.execute(query.sql, query.parameters).rowcount
    excluded = _exclude(connection, request.issue)
    variants = tuple(
        VariantCount(segments=_segments_of(request, mask), deliveries=count)
        for mask, count in _SQL.count_variants(connection)
    )
    if not variants:
        raise InputError(_nobody_left(request, members, excluded))
    return FreezePreview(members=members, excluded=excluded, variants=variants)


def _exclude(connection: Connection, issue: str) -> tuple[SettledCount, ...]:
    """Excludes members, each for the first reason that holds; the settlements are numbered in this order, from 1."""
    excluded: list[SettledCount] = []
    for suppression in SuppressionReason:
        count = _SQL.exclude_suppressed(connection, settlement=len(excluded) + 1, reason=suppression.value)
        _append(excluded, suppression.value, count)
    for (earlier,) in list(_SQL.earlier_broadcasts(connection, issue=issue)):
        count = _SQL.exclude_earlier(connection, settlement=len(excluded) + 1, earlier=earlier)
        _append(excluded, f"{_ALREADY_IN} {earlier}", count)
    return tuple(excluded)


def _append(excluded: list[SettledCount], reason: str, count: int) -> None:
    if count:
        excluded.append(SettledCount(status=DeliveryStatus.EXCLUDED, reason=reason, deliveries=count))


def _mask_of(request: FreezeRequest, segments: frozenset[str]) -> int:
    """A variant's number: bit N is set where it shows the sections of the Nth `only:` segment."""
    return sum(1 << bit for bit, only in enumerate(request.only) if only.name in segments)


def _segments_of(request: FreezeRequest, mask: int) -> frozenset[str]:
    return frozenset(only.name for bit, only in enumerate(request.only) if mask >> bit & 1)


def _nobody_left(request: FreezeRequest, members: int, excluded: tuple[SettledCount, ...]) -> str:
    name = request.segment.name
    if not members:
        return f"nobody is in segment {name}; `newsletter segments` shows how many each one has"
    reasons = ", ".join(f"{each.deliveries} {each.reason}" for each in excluded)
    # Perhaps the earlier broadcast was interrupted, and the person only wants it to go on.
    hint = "; `newsletter status` shows how it stands" if _ALREADY_IN in reasons else ""
    return (
        f"nobody in segment {name} is left to send {request.issue} to: of {members}, {reasons}; nothing was sent{hint}"
    )


def _add_broadcast(connection: Connection, request: FreezeRequest, *, frozen: int, now: datetime) -> int:
    broadcast_id: int = _SQL.add_broadcast(
        connection,
        issue=request.issue,
        segment=request.segment.name,
        expression=request.segment.expression,
        provider=request.provider,
        content_hash=request.content_hash,
        nonce=secrets.token_hex(8),
        envelope=envelope_text(request.envelope),
        waivers=waivers_text(request.waivers),
        frozen=frozen,
        now=text_of(now),
    )
    return broadcast_id
