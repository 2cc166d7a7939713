"""Records what became of a chunk that was handed over, or that a dead process left behind."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off
from newsletter.store.ledger.claim import Claim, claim_within
from newsletter.store.ledger.states import (
    CANCELLED_WHY,
    cancel_ready,
    hold_back,
    reopen,
    require_current,
    stop,
    stopped_because,
)
from newsletter.store.ledger.status import count
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of


class FoundChunk(NamedTuple):
    """A chunk as it stands before an outcome is applied to it."""

    state: ChunkState
    attempt: int
    size: int
    first_subscriber: int


class InflightChunk(NamedTuple):
    """A chunk that somebody is handing over, or was."""

    number: int
    runner: str


_SETTLE_TAKEN = change("record", "settle_taken")
_FIND_CHUNK = query_one("record", "find_chunk", FoundChunk)
_TAKE_UP_AGAIN = change("record", "take_up_again")
_SUBSCRIBERS_OF_CHUNK = query_all("record", "subscribers_of_chunk", int)
_SUPPRESS_SUBSCRIBER = change("record", "suppress_subscriber")
_INFLIGHT_CHUNKS = query_all("record", "inflight_chunks", InflightChunk)

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


class Exchange(Struct, frozen=True):
    """What came of recording one chunk and claiming the next."""

    is_recorded: bool
    following: ClaimedChunk | None


def record_outcome(database: Database, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> None:
    """Apply an outcome to a claimed chunk and its broadcast, in one transaction; once, however often it is told.

    Of the invalid only those are suppressed whose address is undeliverable: a suppression outlasts the issue, and
    most refusals are about the mail, its sender or the day. A chunk that is too large is halved; a single message
    that is too large stops the broadcast. A broadcast that stops cancels its ready chunks, of which nothing has left,
    so that the corrected issue can still reach those people. Where nothing may leave any more, what comes back is
    cancelled. Raise StoreError where there is no such chunk.
    """
    if _is_simple(outcome):
        with database.shared_transaction() as connection:
            if settle_taken(connection, claimed, outcome, now=now):
                return
    with database.transaction() as connection:
        chunk = OpenChunk(connection=connection, broadcast=claimed.broadcast, number=claimed.number, now=now)
        found = _require_chunk(chunk)
        if not _is_news(found, claimed, outcome, is_taken_back=_is_taken_back(connection, claimed)):
            return
        if found.state in _GIVEN_UP:
            held = text_of(claimed.hold_until) if claimed.hold_until else ""
            _TAKE_UP_AGAIN(
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
    """Record that a whole chunk was taken and claim the next: one wait for the disk instead of two.

    An outcome that is less simple is left to `record_outcome`, and nothing is claimed.
    """
    if not (_is_simple(outcome) and outcome.verdict is Verdict.ACCEPTED):
        return Exchange(is_recorded=False, following=None)
    claim = Claim(claimed.broadcast, runner_id, tuple(fields), now, now + (hold_within or timedelta()))
    with database.shared_transaction() as connection:
        is_recorded = settle_taken(connection, claimed, outcome, now=now)
        return Exchange(is_recorded=is_recorded, following=claim_within(connection, claim) if is_recorded else None)


def settle_taken(connection: Connection, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> bool:
    """Record a simple outcome, within a transaction. Return False where the chunk is not as the claim left it."""
    changed = _SETTLE_TAKEN(
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
    """Make every inflight chunk unknown whose runner is not alive. Return how many there were."""
    with database.transaction() as connection:
        inflight = _INFLIGHT_CHUNKS(connection, broadcast=broadcast_id)
        orphans = [chunk for chunk in inflight if not database.alive(chunk.runner)]
        for orphan in orphans:
            chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=orphan.number, now=now)
            set_state(chunk, ChunkState.UNKNOWN, reason=_ORPHANED)
    return len(orphans)


def _is_simple(outcome: Outcome) -> bool:
    """Return whether a chunk as a whole was taken, or perhaps taken, and nothing else changes: nearly always."""
    is_named = outcome.invalid or outcome.unsent or outcome.uncertain
    return outcome.verdict in _TAKEN and outcome.next_step is NextStep.GO_ON and not is_named


def _require_chunk(chunk: OpenChunk) -> FoundChunk:
    found = _FIND_CHUNK(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number)
    if found is None:
        raise StoreError(
            f"chunk {chunk.number} of broadcast {chunk.broadcast} is missing, so its outcome was not recorded; "
            "is this the database that the broadcast began with?"
        )
    return found


def _is_news(found: FoundChunk, claimed: ClaimedChunk, outcome: Outcome, *, is_taken_back: bool) -> bool:
    """Return whether the ledger does not know the outcome yet.

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
    """Return whether the provider was, or will be, told to cancel the batch under which it holds this chunk."""
    state = require_current(connection, claimed.broadcast).state
    return claimed.hold_until is not None and state in {BroadcastState.CANCELLING, BroadcastState.CANCELLED}


def _subscribers_in(chunk: OpenChunk, found: FoundChunk) -> list[int]:
    return _SUBSCRIBERS_OF_CHUNK(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=chunk.number,
        first_subscriber=found.first_subscriber,
        size=found.size,
    )


def _take_out_named(chunk: OpenChunk, found: FoundChunk, outcome: Outcome) -> int:
    """Take out the deliveries that the outcome names one by one. Return how many they were.

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
    _SUPPRESS_SUBSCRIBER.for_each(
        chunk.connection, [{"subscriber": each, **suppression} for each in outcome.undeliverable & invalid.keys()]
    )
    return len(uncertain) + len(invalid) + len(unsent)


def _decide_rest(chunk: OpenChunk, found: FoundChunk, outcome: Outcome, *, remaining: int) -> bool:
    """Set the state of the deliveries that the outcome does not name. Return whether a single message is too large.

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
    """Move the broadcast on, and let nothing that came back stay ready where nothing may leave any more."""
    connection, now = chunk.connection, chunk.now
    broadcast = require_current(connection, chunk.broadcast)
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
