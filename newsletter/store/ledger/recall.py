"""Email that the provider holds until its time: the batches that it is in, and how it is recalled.

The steps of a recall are `begin_recall`, the cancellation at the provider, and `settle_recall`. Each can be repeated.
After a crash before the last step, everyone in the batch counts as accepted, and no one is sent anything twice. After
it, they are waiting in new chunks, which are sent like all others: without people who have left.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from newsletter.language.counts import count_of
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import BatchState, Entry, HeldBatch, LastRun, Leaver
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.states import require_current, set_running, stopped_because
from newsletter.store.ledger.topics import reason_of_leaving
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class FoundBatch(NamedTuple):
    """A batch before a step is applied to it."""

    broadcast: int
    recall_ends_at: datetime
    state: BatchState
    asked: int  # how many requests to cancel it may have had an effect


class PastBatch(NamedTuple):
    """A batch that was recalled, or may have been, and whose time is past."""

    id: str
    due_at: datetime


class HeldChunk(NamedTuple):
    """A chunk that the provider holds, or may hold."""

    number: int
    size: int
    first_subscriber: int


_MOMENTS_TO_HOLD = query_all("recall", "moments_to_hold", datetime)
_KEEP_BATCH = change("recall", "keep_batch")
_BATCHES = query_all("recall", "batches", HeldBatch)
_WATCHED = query_all("recall", "watched", int)
_PAST = query_all("recall", "past", PastBatch)
_IN_USE = query_all("recall", "in_use", datetime)
_FIND = query_one("recall", "find", FoundBatch)
_SET_STATE = change("recall", "set_state")
_HELD_CHUNKS = query_all("recall", "held_chunks", HeldChunk)
_NEXT_NUMBER = query_value("chunks", "next_number", int)
_ADD_CHUNK_AGAIN = change("recall", "add_chunk_again")
_MOVE_ALL = change("recall", "move_all")
_CLOSE_CHUNK = change("recall", "close_chunk")
_LEAVE_OPEN = change("recall", "leave_open")
_LEAVERS = query_all("recall", "leavers", Leaver)
_SAY_RUN = change("recall", "say_run")
_LAST_RUNS = query_all("recall", "last_runs", LastRun)

_RECALLED = "recalled from the provider before its scheduled time"
_TO_SEND_AGAIN = "recalled from the provider, to be sent again without people who left"
_TOO_CLOSE = "the provider held it, and its scheduled time was too close to be sure that it was canceled"
_ASKABLE = frozenset({BatchState.OPEN, BatchState.RECALLING})
_ENDING = frozenset({BroadcastState.CANCELLING, BroadcastState.CANCELLED})


def moments_to_hold(database: Database, broadcast_id: int, *, now: datetime, until: datetime) -> tuple[datetime, ...]:
    """Return the times up to `until` at which waiting email is due, and for which there is no open batch."""
    return _MOMENTS_TO_HOLD.ask(database, broadcast=broadcast_id, now=text_of(now), until=text_of(until))


def keep_batch(
    database: Database, broadcast_id: int, batch_id: str, *, due_at: datetime, margin: timedelta, now: datetime
) -> None:
    """Save a batch before it is first used, unless there is an open one for the same time.

    The provider can cancel email for certain until `margin` before its time.
    """
    with database.transaction() as connection:
        require_current(connection, broadcast_id)
        _KEEP_BATCH(
            connection,
            batch_id=batch_id,
            broadcast=broadcast_id,
            due_at=text_of(due_at),
            recall_ends_at=text_of(due_at - margin),
            now=text_of(now),
        )


def batches_of(database: Database, broadcast_id: int) -> tuple[HeldBatch, ...]:
    """Return the batches of a broadcast, earliest first, also those whose time is past."""
    return _BATCHES.ask(database, broadcast=broadcast_id)


def watched_broadcasts(database: Database, *, now: datetime) -> tuple[int, ...]:
    """Return the broadcasts with email that the provider holds, or with a batch that was recalled and not undone."""
    return _WATCHED.ask(database, now=text_of(now))


def leavers_in(database: Database, batch: HeldBatch) -> tuple[Leaver, ...]:
    """Return the people in a batch who must not be emailed anymore."""
    with database.read() as connection:
        leaving = reason_of_leaving(connection, batch.broadcast)
        place = {"broadcast": batch.broadcast, "batch_id": batch.id}
        return tuple(_LEAVERS(connection, **place, leaving=leaving, at=text_of(batch.due_at)))


def begin_recall(database: Database, batch_id: str, *, now: datetime) -> bool:
    """Save that the provider is about to be asked to cancel a batch. Return False if the batch is already settled."""
    with database.transaction() as connection:
        found = _FIND(connection, batch_id=batch_id)
        if found is None or found.state not in _ASKABLE:
            return False
        _set_state(connection, batch_id, BatchState.RECALLING, asked=found.asked + 1, now=now)
        return True


def give_up_recall(database: Database, batch_id: str, reason: str, *, now: datetime) -> None:
    """Save that a request to cancel a batch certainly had no effect, or that none was made in time.

    The batch is open again, unless another request was made for it that may have had an effect.
    """
    with database.transaction() as connection:
        found = _FIND(connection, batch_id=batch_id)
        if found is None or found.state not in _ASKABLE:
            return
        asked = max(found.asked - 1, 0)
        state = BatchState.RECALLING if asked else BatchState.OPEN
        _set_state(connection, batch_id, state, asked=asked, reason=reason, now=now)


def settle_recall(database: Database, batch_id: str, *, confirmed_at: datetime | None, now: datetime) -> int:
    """Settle the chunks of a batch after the provider confirmed that it is canceled. Return how many emails it had.

    Chunks that were being sent then can be accepted later, and are settled when this is called again, without a
    `confirmed_at`. An email that was recalled in time is waiting again, in a new chunk, so that nothing that is
    reported about the old one applies to it. If its broadcast was canceled or stopped, it is canceled. Accepted email
    that may not have been recalled in time becomes unknown.
    """
    with database.transaction() as connection:
        found = _FIND(connection, batch_id=batch_id)
        if found is None:
            return 0
        state = _state_after(found, confirmed_at, now)
        if state is not found.state:
            _set_state(connection, batch_id, state, asked=found.asked, now=now)
        if state is BatchState.DOUBTFUL:
            place = {"broadcast": found.broadcast, "batch_id": batch_id}
            _LEAVE_OPEN(connection, **place, reason=_TOO_CLOSE, now=text_of(now))
        return _take_back(connection, found.broadcast, batch_id, now=now) if state is BatchState.RECALLED else 0


def is_recalled(connection: Connection, batch_id: str) -> bool:
    """Return whether nothing in a batch will be sent, whatever is still reported about it."""
    found = _FIND(connection, batch_id=batch_id) if batch_id else None
    return found is not None and found.state is BatchState.RECALLED


def past_batches(database: Database, *, before: datetime) -> tuple[PastBatch, ...]:
    """Return the batches that were recalled, or may have been, and whose time was before a given one."""
    return _PAST.ask(database, before=text_of(before))


def times_in_use(database: Database) -> tuple[datetime, ...]:
    """Return the times of the batches that are canceled at the provider, or may be, earliest first."""
    return _IN_USE.ask(database)


def keep_undone(database: Database, batch_id: str, *, now: datetime) -> None:
    """Save that a past batch no longer uses up the provider's limit."""
    with database.transaction() as connection:
        _set_state(connection, batch_id, BatchState.UNDONE, now=now)


