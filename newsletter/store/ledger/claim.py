"""Claims the next chunk of a broadcast: durably inflight before anything of it can leave."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from newsletter.model.broadcast import DeliveryStatus
from newsletter.model.ledger import ClaimedChunk, ClaimedDelivery, NotYet
from newsletter.model.pace import Allowance
from newsletter.store.database import Connection, Database, Row
from newsletter.store.ledger.chunks import OpenChunk, close_empty, settle
from newsletter.store.ledger.topics import reason_of_leaving
from newsletter.store.ledger.values import Columns, columns_of
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("claim")
_COLUMNS = ":columns"
_TICK = timedelta(seconds=1)  # the ledger's


def claim_chunk(
    database: Database,
    broadcast_id: int,
    runner_id: str,
    fields: Sequence[str],
    *,
    now: datetime,
    hold_within: timedelta | None = None,
    held_only: bool = False,
    allowances: Sequence[Allowance] = (),
) -> ClaimedChunk | NotYet | None:
    """Marks the first chunk of a running broadcast that is due inflight; None where there is none.

    With `hold_within`, and a batch id of the broadcast, a chunk that is due so much later may be claimed too: the
    provider is to hold it until then. `held_only` leaves out what would reach people at once. Whoever was suppressed or
    removed since the freeze is excluded first. `fields` are columns or attributes whose values the messages need.
    NotYet where an allowance is used up. When this returns, the claim has reached the disk.
    """
    claim = Claim(broadcast_id, runner_id, tuple(fields), now, now + (hold_within or timedelta()), held_only)
    if not allowances:
        with database.shared_transaction() as connection:
            return claim_within(connection, claim)
    # What an allowance permits is counted over all chunks, so nobody else may claim meanwhile.
    with database.transaction() as connection:
        return _claim_allowed(connection, claim, allowances)


class Claim(NamedTuple):
    """Who claims, and what."""

    broadcast: int
    runner: str
    fields: tuple[str, ...]
    now: datetime
    held_to: datetime  # up to when a provider that holds mail may be given what is due later
    held_only: bool = False  # nothing that would reach people at once


def claim_within(connection: Connection, claim: Claim) -> ClaimedChunk | None:
    """Marks the first chunk inflight, within a transaction; the claim holds when that is kept."""
    while ready := _next_ready(connection, claim):
        if claimed := _take(connection, claim, ready):
            return claimed
    return None


def _claim_allowed(
    connection: Connection, claim: Claim, allowances: Sequence[Allowance]
) -> ClaimedChunk | NotYet | None:
    """The same as far as the allowances go, which each chunk is measured by: one before it may prove to be empty."""
    while ready := _next_ready(connection, claim):
        if not_yet := _not_yet(connection, claim.broadcast, ready.size, allowances):
            return not_yet
        if claimed := _take(connection, claim, ready):
            return claimed
    return None


def _take(connection: Connection, claim: Claim, ready: "_Ready") -> ClaimedChunk | None:
    """Marks a chunk inflight; where nobody of it may be mailed any more, closes it."""
    columns = columns_of(claim.fields)
    chunk = OpenChunk(connection=connection, broadcast=claim.broadcast, number=ready.number, now=claim.now)
    rows = _mailable(chunk, ready, columns)
    if not rows:
        close_empty(chunk)
        return None
    return _mark_inflight(chunk, ready, claim.runner, columns.deliveries(rows))


class _Ready(NamedTuple):
    number: int
    attempt: int
    variant: int
    size: int
    first_subscriber: int
    due_at: str
    batch_id: str


def _next_ready(connection: Connection, claim: Claim) -> _Ready | None:
    row = _SQL.next_ready(
        connection,
        broadcast=claim.broadcast,
        now=text_of(claim.now),
        held_to=text_of(claim.held_to),
        held_from=text_of(claim.now + _TICK) if claim.held_only else "",
    )
    return None if row is None else _Ready._make(row)


def _not_yet(connection: Connection, broadcast_id: int, size: int, allowances: Sequence[Allowance]) -> NotYet | None:
    """What keeps a chunk of this size waiting longest; one that no allowance is large enough for goes alone."""
    used_up = []
    for allowance in allowances:
        used = int(_SQL.claimed_since(connection, broadcast=broadcast_id, since=text_of(allowance.since)))
        if used and used + size > allowance.deliveries:
            used_up.append(allowance)
    if not used_up:
        return None
    last = max(used_up, key=lambda allowance: allowance.frees)
    return NotYet(until=last.frees, reason=last.reason)


def _mailable(chunk: OpenChunk, ready: _Ready, columns: Columns) -> list[Row]:
    """The rows of those who may be mailed; whoever must not be any more is excluded."""
    connection = chunk.connection
    place = {
        "broadcast": chunk.broadcast,
        "chunk": chunk.number,
        "first_subscriber": ready.first_subscriber,
        "size": ready.size,
    }
    # All rows at once rather than through aiosql, which hands them over one by one: this is the hot path.
    if not _SQL.is_anybody_suppressed(connection):
        query = _SQL.deliveries.sql.replace(_COLUMNS, columns.sql)
        rows = connection.execute(query, place).fetchall()
        if len(rows) == ready.size:
            return rows
    query = _SQL.deliveries_with_late.sql.replace(_COLUMNS, columns.sql)
    leaving = reason_of_leaving(connection, chunk.broadcast)
    rows = connection.execute(query, {**place, "leaving": leaving}).fetchall()
    late = {row[0]: row[-1] for row in rows if row[-1] is not None}
    if not late:
        return rows
    _SQL.lock_broadcast(connection, broadcast=chunk.broadcast)
    settle(chunk, DeliveryStatus.EXCLUDED, cast("dict[int, str]", late))
    return [row for row in rows if row[-1] is None]


def _mark_inflight(
    chunk: OpenChunk, ready: _Ready, runner_id: str, deliveries: tuple[ClaimedDelivery, ...]
) -> ClaimedChunk:
    now = text_of(chunk.now)
    hold_until = ready.due_at if ready.due_at > now else ""
    _SQL.mark_inflight(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        runner=runner_id,
        hold_until=hold_until,
        now=now,
    )
    return ClaimedChunk(
        broadcast=chunk.broadcast,
        number=chunk.number,
        attempt=ready.attempt + 1,
        variant_key=str(ready.variant),
        deliveries=deliveries,
        due_at=moment_of(ready.due_at) if ready.due_at else None,
        hold_until=moment_of(hold_until) if hold_until else None,
        batch_id=ready.batch_id,
    )
