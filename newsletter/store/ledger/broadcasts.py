"""Find, pause, resume, start and finish broadcasts."""

from datetime import datetime

from newsletter.errors import InputError
from newsletter.language.clock import show_utc
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry, ZoneProgress
from newsletter.store.database import Database
from newsletter.store.ledger.deferrals import acquit, settle_refused, words_if_all_refused
from newsletter.store.ledger.states import BROADCAST_READS, end, hold_back, require_current, set_running
from newsletter.store.ledger.status import count, in_words
from newsletter.store.ledger.waves import begin_watching, open_waiting, release_wave
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_LIST_ALL = query_all("broadcasts", "list_all", Broadcast, BROADCAST_READS)
_LET_OVERDUE_GO = change("broadcasts", "let_overdue_go")
_UNATTENDED = query_all("schedule", "unattended", Broadcast, BROADCAST_READS)
_NEXT_DUE = query_one("schedule", "next_due", datetime)
_OVERDUE = query_value("schedule", "overdue", int)
_DUE_NOW = query_value("schedule", "due_now", int)
_LAST_CLAIMED = query_one("schedule", "last_claimed", datetime)
_ZONES = query_all("schedule", "zones", ZoneProgress)

_NEXT_RETRY = query_one("schedule", "next_retry", datetime)
_LAST_ACCEPTED = query_one("schedule", "last_accepted", datetime)
_TRIED_AGAIN = "the people who were set aside are tried again"
_ALL_REFUSED = (
    "everyone was refused, so the reason is probably not theirs: {words}; check the settings and the addresses, then "
    "run `newsletter resume`"
)
_RELEASED_BY_PERSON = "by a person"
_NOT_YET = (
    "broadcast {id} is finished, except for the people who were set aside; they are tried again from {at} on, by "
    "`newsletter run-due` or `newsletter resume {id}`"
)

# Why a broadcast that has ended, or is being canceled, cannot be resumed.
_ENDED = {
    BroadcastState.DONE: "is done; there is nothing left to send",
    BroadcastState.STOPPED: (
        "was stopped ({reason}); correct the issue and send it again to reach everyone who did not get it"
    ),
    BroadcastState.CANCELLING: "is being canceled; run `newsletter cancel {id}` to finish canceling it",
    BroadcastState.CANCELLED: "was canceled; send the issue again to reach everyone who did not get it",
}


def require_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """Return the broadcast with this number. Raise InputError if there is none."""
    with database.read() as connection:
        return require_current(connection, broadcast_id)


def list_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return all broadcasts, newest first."""
    return _LIST_ALL.ask(database)


def pause_broadcast(
    database: Database, broadcast_id: int, reason: str, *, now: datetime, continues_at: datetime | None = None
) -> Broadcast:
    """Pause a scheduled, running or watched broadcast until it is resumed. Leave any other unchanged.

    With `continues_at`, `run-due` and the workers resume it at that time.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        hold_back(connection, broadcast, reason=reason, now=now, continues_at=continues_at)
        return require_current(connection, broadcast_id)


def resume_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Resume a paused broadcast, or start a scheduled one now. Email that is overdue may be sent at once.

    If the rest of a broadcast in waves was held, or is waiting for what comes back, it is released.

    A running broadcast keeps running. One that is done runs again if it is time to try the people who were set aside.
    Raise InputError if the broadcast has ended or is being canceled.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.DONE and broadcast.continues_at is not None:
            if broadcast.continues_at > now:
                raise InputError(_NOT_YET.format(id=broadcast_id, at=show_utc(broadcast.continues_at)))
            set_running(connection, broadcast_id, Entry.RESUMED, _TRIED_AGAIN, now=now)
        elif broadcast.state in _ENDED:
            why = _ENDED[broadcast.state].format(id=broadcast_id, reason=broadcast.reason)
            raise InputError(f"broadcast {broadcast_id} {why}")
        _LET_OVERDUE_GO(connection, broadcast=broadcast_id, now=text_of(now))
        if broadcast.state is BroadcastState.SCHEDULED:
            set_running(connection, broadcast_id, Entry.STARTED, "by a person", now=now)
        elif release_wave(connection, broadcast, _RELEASED_BY_PERSON, now=now, by_person=True):
            acquit(connection, broadcast_id, now=now)
        elif broadcast.state is BroadcastState.PAUSED:
            acquit(connection, broadcast_id, now=now)
            set_running(connection, broadcast_id, Entry.RESUMED, f"it was paused: {broadcast.reason}", now=now)
        return require_current(connection, broadcast_id)


