"""Claim the next chunk of a broadcast. It is saved to disk as inflight before any of it can leave the machine."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import repeat
from typing import NamedTuple, cast

import orjson
from msgspec import Struct

from newsletter.model.broadcast import BroadcastKind, DeliveryStatus
from newsletter.model.columns import COLUMNS
from newsletter.model.ledger import ClaimedChunk, ClaimedDelivery, NotYet
from newsletter.model.pace import Allowance
from newsletter.store.database import Connection, Database, Row
from newsletter.store.ledger.chunks import OpenChunk, close_empty, settle
from newsletter.store.ledger.follow_ups import NO_LONGER_KNOWN, no_longer_known
from newsletter.store.ledger.told import keep_zones
from newsletter.store.ledger.topics import reason_of_leaving
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import precise_text_of, text_of


class ReadyChunk(NamedTuple):
    """The first chunk that may be sent to the provider."""

    number: int
    attempt: int
    variant: int
    size: int
    first_subscriber: int
    due_at: datetime | None
    batch_id: str
    tries: int
    accepted_before: int


class DeliveryRow(NamedTuple):
    """A delivery of a claimed chunk. Any other columns that the messages need follow these."""

    subscriber: int
    email: str
    first_name: str
    last_name: str
    token: str


class CheckedRow(NamedTuple):
    """A delivery to a person who may not be emailed anymore. The last column says why they must not be."""

    subscriber: int
    email: str | None
    first_name: str | None
    last_name: str | None
    token: str | None
    late: str | None


class LetterRow(NamedTuple):
    """A delivery of a letter to one person. The last column says why it must not be sent anymore."""

    subscriber: int
    email: str | None
    first_name: str
    last_name: str
    token: str | None
    late: str | None


OnClaim = Callable[[ClaimedChunk], None]

_NEXT_READY = query_one("claim", "next_ready", ReadyChunk)
_NEXT_DEFERRED = query_one("claim", "next_deferred", ReadyChunk)
_BLOCKED_BY = query_one("claim", "blocked_by", datetime)
_IS_ANYBODY_SUPPRESSED = query_value("claim", "is_anybody_suppressed", bool)
_DELIVERIES = query_all("claim", "deliveries", DeliveryRow)
_DELIVERIES_WITH_LATE = query_all("claim", "deliveries_with_late", CheckedRow)
_DELIVERIES_OF_SIGNUPS = query_all("claim", "deliveries_of_signups", LetterRow)
_DELIVERIES_OF_REQUESTS = query_all("claim", "deliveries_of_requests", LetterRow)
_DELIVERIES_OF_LETTERS = {
    BroadcastKind.CONFIRMATION: _DELIVERIES_OF_SIGNUPS,
    BroadcastKind.LINK: _DELIVERIES_OF_REQUESTS,
    BroadcastKind.RE_PERMISSION: _DELIVERIES_OF_SIGNUPS,
}
_KIND = query_one("claim", "kind", BroadcastKind)
_LOCK_BROADCAST = query_one("claim", "lock_broadcast", int)
_ACCEPTED = query_value("deferrals", "accepted", int)
_MARK_INFLIGHT = change("claim", "mark_inflight")
_NEVER_REFUSED = -1
_COLUMNS = ":columns"
_TICK = timedelta(seconds=1)  # the resolution of times in the ledger
_FINEST = timedelta(milliseconds=1)  # the resolution of the times of claims
# The fields in every row, by column. A name is empty for the `subscriber` and `token` columns, which no field can name.
_IN_EVERY_ROW = ("", "email", "first_name", "last_name", "")
_ON_DEMAND = tuple(column.name for column in COLUMNS if column.is_field and column.name not in _IN_EVERY_ROW)
_ATTRIBUTES = "attributes"
# Turns a plain tuple into a delivery. `ClaimedDelivery._make` would also check the length of each of a million tuples.
_as_delivery = partial(tuple.__new__, ClaimedDelivery)


def claim_chunk(  # noqa: PLR0913 - what may be claimed, and the limits
    database: Database,
    broadcast_id: int,
    runner_id: str,
    fields: Sequence[str],
    *,
    now: datetime,
    hold_within: timedelta | None = None,
    held_only: bool = False,
    allowances: Sequence[Allowance] = (),
    on_claim: OnClaim = lambda _: None,
) -> ClaimedChunk | NotYet | None:
    """Mark the first due chunk of a running broadcast as inflight. Return it, or None if there is none.

    A chunk that is due up to `hold_within` later may be claimed too, if there is an open batch for its time. The
    provider will hold it until then. With `held_only`, only such chunks are claimed. People who have been suppressed or
    removed since the freeze, have no consent on record anymore, or have paused, are excluded first. `fields` are the
    columns or attributes that the messages need.

    `on_claim` is called with the chunk before the claim is committed. If it raises, nothing is claimed.

    Return NotYet if an allowance is used up. When this function returns, the claim has reached the disk.
    """
    held_to = now + (hold_within or timedelta())
    claim = Claim(broadcast_id, runner_id, tuple(fields), now, held_to, on_claim, held_only)
    if not allowances:
        with database.shared_transaction() as connection:
            return claim_within(connection, claim)
    # An allowance counts the deliveries of all chunks, so no one else may claim a chunk at the same time.
    with database.transaction() as connection:
        return _claim_allowed(connection, claim, allowances)


class Claim(NamedTuple):
    """The parameters of one claim: broadcast, runner, merge fields, time, and how far ahead email may be held."""

    broadcast: int
    runner: str
    fields: tuple[str, ...]
    now: datetime
    held_to: datetime  # the latest due time of a chunk that the provider may hold
    on_claim: OnClaim = lambda _: None  # called before the commit
    held_only: bool = False  # claim nothing that would reach people immediately


def claim_within(connection: Connection, claim: Claim) -> ClaimedChunk | None:
    """Mark the first chunk as inflight inside a transaction. The claim is valid once the transaction is committed."""
    while ready := _next_ready(connection, claim):
        if claimed := _take(connection, claim, ready):
            return claimed
    return None


def _claim_allowed(
    connection: Connection, claim: Claim, allowances: Sequence[Allowance]
) -> ClaimedChunk | NotYet | None:
    """Claim the first chunk that the allowances permit.

    The allowances are checked again for each chunk, because a chunk may turn out to be empty, and then the next one is
    tried.
    """
    while ready := _next_ready(connection, claim):
        if not_yet := _not_yet(connection, claim, ready.size, allowances):
            return not_yet
        if claimed := _take(connection, claim, ready):
            return claimed
    return None


def _take(connection: Connection, claim: Claim, ready: ReadyChunk) -> ClaimedChunk | None:
    """Mark a chunk as inflight and return it. If no one in it may be emailed anymore, close it and return None."""
    columns = columns_of(claim.fields)
    chunk = OpenChunk(connection=connection, broadcast=claim.broadcast, number=ready.number, now=claim.now)
    rows = _mailable(chunk, ready, columns)
    if not rows:
        close_empty(chunk)
        return None
    claimed = _mark_inflight(chunk, ready, claim.runner, columns.deliveries(rows))
    if "timezone" in claim.fields:  # the email contains local times, or the zone itself
        place = claim.fields.index("timezone")
        keep_zones(
            connection,
            broadcast=claimed.broadcast,
            chunk=claimed.number,
            attempt=claimed.attempt,
            people=[each.subscriber for each in claimed.deliveries],
            zones=[each.values[place] for each in claimed.deliveries],
        )
    claim.on_claim(claimed)
    return claimed


def _next_ready(connection: Connection, claim: Claim) -> ReadyChunk | None:
    """Return the first chunk to send: a ready one, or else one that was set aside and is to be tried again."""
    now = text_of(claim.now)
    ready = _NEXT_READY(
        connection,
        broadcast=claim.broadcast,
        now=now,
        held_to=text_of(claim.held_to),
        held_from=text_of(claim.now + _TICK) if claim.held_only else "",
    )
    if ready is not None or claim.held_only:
        return ready
    return _NEXT_DEFERRED(connection, broadcast=claim.broadcast, now=now)


def _not_yet(connection: Connection, claim: Claim, size: int, allowances: Sequence[Allowance]) -> NotYet | None:
    """Return the longest wait that the allowances impose on a chunk of this size, or None if it may be sent now.

    A chunk that is larger than an allowance may be sent if nothing else has used that allowance.
    """
    waits = []
    for allowance in allowances:
        since, free = precise_text_of(allowance.since), allowance.deliveries - size
        if blocked_by := _BLOCKED_BY(connection, broadcast=claim.broadcast, since=since, free=free):
            frees = allowance.frees or blocked_by + (claim.now - allowance.since) + _FINEST
            waits.append(NotYet(until=frees, reason=allowance.reason))
    return max(waits, key=lambda wait: wait.until, default=None)


def _mailable(chunk: OpenChunk, ready: ReadyChunk, columns: "Columns") -> list[Row]:
    """Return the rows of people who may be emailed. Exclude those who must not be emailed anymore."""
    kind = _KIND(chunk.connection, broadcast=chunk.broadcast)
    rows = _permitted(chunk, ready, columns, kind)
    if kind is not BroadcastKind.FOLLOW_UP or not rows:
        return rows
    first, connection = ready.first_subscriber, chunk.connection
    late = no_longer_known(
        connection, chunk.broadcast, chunk.number, first_subscriber=first, size=len(rows), now=chunk.now
    )
    return _still_mailable(chunk, [(*row, NO_LONGER_KNOWN if row[0] in late else None) for row in rows])


def _permitted(chunk: OpenChunk, ready: ReadyChunk, columns: "Columns", kind: BroadcastKind | None) -> list[Row]:
    """Return the rows of people who may be emailed as far as consent, suppressions and pauses say."""
    connection = chunk.connection
    place = {
        "broadcast": chunk.broadcast,
        "chunk": chunk.number,
        "first_subscriber": ready.first_subscriber,
        "size": ready.size,
        "at": text_of(max(chunk.now, ready.due_at or chunk.now)),
    }
    if kind in _DELIVERIES_OF_LETTERS:
        return _still_mailable(chunk, connection.execute(_DELIVERIES_OF_LETTERS[kind].sql, place).fetchall())
    # This is a hot path. The rows stay plain tuples, and `Columns.deliveries` converts them column by column. Looking
    # up each person's suppression is a quarter of the work of a claim, so it is skipped if there are no suppressions.
    # If fewer rows come back than the chunk contains, someone was removed from the list, has no recorded consent
    # anymore, or has paused, and the full query runs.
    if not _IS_ANYBODY_SUPPRESSED(connection):
        query = _DELIVERIES.sql.replace(_COLUMNS, columns.sql)
        rows = connection.execute(query, place).fetchall()
        if len(rows) == ready.size:
            return rows
    query = _DELIVERIES_WITH_LATE.sql.replace(_COLUMNS, columns.sql)
    leaving = reason_of_leaving(connection, chunk.broadcast)
    return _still_mailable(chunk, connection.execute(query, {**place, "leaving": leaving}).fetchall())


def _still_mailable(chunk: OpenChunk, rows: list[Row]) -> list[Row]:
    """Return the rows whose last column gives no reason against an email. Exclude the people in the other rows."""
    late = {row[0]: row[-1] for row in rows if row[-1] is not None}
    if not late:
        return rows
    _LOCK_BROADCAST(chunk.connection, broadcast=chunk.broadcast)
    settle(chunk, DeliveryStatus.EXCLUDED, cast("dict[int, str]", late))
    return [row for row in rows if row[-1] is None]


def _mark_inflight(
    chunk: OpenChunk, ready: ReadyChunk, runner_id: str, deliveries: tuple[ClaimedDelivery, ...]
) -> ClaimedChunk:
    hold_until = ready.due_at if ready.due_at is not None and ready.due_at > chunk.now else None
    batch_id = ready.batch_id if hold_until else ""
    _MARK_INFLIGHT(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        runner=runner_id,
        hold_until=text_of(hold_until) if hold_until else "",
        batch_id=batch_id,
        claimed_at=precise_text_of(chunk.now),
        now=text_of(chunk.now),
    )
    return ClaimedChunk(
        broadcast=chunk.broadcast,
        number=chunk.number,
        attempt=ready.attempt + 1,
        variant_key=str(ready.variant),
        deliveries=deliveries,
        due_at=ready.due_at,
        hold_until=hold_until,
        batch_id=batch_id,
        tries=ready.tries,
        are_others_accepted=_are_others_accepted(chunk, ready),
    )


def _are_others_accepted(chunk: OpenChunk, ready: ReadyChunk) -> bool:
    """Return whether others were surely accepted after the recipients were refused for a reason that may be ours."""
    if ready.accepted_before == _NEVER_REFUSED:
        return False
    return _ACCEPTED(chunk.connection, broadcast=chunk.broadcast) > ready.accepted_before


class Columns(Struct, frozen=True, kw_only=True):
    """The columns to read in addition to those in every row, and the fields in the order that the messages need."""

    fields: tuple[str, ...]
    extra: tuple[str, ...]  # column names from our own table, because no user's text may become part of a query

    @property
    def sql(self) -> str:
        """Return the extra columns as SQL that continues the list of columns."""
        return "".join(f", s.{name}" for name in self.extra)

    def deliveries(self, rows: Sequence[Row]) -> tuple[ClaimedDelivery, ...]:
        """Return one `ClaimedDelivery` per row. There must be at least one row.

        Building them column by column takes half as long as building them row by row.
        """
        columns = tuple(zip(*rows, strict=True))
        values = self._values(columns)
        return tuple(map(_as_delivery, zip(*columns[: len(_IN_EVERY_ROW)], values, strict=False)))

    def _values(self, columns: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
        if not self.fields:
            return repeat(())
        found = {name: column for name, column in zip((*_IN_EVERY_ROW, *self.extra), columns, strict=False) if name}
        texts = found.pop(_ATTRIBUTES, ())
        attributes = [orjson.loads(text) for text in texts]
        return zip(
            *[
                found[name] if name in found else [values.get(name, "") for values in attributes]
                for name in self.fields
            ],
            strict=True,
        )


@lru_cache
def columns_of(fields: tuple[str, ...]) -> Columns:
    """Return the columns to read for some fields. A field that is not a column is read from the attributes."""
    extra = [name for name in _ON_DEMAND if name in fields]
    if not {*_IN_EVERY_ROW, *_ON_DEMAND}.issuperset(fields):
        extra.append(_ATTRIBUTES)
    return Columns(fields=fields, extra=tuple(extra))
