"""Records what became of a chunk that was handed over, or that a dead process left behind."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import hold_back, stop
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off
from newsletter.store.moments import text_of
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

    Of the invalid only those are suppressed whose address is undeliverable: a suppression outlasts the issue, and
    most refusals are about the mail, its sender or the day. A chunk that is too large is halved; a single message
    that is too large stops the broadcast. A broadcast that stops rejects its ready chunks, of which nothing has left,
    so that the corrected issue can still reach those people. Raises StoreError where the chunk is not inflight.
    """
    with database.transaction() as connection:
        chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=chunk_number, now=now)
        found = _find_inflight(chunk)
        is_too_large = _decide_rest(
            chunk, found, outcome, remaining=found.size - _take_out_named(chunk, found, outcome)
        )
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
    size: int
    first_subscriber: int
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
    return _FoundChunk(
        size=size,
        first_subscriber=first_subscriber,
        broadcast_state=BroadcastState(broadcast_state),
        broadcast_reason=broadcast_reason,
    )


def _subscribers_in(chunk: OpenChunk, found: _FoundChunk) -> list[int]:
    rows = _SQL.subscribers_of_chunk(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        first_subscriber=found.first_subscriber,
        size=found.size,
    )
    return [subscriber for (subscriber,) in rows]


def _take_out_named(chunk: OpenChunk, found: _FoundChunk, outcome: Outcome) -> int:
    """Takes out the deliveries that the outcome names one by one; how many they were.

    What is named twice counts as the more careful of the two: uncertain before invalid before unsent.
    """
    if not (outcome.invalid or outcome.unsent or outcome.uncertain):
        return 0
    subscribers = frozenset(_subscribers_in(chunk, found))
    uncertain = subscribers & outcome.uncertain
    invalid = {each: why for each, why in outcome.invalid.items() if each in subscribers - uncertain}
    unsent = (subscribers & outcome.unsent) - uncertain - invalid.keys()
    split_off(chunk, uncertain, ChunkState.UNKNOWN, reason=outcome.reason, message_id=outcome.message_id)
    split_off(chunk, unsent, ChunkState.READY)
    settle(chunk, DeliveryStatus.INVALID, invalid)
    suppression = {"reason": SuppressionReason.INVALID.value, "now": text_of(chunk.now)}
    _SQL.suppress_subscriber(
        chunk.connection, [{"subscriber": each, **suppression} for each in outcome.undeliverable & invalid.keys()]
    )
    return len(uncertain) + len(invalid) + len(unsent)


def _decide_rest(chunk: OpenChunk, found: _FoundChunk, outcome: Outcome, *, remaining: int) -> bool:
    """Sets the state of the deliveries that the outcome does not name; whether a single message is too large.

    Only what is surely not handed over is ever halved: a half that may have been taken must not be ready again.
    """
    if remaining == 0:
        close_empty(chunk)
        return False
    is_to_split = outcome.next_step is NextStep.SPLIT and outcome.verdict is Verdict.READY
    if is_to_split and remaining == 1:
        set_state(chunk, ChunkState.REJECTED, reason=outcome.reason)
        return True
    if is_to_split:
        split_off(chunk, _subscribers_in(chunk, found)[remaining // 2 :], ChunkState.READY)
    set_state(chunk, _STATE[outcome.verdict], reason=outcome.reason, message_id=outcome.message_id)
    return False


def _reject_ready(chunk: OpenChunk, reason: str) -> None:
    _SQL.reject_ready(
        chunk.connection,
        broadcast=chunk.broadcast,
        reason=f"the broadcast was stopped: {reason}",
        now=text_of(chunk.now),
    )
