"""Claims the next chunk of a broadcast: durably inflight before anything of it can leave."""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from newsletter.model.broadcast import DeliveryStatus
from newsletter.model.ledger import ClaimedChunk, ClaimedDelivery
from newsletter.store.database import Database
from newsletter.store.ledger.chunks import OpenChunk, close_empty, settle
from newsletter.store.moments import text_of
from newsletter.store.queries import load_queries

_SQL = load_queries("claim")
_REMOVED = "removed from the list"

# Where the columns stand in a row of `deliveries_in_full`; the shorter rows of `deliveries` have the first few.
_COLUMN = {
    "email": 1,
    "first_name": 2,
    "last_name": 3,
    "language": 7,
    "timezone": 8,
    "consented_at": 9,
    "consent_source": 10,
}
_IN_EVERY_ROW = frozenset({"email", "first_name", "last_name"})
_SUPPRESSION, _IS_REMOVED, _ATTRIBUTES = 5, 6, 11
_Row = tuple[Any, ...]


def claim_chunk(
    database: Database, broadcast_id: int, runner_id: str, fields: Sequence[str], *, now: datetime
) -> ClaimedChunk | None:
    """Marks the lowest ready chunk of a running broadcast inflight; None where there is none.

    Whoever was suppressed or removed since the freeze is excluded first. `fields` are columns or attributes whose
    values the messages need. When this returns, the claim has reached the disk.
    """
    with database.transaction() as connection:
        while ready := _SQL.next_ready(connection, broadcast=broadcast_id):
            number, attempt, variant, size, first = ready
            place = {"broadcast": broadcast_id, "chunk": number, "first_subscriber": first, "size": size}
            # All at once rather than through aiosql, which hands rows over one by one: this is the hot path.
            query = _SQL.deliveries if _IN_EVERY_ROW.issuperset(fields) else _SQL.deliveries_in_full
            rows = connection.execute(query.sql, place).fetchall()
            chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=number, now=now)
            remaining = _exclude_late(chunk, rows)
            if not remaining:
                close_empty(chunk)
                continue
            _SQL.mark_inflight(connection, broadcast=broadcast_id, chunk=number, runner=runner_id, now=text_of(now))
            return ClaimedChunk(
                broadcast=broadcast_id,
                number=number,
                attempt=attempt + 1,
                variant_key=str(variant),
                deliveries=_deliveries(remaining, fields),
            )
    return None


def _exclude_late(chunk: OpenChunk, rows: list[_Row]) -> list[_Row]:
    """Excludes whoever must not be mailed any more; the rest."""
    late = {row[0]: row[_SUPPRESSION] or _REMOVED for row in rows if row[_SUPPRESSION] or row[_IS_REMOVED]}
    if not late:
        return rows
    settle(chunk, DeliveryStatus.EXCLUDED, late)
    return [row for row in rows if row[0] not in late]


def _deliveries(rows: list[_Row], fields: Sequence[str]) -> tuple[ClaimedDelivery, ...]:
    values_of = _values_reader(fields)
    return tuple([ClaimedDelivery._make((*row[:_SUPPRESSION], values_of(row))) for row in rows])


def _values_reader(fields: Sequence[str]) -> Callable[[_Row], tuple[str, ...]]:
    """A function from a row to the values of the fields; attributes are parsed only where one is asked for."""
    if not fields:
        return lambda _: ()
    if all(name in _COLUMN for name in fields):
        pick = itemgetter(*(_COLUMN[name] for name in fields))
        return pick if len(fields) > 1 else lambda row: (pick(row),)

    def read(row: _Row) -> tuple[str, ...]:
        attributes = orjson.loads(row[_ATTRIBUTES])
        return tuple([row[_COLUMN[name]] if name in _COLUMN else attributes.get(name, "") for name in fields])

    return read