def say_run(database: Database, command: str, *, now: datetime) -> None:
    """Save that a command that sends what is due runs now."""
    with database.transaction() as connection:
        _SAY_RUN(connection, command=command, now=text_of(now))


def last_run(database: Database) -> LastRun | None:
    """Return which command that sends what is due ran last, and when. Return None if none ever did."""
    return next(iter(last_runs(database)), None)


def last_runs(database: Database) -> tuple[LastRun, ...]:
    """Return when each command that sends what is due last ran, the latest first."""
    return _LAST_RUNS.ask(database)


def _state_after(found: FoundBatch, confirmed_at: datetime | None, now: datetime) -> BatchState:
    if found.state not in _ASKABLE:
        return found.state
    if confirmed_at is not None:
        return BatchState.RECALLED if confirmed_at < found.recall_ends_at else BatchState.DOUBTFUL
    is_too_late = found.state is BatchState.RECALLING and now >= found.recall_ends_at
    return BatchState.DOUBTFUL if is_too_late else found.state


def _take_back(connection: Connection, broadcast_id: int, batch_id: str, *, now: datetime) -> int:
    broadcast = require_current(connection, broadcast_id)
    chunks = _HELD_CHUNKS(connection, broadcast=broadcast_id, batch_id=batch_id)
    emails = sum(chunk.size for chunk in chunks)
    if not emails:
        return 0
    if broadcast.state in _ENDING or broadcast.state is BroadcastState.STOPPED:
        reason = _RECALLED if broadcast.state in _ENDING else stopped_because(broadcast.reason)
        for chunk in chunks:
            _close(connection, broadcast_id, chunk.number, size=chunk.size, reason=reason, now=now)
        return emails
    for chunk in chunks:
        number = _NEXT_NUMBER(connection, broadcast=broadcast_id)
        place = {"broadcast": broadcast_id, "chunk": chunk.number}
        _ADD_CHUNK_AGAIN(connection, **place, number=number, reason=_TO_SEND_AGAIN, now=text_of(now))
        _MOVE_ALL(connection, **place, into=number, first_subscriber=chunk.first_subscriber, size=chunk.size)
        _close(connection, broadcast_id, chunk.number, size=0, reason=_RECALLED, now=now)
    detail = f"{count_of(emails, 'email')}, to be sent again without people who left"
    if broadcast.state is BroadcastState.DONE:
        set_running(connection, broadcast_id, Entry.RECALLED, detail, now=now)
    else:
        journal.write(connection, broadcast_id, Entry.RECALLED, detail, now=now)
    return emails


def _close(connection: Connection, broadcast_id: int, chunk: int, *, size: int, reason: str, now: datetime) -> None:
    _CLOSE_CHUNK(connection, broadcast=broadcast_id, chunk=chunk, size=size, reason=reason, now=text_of(now))


def _set_state(
    connection: Connection, batch_id: str, state: BatchState, *, now: datetime, asked: int = 0, reason: str = ""
) -> None:
    _SET_STATE(connection, batch_id=batch_id, state=state.value, asked=asked, reason=reason, now=text_of(now))