def finish_if_done(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Mark a running broadcast as done if none of its chunks is ready or inflight. Return its current record.

    If all that is ready is in a wave that may not leave yet, the broadcast is watched instead.

    People who were set aside do not keep it open: it runs again when it is time to try them. If no one was accepted
    and people were refused for good, it is probably our fault. The broadcast then pauses, and they are ready again.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is not BroadcastState.RUNNING:
            return broadcast
        counts = count(connection, broadcast_id)
        if counts.inflight or open_waiting(connection, broadcast_id):
            return broadcast
        # Someone who mistypes their address says nothing about us.
        words = None if broadcast.kind.is_letter else words_if_all_refused(connection, broadcast_id)
        if words is not None:
            acquit(connection, broadcast_id, now=now)
            hold_back(connection, broadcast, reason=_ALL_REFUSED.format(words=words), now=now)
            return require_current(connection, broadcast_id)
        if counts.waiting:
            begin_watching(connection, broadcast, now=now)
            return require_current(connection, broadcast_id)
        continues_at = settle_refused(connection, broadcast_id, now=now)
        counts = count(connection, broadcast_id)
        end(
            connection,
            broadcast_id,
            BroadcastState.DONE,
            detail=in_words(counts),
            now=now,
            continues_at=continues_at,
        )
        return require_current(connection, broadcast_id)


def unattended_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Return the broadcasts that need no person to start or to continue, earliest first.

    They have a scheduled time and are scheduled, running or being canceled, or they have a time at which they continue.
    """
    return _UNATTENDED.ask(database)


def next_due(database: Database, broadcast_id: int) -> datetime | None:
    """Return the earliest due time of a ready chunk, past or future. Return None if none has a due time."""
    return _NEXT_DUE.ask(database, broadcast=broadcast_id)


def overdue(database: Database, broadcast_id: int, *, before: datetime) -> int:
    """Return the number of deliveries that were due before a time and have not been sent."""
    return _OVERDUE.ask(database, broadcast=broadcast_id, before=text_of(before))


def due_now(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Return the number of deliveries that are due now, or overdue, and have not been sent."""
    return _DUE_NOW.ask(database, broadcast=broadcast_id, now=text_of(now))


def last_claimed(database: Database, broadcast_id: int) -> datetime | None:
    """Return the latest time at which a chunk that may have been sent was claimed, or None if there is none."""
    return _LAST_CLAIMED.ask(database, broadcast=broadcast_id)


def next_retry(database: Database, broadcast_id: int, *, now: datetime) -> datetime | None:
    """Return when people who were refused for now may be tried again, or None if no one waits for that."""
    return _NEXT_RETRY.ask(database, broadcast=broadcast_id, now=text_of(now))


def last_accepted(database: Database, broadcast_id: int) -> datetime | None:
    """Return the time at which a chunk was last accepted, or None if none was."""
    return _LAST_ACCEPTED.ask(database, broadcast=broadcast_id)


def start_scheduled(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Start a broadcast if it is scheduled. Leave any other broadcast unchanged."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.SCHEDULED:
            is_ahead = broadcast.due_at is not None and broadcast.due_at > now
            detail = (
                "early, so that the provider can hold the email until its scheduled time"
                if is_ahead
                else "its scheduled time has come"
            )
            set_running(connection, broadcast_id, Entry.STARTED, detail, now=now)
        return require_current(connection, broadcast_id)


def continue_unattended(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Continue a broadcast that is paused or done, if its time to continue has come. Leave any other unchanged."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        at, is_done = broadcast.continues_at, broadcast.state is BroadcastState.DONE
        if at is not None and at <= now and (is_done or broadcast.state is BroadcastState.PAUSED):
            acquit(connection, broadcast_id, now=now)
            detail = _TRIED_AGAIN if is_done else f"it was paused: {broadcast.reason}"
            set_running(connection, broadcast_id, Entry.RESUMED, detail, now=now, continues_at=at)
        return require_current(connection, broadcast_id)


def zone_progress(database: Database, broadcast_id: int) -> tuple[ZoneProgress, ...]:
    """Return the progress of each time zone of a broadcast that is sent at local time, earliest first."""
    return _ZONES.ask(database, broadcast=broadcast_id)
