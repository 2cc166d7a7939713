"""Record the outcome of a chunk that was sent to the provider, or that a dead process left behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from msgspec import Struct

from newsletter.errors import StoreError
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off, subscribers_of
from newsletter.store.ledger.claim import Claim, OnClaim, claim_within
from newsletter.store.ledger.deferrals import (
    Refusals,
    acquit,
    by_words,
    count_in_a_row,
    defer,
    doubt,
    in_order,
    put_behind,
    suppress_undeliverable,
)
from newsletter.store.ledger.recall import is_recalled
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
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class FoundChunk(NamedTuple):
    """The state of a chunk before an outcome is applied to it."""

    state: ChunkState
    attempt: int
    size: int
    first_subscriber: int
    tries: int
    deferrals: int
    accepted_before: int


class InflightChunk(NamedTuple):
    """A chunk that a runner is sending, or was sending when it died."""

    number: int
    runner: str


_T = TypeVar("_T")

_SETTLE_TAKEN = change("record", "settle_taken")
_FIND_CHUNK = query_one("record", "find_chunk", FoundChunk)
_TAKE_UP_AGAIN = change("record", "take_up_again")
_UNCLEAR = query_value("deferrals", "unclear", int)
_INFLIGHT_CHUNKS = query_all("record", "inflight_chunks", InflightChunk)

_STATE = {
    Verdict.ACCEPTED: ChunkState.ACCEPTED,
    Verdict.READY: ChunkState.READY,
    Verdict.REJECTED: ChunkState.REJECTED,
    Verdict.UNKNOWN: ChunkState.UNKNOWN,
}
_TAKEN = frozenset({Verdict.ACCEPTED, Verdict.UNKNOWN})
_GIVEN_UP = frozenset({ChunkState.READY, ChunkState.CANCELLED})  # no one waits for an answer in these states
_CAME_BACK = "some emails turned out not to have been sent; `newsletter resume` sends them"
_IN_A_ROW = "{refused} people in a row were refused, so the reason is probably not theirs: {reason}"
ORPHANED = "the program ended while this batch was being sent"


class Exchange(Struct, frozen=True):
    """The result of recording one chunk and claiming the next."""

    is_recorded: bool
    following: ClaimedChunk | None


def record_outcome(database: Database, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> None:
    """Apply an outcome to a claimed chunk and its broadcast, in one transaction. Repeated calls have no further effect.

    - Invalid recipients are suppressed only if their address is undeliverable. A suppression outlasts the issue, and
      most refusals are about the message, its sender or a temporary condition.
    - A chunk that is too large is halved. A single message that is too large stops the broadcast.
    - If the broadcast stops, its ready chunks are canceled. None of their email has been sent, so the corrected issue
      can still reach those people.
    - If the broadcast has stopped or been canceled, deliveries that come back are canceled too.

    Raise StoreError if there is no such chunk.
    """
    if _is_simple(outcome):
        with database.shared_transaction() as connection:
            if settle_taken(connection, claimed, outcome, now=now):
                return
    with database.transaction() as connection:
        chunk = OpenChunk(connection=connection, broadcast=claimed.broadcast, number=claimed.number, now=now)
        found = _require_chunk(chunk)
        if not _is_news(found, claimed, outcome, is_taken_back=is_recalled(connection, claimed.batch_id)):
            return
        if found.state in _GIVEN_UP:
            held = text_of(claimed.hold_until) if claimed.hold_until else ""
            place = {"broadcast": claimed.broadcast, "chunk": claimed.number}
            _TAKE_UP_AGAIN(connection, **place, hold_until=held, batch_id=claimed.batch_id, now=text_of(now))
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
    on_claim: OnClaim = lambda _: None,
) -> Exchange:
    """Record that a whole chunk was accepted and claim the next, with one wait for the disk instead of two.

    `on_claim` is as in `claim_chunk`. For any other outcome, do nothing. The caller then uses `record_outcome`.
    """
    if not (_is_simple(outcome) and outcome.verdict is Verdict.ACCEPTED):
        return Exchange(is_recorded=False, following=None)
    claim = Claim(claimed.broadcast, runner_id, tuple(fields), now, now + (hold_within or timedelta()), on_claim)
    with database.shared_transaction() as connection:
        is_recorded = settle_taken(connection, claimed, outcome, now=now)
        return Exchange(is_recorded=is_recorded, following=claim_within(connection, claim) if is_recorded else None)


def settle_taken(connection: Connection, claimed: ClaimedChunk, outcome: Outcome, *, now: datetime) -> bool:
    """Record a simple outcome inside a transaction. Return False if the chunk has changed since the claim."""
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
    """Make each inflight chunk unknown if its runner is not alive. Return the number of such chunks."""
    with database.transaction() as connection:
        inflight = _INFLIGHT_CHUNKS(connection, broadcast=broadcast_id)
        orphans = [chunk for chunk in inflight if not database.alive(chunk.runner)]
        for orphan in orphans:
            chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=orphan.number, now=now)
            set_state(chunk, ChunkState.UNKNOWN, reason=ORPHANED)
    return len(orphans)


def unclear_in_a_row(database: Database, broadcast_id: int) -> int:
    """Return how many requests of a broadcast ended without a clear answer since a chunk was last accepted."""
    return _UNCLEAR.ask(database, broadcast=broadcast_id, orphaned=ORPHANED)


def _is_simple(outcome: Outcome) -> bool:
    """Return whether the whole chunk was accepted or is unknown, and nothing else changes. This is the usual case."""
    return outcome.verdict in _TAKEN and outcome.next_step is NextStep.GO_ON and not _names_anyone(outcome)


def _names_anyone(outcome: Outcome) -> bool:
    return bool(
        outcome.invalid
        or outcome.unsent
        or outcome.uncertain
        or outcome.deferred
        or outcome.blameless
        or outcome.doubted
    )


def _require_chunk(chunk: OpenChunk) -> FoundChunk:
    found = _FIND_CHUNK(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number)
    if found is None:
        raise StoreError(
            f"batch {chunk.number} of broadcast {chunk.broadcast} is missing, so its result was not saved; "
            "check that the `url` setting under [database] in newsletter.toml names the database in which the "
            "broadcast was started"
        )
    return found


def _is_news(found: FoundChunk, claimed: ClaimedChunk, outcome: Outcome, *, is_taken_back: bool) -> bool:
    """Return whether the outcome is new to the ledger.

    - An outcome of an earlier attempt is not news.
    - An inflight chunk, and a chunk that has become unknown meanwhile, is settled by the outcome.
    - A chunk may be ready or canceled because a person decided to resend it, or gave it up with its broadcast. If it
      was accepted after all, that is news. Any other outcome is the one that made it ready or canceled: its commit took
      effect but was not confirmed, so the outcome arrives twice.
    - A chunk that was taken back at the provider never reaches anyone, even if it was accepted late.
    """
    if found.attempt != claimed.attempt:
        return False
    if found.state in _GIVEN_UP:
        return outcome.verdict is Verdict.ACCEPTED and not is_taken_back
    return found.state in {ChunkState.INFLIGHT, ChunkState.UNKNOWN}


def _subscribers_in(chunk: OpenChunk, found: FoundChunk) -> list[int]:
    return subscribers_of(chunk, first_subscriber=found.first_subscriber, size=found.size)


def _take_out_named(chunk: OpenChunk, found: FoundChunk, outcome: Outcome) -> int:
    """Take out the deliveries that the outcome names individually. Return their number.

    A delivery that is named twice gets the more cautious result: uncertain before refused before unsent.
    """
    if not _names_anyone(outcome):
        return 0
    left = set(_subscribers_in(chunk, found))
    total, before = len(left), Refusals(found.tries, found.deferrals, found.accepted_before)
    for words, subscribers in by_words(_taken(left, outcome.uncertain)):
        split_off(chunk, subscribers, ChunkState.UNKNOWN, reason=words, message_id=outcome.message_id)
    invalid = _taken(left, outcome.invalid)
    settle(chunk, DeliveryStatus.INVALID, invalid)
    suppress_undeliverable(chunk, outcome.undeliverable & invalid.keys())
    defer(chunk, before, _taken(left, outcome.deferred))
    blameless, doubted = _taken(left, outcome.blameless), _taken(left, outcome.doubted)
    if unsent := left & outcome.unsent:
        for part in in_order(sorted(unsent), outcome):
            split_off(chunk, part, ChunkState.READY)
        left -= unsent
    accepted_here = len(left) if outcome.verdict is Verdict.ACCEPTED else 0
    put_behind(chunk, before, blameless, accepted_here=accepted_here)
    doubt(chunk, before, doubted, accepted_here=accepted_here)
    return total - len(left)


def _taken(left: set[int], named: Mapping[int, _T]) -> dict[int, _T]:
    """Remove those who are named from the deliveries that are left in a chunk. Return them."""
    found = {each: what for each, what in named.items() if each in left}
    left.difference_update(found)
    return found


def _decide_rest(chunk: OpenChunk, found: FoundChunk, outcome: Outcome, *, remaining: int) -> bool:
    """Set the state of the deliveries that the outcome does not name. Return whether a single message is too large.

    A chunk is halved only if it was definitely not sent. Half of a chunk that may have been accepted must never become
    ready again.
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
    elif outcome.verdict is Verdict.READY:
        for part in in_order(_subscribers_in(chunk, found), outcome)[1:]:
            split_off(chunk, part, ChunkState.READY)
    # What is accepted needs no reason. The outcome's may be about the others, who are named individually.
    reason = "" if outcome.verdict is Verdict.ACCEPTED else outcome.reason
    set_state(chunk, _STATE[outcome.verdict], reason=reason, message_id=outcome.message_id)
    return False


