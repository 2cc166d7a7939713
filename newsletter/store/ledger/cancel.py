"""Cancel a broadcast: send nothing more, and take back the email that the provider still holds.

The steps are `begin_cancel`, the cancellation at the provider, `take_back` and `finish_cancel`. Each step can be
repeated, so a crash between them causes no problems.
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
_TAKEN_BACK = "canceled at the provider before its scheduled time"
_TOO_CLOSE = "the provider held it, and its scheduled time was too close to be sure that it was canceled"


def begin_cancel(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Cancel all ready chunks, and send nothing more. A broadcast that is already being canceled is unchanged.

    A broadcast that is done or stopped can be canceled as long as the provider holds some of its email for later, or
    people who were set aside are to be tried again. Raise InputError if there is nothing to cancel.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.CANCELLING:
            return broadcast
        held = _HELD_AHEAD(connection, broadcast=broadcast_id, now=text_of(now))
        waiting = _WAITING(connection, broadcast=broadcast_id)
        _require_something_to_cancel(broadcast, held + waiting)
        detail = f"{waiting} not sent yet, {held} held by the provider"
        set_cancelling(connection, broadcast_id, detail, now=now)
        cancel_ready(connection, broadcast_id, reason=CANCELLED_WHY, now=now)
        return require_current(connection, broadcast_id)


def take_back(database: Database, broadcast_id: int, *, margin: timedelta, confirmed_at: datetime) -> int:
    """Settle the chunks that the provider held, after it confirmed the cancellation.

    Return the number of deliveries that were taken back. The provider can reliably cancel an email until `margin`
    before it is due.

    - Chunks held until later than confirmation + margin are canceled, whether accepted or unknown.
    - Accepted chunks that were still held when the cancellation began, but are due sooner, may have been sent. They
      become unknown.
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
    """End a broadcast that is being canceled, unless a chunk is inflight or must still be taken back. Return it."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is not BroadcastState.CANCELLING:
            return broadcast
        if _LEFT_TO_END(connection, broadcast=broadcast_id, since=_began(connection, broadcast_id)):
            return broadcast
        counts = in_words(count(connection, broadcast_id))
        end(connection, broadcast_id, BroadcastState.CANCELLED, detail=counts, now=now)
        return require_current(connection, broadcast_id)


def _require_something_to_cancel(broadcast: Broadcast, left: int) -> None:
    if broadcast.state is BroadcastState.CANCELLED:
        raise InputError(f"broadcast {broadcast.id} is already canceled; there is nothing left to do")
    if broadcast.state in {BroadcastState.DONE, BroadcastState.STOPPED} and not left:
        raise InputError(
            f"broadcast {broadcast.id} is {broadcast.state}, and the provider holds none of its email for later; email "
            "that was sent cannot be recalled"
        )


def _began(connection: Connection, broadcast_id: int) -> str:
    """Return when the cancellation began, as text. Return an empty string if it has not begun."""
    began = journal.first_moment(connection, broadcast_id, Entry.CANCELLING)
    return "" if began is None else text_of(began)
