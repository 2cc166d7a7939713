"""Ends a broadcast before its time: what has not left never leaves, and what the provider holds is taken back.

The steps are `begin_cancel`, then the provider's own cancelling, `take_back` and `finish_cancel`. Each may be repeated,
so that a crash between them costs nothing.
"""

from datetime import datetime, timedelta

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.states import CANCELLED_WHY, cancel_ready, end, require_current, set_cancelling
from newsletter.store.ledger.status import count, in_words
from newsletter.store.queries import change, query_all, query_value
from newsletter.system.moments import text_of

_HELD_AHEAD = query_value("cancel", "held_ahead", int)
_WAITING = query_value("cancel", "waiting", int)
_TAKE_BACK = query_all("cancel", "take_back", int)
_LEAVE_OPEN = change("cancel", "leave_open")
_LEFT_TO_END = query_value("cancel", "left_to_end", int)
_TAKEN_BACK = "taken back from the provider before its time"
_TOO_CLOSE = "the provider held it, and it was too close to its time to be surely taken back"


def begin_cancel(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Cancel what has not left, and let nothing more leave; a broadcast that is being cancelled stays so.

    One that is done or stopped can be cancelled as long as the provider holds mail of it for later. Raise InputError
    where there is nothing to cancel.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.CANCELLING:
            return broadcast
        held = _HELD_AHEAD(connection, broadcast=broadcast_id, now=text_of(now))
        _require_something_to_cancel(broadcast, held)
        waiting = _WAITING(connection, broadcast=broadcast_id)
        detail = f"{waiting} had not left, {held} are held by the provider"
        set_cancelling(connection, broadcast_id, detail, now=now)
        cancel_ready(connection, broadcast_id, reason=CANCELLED_WHY, now=now)
        return require_current(connection, broadcast_id)


def take_back(database: Database, broadcast_id: int, *, margin: timedelta, confirmed_at: datetime) -> int:
    """Settle what the provider held, once it confirmed that it cancelled. Return how many deliveries came back.

    `margin` is how long before its time the provider surely lets go of mail. What was to be held longer than that when
    the cancelling was confirmed is cancelled, whether or not it was known to be taken. What was still held when the
    cancelling began, and less long, may have left: it becomes unknown.
    """
    with database.transaction() as connection:
        if require_current(connection, broadcast_id).state is not BroadcastState.CANCELLING:
            return 0
        beyond, stamp = text_of(confirmed_at + margin), text_of(confirmed_at)
        sizes = _TAKE_BACK(connection, broadcast=broadcast_id, beyond=beyond, reason=_TAKEN_BACK, now=stamp)
        _LEAVE_OPEN(
            connection,
            broadcast=broadcast_id,
            since=_began(connection, broadcast_id),
            beyond=beyond,
            reason=_TOO_CLOSE,
            now=stamp,
        )
    return sum(sizes)


def finish_cancel(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """End a broadcast that is being cancelled, unless something is inflight or left to take back. Return it."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is not BroadcastState.CANCELLING:
            return broadcast
        if _LEFT_TO_END(connection, broadcast=broadcast_id, since=_began(connection, broadcast_id)):
            return broadcast
        counts = in_words(count(connection, broadcast_id))
        end(connection, broadcast_id, BroadcastState.CANCELLED, detail=counts, now=now)
        return require_current(connection, broadcast_id)


def _require_something_to_cancel(broadcast: Broadcast, held: int) -> None:
    if broadcast.state is BroadcastState.CANCELLED:
        raise InputError(f"broadcast {broadcast.id} is cancelled already; there is nothing left to do")
    if broadcast.state in {BroadcastState.DONE, BroadcastState.STOPPED} and not held:
        raise InputError(
            f"broadcast {broadcast.id} is {broadcast.state}, and the provider holds nothing of it for later; what was "
            "sent cannot be taken back"
        )


def _began(connection: Connection, broadcast_id: int) -> str:
    """Return when the cancelling began, as text."""
    began = journal.first_moment(connection, broadcast_id, Entry.CANCELLING)
    return "" if began is None else text_of(began)
