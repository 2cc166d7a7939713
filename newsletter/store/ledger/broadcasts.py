"""Finding broadcasts, holding them back, letting them go on and closing them."""

from datetime import datetime

import orjson

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, Envelope, Waiver
from newsletter.store.database import Connection, Database
from newsletter.store.moments import moment_of, text_of
from newsletter.store.queries import load_queries

_SQL = load_queries("broadcasts")


def find_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """The broadcast with this number; raises InputError where there is none."""
    with database.read() as connection:
        row = _SQL.find(connection, broadcast=broadcast_id)
    if row is None:
        raise InputError(f"there is no broadcast {broadcast_id}; `newsletter status` lists them")
    return _broadcast(row)


def list_broadcasts(database: Database) -> tuple[Broadcast, ...]:
    """Every broadcast, the newest first."""
    with database.read() as connection:
        return tuple(_broadcast(row) for row in _SQL.list_all(connection))


def pause_broadcast(database: Database, broadcast_id: int, reason: str) -> Broadcast:
    """Holds a running broadcast back until it is resumed; one that is not running stays as it is."""
    with database.transaction() as connection:
        hold_back(connection, broadcast_id=broadcast_id, reason=reason)
        return find_broadcast(database, broadcast_id)


def resume_broadcast(database: Database, broadcast_id: int) -> Broadcast:
    """Lets a paused broadcast go on; one that is running stays so.

    Raises InputError where it has ended.
    """
    with database.transaction() as connection:
        broadcast = find_broadcast(database, broadcast_id)
        if broadcast.state is BroadcastState.DONE:
            raise InputError(f"broadcast {broadcast_id} is done; there is nothing left to send")
        if broadcast.state is BroadcastState.STOPPED:
            raise InputError(
                f"broadcast {broadcast_id} was stopped ({broadcast.reason}); correct the issue and send it again, "
                "which reaches those who did not get it"
            )
        _SQL.set_state(connection, broadcast=broadcast_id, state=BroadcastState.RUNNING.value, reason="")
        return find_broadcast(database, broadcast_id)


def finish_if_done(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Closes a running broadcast of which no chunk is ready or inflight; how it stands then."""
    with database.transaction() as connection:
        _SQL.finish_if_done(connection, broadcast=broadcast_id, now=text_of(now))
        return find_broadcast(database, broadcast_id)


def hold_back(connection: Connection, *, broadcast_id: int, reason: str) -> None:
    """Pauses a running broadcast, within a transaction."""
    row = _SQL.find(connection, broadcast=broadcast_id)
    if row is not None and _broadcast(row).state is BroadcastState.RUNNING:
        _SQL.set_state(connection, broadcast=broadcast_id, state=BroadcastState.PAUSED.value, reason=reason)


def stop(connection: Connection, *, broadcast_id: int, reason: str, now: datetime) -> None:
    """Ends a broadcast for good, within a transaction."""
    _SQL.stop(connection, broadcast=broadcast_id, reason=reason, now=text_of(now))


def envelope_text(envelope: Envelope) -> str:
    """An envelope as the ledger keeps it."""
    return orjson.dumps(envelope).decode()


def waivers_text(waivers: tuple[Waiver, ...]) -> str:
    """Waivers as the ledger keeps them."""
    return orjson.dumps(waivers).decode()


def _broadcast(row: tuple[str, ...]) -> Broadcast:
    (
        broadcast_id,
        issue,
        segment,
        provider,
        state,
        reason,
        content_hash,
        nonce,
        envelope,
        waivers,
        created_at,
        finished_at,
    ) = row
    return Broadcast(
        id=int(broadcast_id),
        issue=issue,
        segment=segment,
        provider=provider,
        state=BroadcastState(state),
        reason=reason,
        content_hash=content_hash,
        nonce=nonce,
        envelope=Envelope(**orjson.loads(envelope)),
        waivers=tuple(Waiver(**waiver) for waiver in orjson.loads(waivers)),
        created_at=moment_of(created_at),
        finished_at=moment_of(finished_at) if finished_at else None,
    )
