"""Cancel a broadcast: send nothing more, and recall the email that the provider still holds.

The steps are `begin_cancel`, the recall of each batch (`store/ledger/recall.py`) and `finish_cancel`. Each step can be
repeated, so a crash between them causes no problems.
"""

from datetime import datetime

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.store.database import Database
from newsletter.store.ledger.states import CANCELLED_WHY, cancel_ready, end, require_current, set_cancelling
from newsletter.store.ledger.status import count, in_words
from newsletter.store.queries import query_value
from newsletter.system.moments import text_of

HELD_AHEAD = query_value("cancel", "held_ahead", int)
_WAITING = query_value("cancel", "waiting", int)
_LEFT_TO_END = query_value("cancel", "left_to_end", int)


def begin_cancel(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Cancel all ready chunks, and send nothing more. A broadcast that is already being canceled is unchanged.

    A broadcast that is done or stopped can be canceled as long as the provider holds some of its email for later, or
    people who were set aside are to be tried again. Raise InputError if there is nothing to cancel.
    """
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is BroadcastState.CANCELLING:
            return broadcast
        held = HELD_AHEAD(connection, broadcast=broadcast_id, now=text_of(now))
        waiting = _WAITING(connection, broadcast=broadcast_id)
        _require_something_to_cancel(broadcast, held + waiting)
        detail = f"{waiting} not sent yet, {held} held by the provider"
        set_cancelling(connection, broadcast_id, detail, now=now)
        cancel_ready(connection, broadcast_id, reason=CANCELLED_WHY, now=now)
        return require_current(connection, broadcast_id)


def finish_cancel(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """End a broadcast that is being canceled, unless a chunk is inflight or must still be recalled. Return it."""
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        if broadcast.state is not BroadcastState.CANCELLING:
            return broadcast
        if _LEFT_TO_END(connection, broadcast=broadcast_id, now=text_of(now)):
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