def _steer(chunk: OpenChunk, outcome: Outcome, *, is_to_stop: bool) -> None:
    """Change the state of the broadcast as the outcome requires.

    If nothing more of the broadcast may be sent, cancel the deliveries that came back and are ready.
    """
    connection, now = chunk.connection, chunk.now
    broadcast = require_current(connection, chunk.broadcast)
    if broadcast.state in {BroadcastState.CANCELLING, BroadcastState.CANCELLED}:
        cancel_ready(connection, broadcast.id, reason=CANCELLED_WHY, now=now)
    elif broadcast.state is BroadcastState.STOPPED:
        cancel_ready(connection, broadcast.id, reason=stopped_because(broadcast.reason), now=now)
    elif broadcast.state is BroadcastState.DONE and (
        count(connection, broadcast.id).waiting or outcome.deferred or outcome.doubted
    ):
        reopen(connection, broadcast, reason=_CAME_BACK, now=now)
    elif is_to_stop:
        stop(connection, broadcast, reason=outcome.reason, now=now)
    elif refused := outcome.refused_in_a_row or (outcome.doubted and count_in_a_row(connection, broadcast.id)):
        acquit(connection, broadcast.id, now=now)
        hold_back(connection, broadcast, reason=_IN_A_ROW.format(refused=refused, reason=outcome.reason), now=now)
    elif outcome.next_step is NextStep.PAUSE:
        acquit(connection, broadcast.id, now=now)
        seconds = outcome.retry_after_seconds
        continues_at = now + timedelta(seconds=seconds) if seconds is not None else None
        hold_back(connection, broadcast, reason=outcome.reason, now=now, continues_at=continues_at)
    elif outcome.doubted and broadcast.state is BroadcastState.PAUSED:
        acquit(connection, broadcast.id, now=now)
