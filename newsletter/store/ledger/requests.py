"""What was asked of the provider: the chunks one by one, who hands them over, what is held."""

from collections.abc import Iterator
from datetime import datetime

from newsletter.model.broadcast import ChunkState
from newsletter.model.ledger import AuditedRequest, HeldMail, RequestGroup
from newsletter.store.database import Database, Row
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of

_SQL = load_queries("requests")
_PAGE = 1000


def requests_of(database: Database, broadcast_id: int) -> Iterator[AuditedRequest]:
    """The chunks that hold somebody, by number; a page at a time."""
    after = 0
    while True:
        with database.read() as connection:
            page = [_request(row) for row in _SQL.requests(connection, broadcast=broadcast_id, after=after, size=_PAGE)]
        if not page:
            return
        yield from page
        after = page[-1].number


def find_request(database: Database, broadcast_id: int, chunk: int) -> AuditedRequest | None:
    """One chunk; None where there is none of this number."""
    with database.read() as connection:
        row = _SQL.request(connection, broadcast=broadcast_id, chunk=chunk)
    return None if row is None else _request(row)


def request_groups(database: Database, broadcast_id: int) -> tuple[RequestGroup, ...]:
    """The chunks that hold somebody, counted by state."""
    with database.read() as connection:
        return tuple(
            RequestGroup(
                state=ChunkState(state),
                requests=count,
                deliveries=int(deliveries),
                first_at=moment_of(first_at),
                last_at=moment_of(last_at),
            )
            for state, count, deliveries, first_at, last_at in _SQL.groups(connection, broadcast=broadcast_id)
        )


def runners_of(database: Database, broadcast_id: int) -> tuple[str, ...]:
    """The runners of the chunks that are inflight, alive or not."""
    with database.read() as connection:
        return tuple(runner for (runner,) in _SQL.runners(connection, broadcast=broadcast_id))


def held_mail(database: Database, broadcast_id: int) -> tuple[HeldMail, ...]:
    """What the provider took ahead of its time, by the moment until which it was asked to hold it, past ones too."""
    with database.read() as connection:
        return tuple(
            HeldMail(until=moment_of(until), deliveries=int(deliveries))
            for until, deliveries in _SQL.held(connection, broadcast=broadcast_id)
        )


def _request(row: Row) -> AuditedRequest:
    number, state, size, attempt, changed_at, reason, message_id, due_at, zone, hold_until = row
    return AuditedRequest(
        number=number,
        state=ChunkState(state),
        deliveries=size,
        attempt=attempt,
        at=moment_of(changed_at),
        reason=reason,
        message_id=message_id,
        due_at=_moment(due_at),
        zone=zone,
        hold_until=_moment(hold_until),
    )


def _moment(text: str) -> datetime | None:
    return moment_of(text) if text else None
