"""Record the outcome of a chunk that was sent to the provider, or that a dead process left behind."""

from collections.abc import Iterable, Sequence
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
from newsletter.store.suppressions import add_reported, hear_reported, reported_table
from newsletter.system.moments import text_of


class FoundChunk(NamedTuple):
    """The state of a chunk before an outcome is applied to it."""

    state: ChunkState
    attempt: int
    size: int
    first_subscriber: int


class InflightChunk(NamedTuple):
    """A chunk that a runner is sending, or was sending when it died."""

    number: int
    runner: str


_SETTLE_TAKEN = change("record", "settle_taken")
_FIND_CHUNK = query_one("record", "find_chunk", FoundChunk)
_TAKE_UP_AGAIN = change("record", "take_up_again")
_SUBSCRIBERS_OF_CHUNK = query_all("record", "subscribers_of_chunk", int)
_REPORT_SUBSCRIBER = change("record", "report_subscriber")
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
_ORPHANED = "the program ended while this batch was being sent"


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
    """Record that a whole chunk was accepted and claim the next, with one wait for the disk instead of two.

    For any other outcome, do nothing. The caller then uses `record_outcome`.
    """
    if not (_is_simple(outcome) and outcome.verdict is Verdict.ACCEPTED):
        return Exchange(is_recorded=False, following=None)
    claim = Claim(claimed.broadcast, runner_id, tuple(fields), now, now + (hold_within or timedelta()))
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
            set_state(chunk, ChunkState.UNKNOWN, reason=_ORPHANED)
    return len(orphans)


def _is_simple(outcome: Outcome) -> bool:
    """Return whether the whole chunk was accepted or is unknown, and nothing else changes. This is the usual case."""
    is_named = outcome.invalid or outcome.unsent or outcome.uncertain
    return outcome.verdict in _TAKEN and outcome.next_step is NextStep.GO_ON and not is_named


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


def _is_taken_back(connection: Connection, claimed: ClaimedChunk) -> bool:
    """Return whether the provider holds this chunk in a batch that has been, or will be, canceled."""
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
    """Take out the deliveries that the outcome names individually. Return their number.

    A delivery that is named twice gets the more cautious result: uncertain before invalid before unsent.
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
    if undeliverable := outcome.undeliverable & invalid.keys():
        _suppress(chunk, undeliverable)
    return len(uncertain) + len(invalid) + len(unsent)


def _suppress(chunk: OpenChunk, undeliverable: Iterable[int]) -> None:
    """Suppress the addresses of subscribers as ones that do not exist."""
    report = {"reason": SuppressionReason.INVALID.value, "now": text_of(chunk.now)}
    with reported_table(chunk.connection):
        _REPORT_SUBSCRIBER.for_each(chunk.connection, [{"subscriber": each, **report} for each in undeliverable])
        hear_reported(chunk.connection)
        add_reported(chunk.connection)


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
    set_state(chunk, _STATE[outcome.verdict], reason=outcome.reason, message_id=outcome.message_id)
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
    elif broadcast.state is BroadcastState.DONE and count(connection, broadcast.id).waiting:
        reopen(connection, broadcast, reason=_CAME_BACK, now=now)
    elif is_to_stop:
        stop(connection, broadcast, reason=outcome.reason, now=now)
    elif outcome.next_step is NextStep.PAUSE:
        hold_back(connection, broadcast, reason=outcome.reason, now=now)
