"""Records what became of a chunk that was handed over, or that a dead process left behind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.store.database import Database
from newsletter.store.dialect import text_of
from newsletter.store.ledger.broadcasts import hold_back, stop
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off
from newsletter.store.queries import load_queries

_SQL = load_queries("record")

_STATE = {
    Verdict.ACCEPTED: ChunkState.ACCEPTED,
    Verdict.READY: ChunkState.READY,
    Verdict.REJECTED: ChunkState.REJECTED,
    Verdict.UNKNOWN: ChunkState.UNKNOWN,
}
_ORPHANED = "the program ended while this chunk was being handed over"


def record_outcome(
    database: Database, broadcast_id: int, chunk_number: int, outcome: Outcome, *, now: datetime
) -> None:
    """Applies an outcome to an inflight chunk and its broadcast, in one transaction.

    Invalid addresses are suppressed too. A chunk that is too large is halved; a single message that is too large
    stops the broadcast. A broadcast that stops rejects its ready chunks, of which nothing has left, so that the
    corrected issue can still reach those people. Raises StoreError where the chunk is not inflight.
    """
    with database.transaction() as connection:
        chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=chunk_number, now=now)
        found = _find_inflight(chunk)
        remaining = _take_out_named(chunk, found.subscribers, outcome)
        is_too_large = outcome.next_step is NextStep.SPLIT and len(remaining) == 1
        _decide_rest(chunk, remaining, outcome, is_too_large=is_too_large)
        if found.broadcast_state is BroadcastState.STOPPED:
            _reject_ready(chunk, found.broadcast_reason)
        elif outcome.next_step is NextStep.STOP or is_too_large:
            stop(connection, broadcast_id=broadcast_id, reason=outcome.reason, now=now)
            _reject_ready(chunk, outcome.reason)
        elif outcome.next_step is NextStep.PAUSE:
            hold_back(connection, broadcast_id=broadcast_id, reason=outcome.reason)


def adopt_orphans(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Makes every inflight chunk unknown whose runner is not alive; how many there were."""
    with database.transaction() as connection:
        inflight = list(_SQL.inflight_chunks(connection, broadcast=broadcast_id))
        orphans = [number for number, runner in inflight if not database.alive(runner)]
        for number in orphans:
            chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=number, now=now)
            set_state(chunk, ChunkState.UNKNOWN, reason=_ORPHANED)
    return len(orphans)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundChunk:
    subscribers: frozenset[int]
    broadcast_state: BroadcastState
    broadcast_reason: str


def _find_inflight(chunk: OpenChunk) -> _FoundChunk:
    row = _SQL.find_chunk(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number)
    state = None if row is None else ChunkState(row[0])
    if state is not ChunkState.INFLIGHT:
        raise StoreError(
            f"chunk {chunk.number} of broadcast {chunk.broadcast} is {state or 'missing'}, not inflight, so its "
            f"outcome was not recorded; look at `newsletter status {chunk.broadcast}` before you go on"
        )
    _, size, first_subscriber, broadcast_state, broadcast_reason = row
    subscribers = _SQL.subscribers_of_chunk(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        first_subscriber=first_subscriber,
        size=size,
    )
    return _FoundChunk(
        subscribers=frozenset(subscriber for (subscriber,) in subscribers),
        broadcast_state=BroadcastState(broadcast_state),
        broadcast_reason=broadcast_reason,
    )


def _take_out_named(chunk: OpenChunk, subscribers: frozenset[int], outcome: Outcome) -> frozenset[int]:
    """Takes out the deliveries that the outcome names one by one; those that remain.

    What is named twice counts as the more careful of the two: uncertain before invalid before unsent.
    """
    uncertain = subscribers & outcome.uncertain
    invalid = {each: why for each, why in outcome.invalid.items() if each in subscribers - uncertain}
    unsent = (subscribers & outcome.unsent) - uncertain - invalid.keys()
    split_off(chunk, uncertain, ChunkState.UNKNOWN, reason=outcome.reason, message_id=outcome.message_id)
    split_off(chunk, unsent, ChunkState.READY)
    settle(chunk, DeliveryStatus.INVALID, invalid)
    _SQL.suppress_subscriber(
        chunk.connection,
        [
            {"subscriber": each, "reason": SuppressionReason.INVALID.value, "now": text_of(chunk.now)}
            for each in invalid
        ],
    )
    return subscribers - uncertain - invalid.keys() - unsent


def _decide_rest(chunk: OpenChunk, remaining: Collection[int], outcome: Outcome, *, is_too_large: bool) -> None:
    if not remaining:
        close_empty(chunk)
        return
    state = ChunkState.REJECTED if is_too_large else _STATE[outcome.verdict]
    if state is ChunkState.READY and outcome.next_step is NextStep.SPLIT:
        split_off(chunk, sorted(remaining)[len(remaining) // 2 :], ChunkState.READY)
    set_state(chunk, state, reason=outcome.reason, message_id=outcome.message_id)


def _reject_ready(chunk: OpenChunk, reason: str) -> None:
    _SQL.reject_ready(
        chunk.connection,
        broadcast=chunk.broadcast,
        reason=f"the broadcast was stopped: {reason}",
        now=text_of(chunk.now),
    )
