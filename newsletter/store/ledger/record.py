"""Records what became of a chunk that was handed over, or that a dead process left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off
from newsletter.store.ledger.claim import Claim, claim_within
from newsletter.store.ledger.states import CANCELLED_WHY, cancel_ready, find, hold_back, reopen, stop, stopped_because
from newsletter.store.ledger.tally import count
from newsletter.store.queries import load_queries
from newsletter.system.moments import text_of

_SQL = load_queries("record")

_STATE = {
    Verdict.ACCEPTED: ChunkState.ACCEPTED,
    Verdict.READY: ChunkState.READY,
    Verdict.REJECTED: ChunkState.REJECTED,
    Verdict.UNKNOWN: ChunkState.UNKNOWN,
}
_TAKEN = frozenset({Verdict.ACCEPTED, Verdict.UNKNOWN})
_GIVEN_UP = frozenset({ChunkState.READY, ChunkState.CANCELLED})  # where nobody waits for an answer any more
_CAME_BACK = "some deliveries were surely not handed over, as was learned late; resume sends them"
_ORPHANED = "the program ended while this chunk was being handed over"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of recording one chunk and claiming the next."""

    is_recorded: bool
    following: ClaimedChunk | None


def record_outcome(database: Database, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> None:
    """Applies an outcome to a claimed chunk and its broadcast, in one transaction; once, however often it is told.

    Of the invalid only those are suppressed whose address is undeliverable: a suppression outlasts the issue, and
    most refusals are about the mail, its sender or the day. A chunk that is too large is halved; a single message
    that is too large stops the broadcast. A broadcast that stops cancels its ready chunks, of which nothing has left,
    so that the corrected issue can still reach those people. Where nothing may leave any more, what comes back is
    cancelled. Raises StoreError where there is no such chunk.
    """
    if _is_simple(outcome):
        with database.shared_transaction() as connection:
            if settle_taken(connection, claimed, outcome, now=now):
                return
    with database.transaction() as connection:
        chunk = OpenChunk(connection=connection, broadcast=claimed.broadcast, number=claimed.number, now=now)
        found = _find_chunk(chunk)
        if not _is_news(found, claimed, outcome, is_taken_back=_is_taken_back(connection, claimed)):
            return
        if found.state in _GIVEN_UP:
            held = text_of(claimed.hold_until) if claimed.hold_until else ""
            _SQL.take_up_again(
                connection, broadcast=claimed.broadcast, chunk=claimed.number, hold_until=held, now=text_of(now)
            )
        is_too_large = _decide_rest(
            chunk, found, outcome, remaining=found.size - _take_out_named(chunk, found, outcome)
        )
        _steer(chunk, outcome, is_to_stop=outcome.next_step is NextStep.STOP or is_too_large)


def record_and_claim(
    database: Database,
    claimed: ClaimedChunk,
    outcome: Outcome,
    runner_id: str,
    fields: Sequence[str],
    *,
    now: datetime,
    hold_within: timedelta | None = None,
) -> Exchange:
    """Records that a whole chunk was taken and claims the next: one wait for the disk instead of two.

    An outcome that is less simple is left to `record_outcome`, and nothing is claimed.
    """
    if not (_is_simple(outcome) and outcome.verdict is Verdict.ACCEPTED):
        return Exchange(is_recorded=False, following=None)
    claim = Claim(claimed.broadcast, runner_id, tuple(fields), now, now + (hold_within or timedelta()))
    with database.shared_transaction() as connection:
        is_recorded = settle_taken(connection, claimed, outcome, now=now)
        return Exchange(is_recorded=is_recorded, following=claim_within(connection, claim) if is_recorded else None)


def settle_taken(connection: Connection, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> bool:
    """Records a simple outcome, within a transaction; False where the chunk stands otherwise than the claim left it."""
    changed = _SQL.settle_taken(
        connection,
        broadcast=claimed.broadcast,
        chunk=claimed.number,
        attempt=claimed.attempt,
        state=_STATE[outcome.verdict].value,
        reason=outcome.reason,
        message_id=outcome.message_id,
        now=text_of(now),
    )
    return bool(changed)


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
    state: ChunkState
    attempt: int
    size: int
    first_subscriber: int


def _is_simple(outcome: Outcome) -> bool:
    """Whether a chunk as a whole was taken, or perhaps taken, and nothing else changes: nearly always."""
    is_named = outcome.invalid or outcome.unsent or outcome.uncertain
    return outcome.verdict in _TAKEN and outcome.next_step is NextStep.GO_ON and not is_named


def _find_chunk(chunk: OpenChunk) -> _FoundChunk:
    row = _SQL.find_chunk(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number)
    if row is None:
        raise StoreError(
            f"chunk {chunk.number} of broadcast {chunk.broadcast} is missing, so its outcome was not recorded; "
            "is this the database that the broadcast began with?"
        )
    state, attempt, size, first_subscriber = row
    return _FoundChunk(state=ChunkState(state), attempt=attempt, size=size, first_subscriber=first_subscriber)


def _is_news(found: _FoundChunk, claimed: ClaimedChunk, outcome: Outcome, *, is_taken_back: bool) -> bool:
    """Whether the ledger does not know the outcome yet.

    A chunk that became unknown meanwhile is settled by it. So is one that a person decided to resend, or to give up
    with its broadcast, and that was taken after all; otherwise what is ready or cancelled came back by this very
    outcome, whose commit was not confirmed. What is taken back never reaches anybody, even if it was taken late.
    """
    if found.attempt != claimed.attempt:
        return False
    if found.state in _GIVEN_UP:
        return outcome.verdict is Verdict.ACCEPTED and not is_taken_back
    return found.state in {ChunkState.INFLIGHT, ChunkState.UNKNOWN}


def _is_taken_back(connection: Connection, claimed: ClaimedChunk) -> bool:
    """Whether the provider was, or will be, told to cancel the batch under which it holds this chunk."""
    state = find(connection, claimed.broadcast).state
    return claimed.hold_until is not None and state in {BroadcastState.CANCELLING, BroadcastState.CANCELLED}


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


def _steer(chunk: OpenChunk, outcome: Outcome, *, is_to_stop: bool) -> None:
    """Moves the broadcast on, and lets nothing that came back stay ready where nothing may leave any more."""
    connection, now = chunk.connection, chunk.now
    broadcast = find(connection, chunk.broadcast)
    if broadcast.state in {BroadcastState.CANCELLING, BroadcastState.CANCELLED}:
        cancel_ready(connection, broadcast.id, reason=CANCELLED_WHY, now=now)
    elif broadcast.state is BroadcastState.STOPPED:
        cancel_ready(connection, broadcast.id, reason=stopped_because(broadcast.reason), now=now)
    elif broadcast.state is BroadcastState.DONE and count(connection, broadcast.id).waiting:
        reopen(connection, broadcast, reason=_CAME_BACK, now=now)
    elif is_to_stop:
        stop(connection, broadcast, reason=outcome.reason, now=now)
    elif outcome.next_step is NextStep.PAUSE:
        hold_back(connection, broadcast, reason=outcome.reason, now=now)
