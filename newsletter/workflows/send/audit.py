"""Account for a broadcast: every recipient, every request to the provider, and its history."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.lists.cells import CsvWriter
from newsletter.model.broadcast import Broadcast, ChunkState, Tally
from newsletter.model.ledger import (
    Approval,
    AuditedDelivery,
    AuditedRequest,
    ChunkSummary,
    JournalEntry,
    PastDelivery,
    RequestGroup,
    SettledCount,
)
from newsletter.store.approvals import approvals_of, tested_at
from newsletter.store.database import Database
from newsletter.store.forgotten import is_anybody_forgotten
from newsletter.store.ledger.audit import audited_deliveries, find_delivery
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.requests import find_request, request_groups, requests_of
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of
from newsletter.store.subscribers import find_subscriber, history
from newsletter.store.suppressions import find_suppression
from newsletter.system.files import private_file
from newsletter.system.moments import text_of
from newsletter.workflows.send.resolve import ASSUMED

SHOWN_REQUESTS = 20  # up to this many requests are listed; if there are more, they are only counted by state and reason
_WAITING = "waiting"  # the name that people see for the `ready` state
COLUMNS = ("email", "status", "reason", "at", "chunk", "attempt", "message_id", "due_at", "zone")


class BroadcastAudit(Struct, frozen=True, kw_only=True):
    """The full record of one broadcast, without the individual recipients."""

    broadcast: Broadcast
    tally: Tally
    chunks: tuple[ChunkSummary, ...]
    groups: tuple[RequestGroup, ...]
    requests: tuple[AuditedRequest, ...]  # empty if there are too many to list
    settled: tuple[SettledCount, ...]
    journal: tuple[JournalEntry, ...]
    approvals: tuple[Approval, ...]  # of exactly the content that was sent, including approvals that are now void
    tested_at: datetime | None  # when the provider accepted a test email of that content


class PersonAudit(Struct, frozen=True, kw_only=True):
    """Everything that is known about one address in one broadcast."""

    broadcast: Broadcast
    email: str  # as typed by the user
    delivery: AuditedDelivery | None  # None if this person was not among the recipients
    request: AuditedRequest | None  # None if the delivery was never part of a request
    on_list_since: datetime | None  # None if the person is not on the list now
    never_mailed: str  # why the address is suppressed now; empty if it is not
    may_be_forgotten: bool  # whether this may be an erased person, which cannot be checked without the key
    elsewhere: tuple[PastDelivery, ...]  # deliveries in other broadcasts of the same issue

    @property
    def is_assumed(self) -> bool:
        """Whether the delivery counts as accepted only because a person decided so, without any evidence."""
        return self.delivery is not None and self.delivery.reason.startswith(ASSUMED)


def audit_broadcast(database: Database, broadcast_id: int, *, every_request: bool = False) -> BroadcastAudit:
    """Return the full record of a broadcast. Requests are listed if there are few, or with `every_request`.

    Raise InputError if there is no such broadcast.
    """
    with database.read():  # all reads see the same snapshot of the ledger
        broadcast = require_broadcast(database, broadcast_id)
        groups = request_groups(database, broadcast_id)
        is_each_shown = every_request or sum(group.requests for group in groups) <= SHOWN_REQUESTS
        return BroadcastAudit(
            broadcast=broadcast,
            tally=tally_of(database, broadcast_id),
            chunks=chunk_summaries(database, broadcast_id),
            groups=groups,
            requests=tuple(requests_of(database, broadcast_id)) if is_each_shown else (),
            settled=settled_counts(database, broadcast_id),
            journal=journal_of(database, broadcast_id),
            approvals=approvals_of(database, broadcast.issue, broadcast.content_hash),
            tested_at=tested_at(database, broadcast.issue, broadcast.content_hash),
        )


def audit_person(database: Database, broadcast_id: int, email: str, *, key: bytes | None = None) -> PersonAudit:
    """Return what happened to one address in a broadcast.

    With the `key`, people who have been erased since then are also found. Raise InputError if the broadcast does not
    exist.
    """
    with database.read() as connection:
        broadcast = require_broadcast(database, broadcast_id)
        delivery = find_delivery(database, broadcast_id, email, key=key)
        chunk = delivery.chunk if delivery else None
        subscriber = find_subscriber(database, email)
        suppression = find_suppression(database, email)
        past = history(database, delivery.subscriber) if delivery else ()
        return PersonAudit(
            broadcast=broadcast,
            email=email,
            delivery=delivery,
            request=find_request(database, broadcast_id, chunk) if chunk is not None else None,
            on_list_since=subscriber.joined_at if subscriber else None,
            never_mailed=suppression.reason.value if suppression else "",
            may_be_forgotten=subscriber is None and key is None and is_anybody_forgotten(connection),
            elsewhere=tuple(each for each in past if each.issue == broadcast.issue and each.broadcast != broadcast.id),
        )


def list_deliveries(database: Database, broadcast_id: int, *, part: str | None = None) -> Iterator[AuditedDelivery]:
    """Yield the deliveries in one part of the total, such as `waiting`, or all of them. They are read on demand.

    Raise InputError if there is no such broadcast.
    """
    require_broadcast(database, broadcast_id)
    return audited_deliveries(database, broadcast_id, status=ChunkState.READY.value if part == _WAITING else part)


def part_of(delivery: AuditedDelivery) -> str:
    """Return the part of the total in which a delivery is counted."""
    return _WAITING if delivery.status == ChunkState.READY else delivery.status


def write_deliveries(
    database: Database, broadcast_id: int, path: Path, *, part: str | None = None, overwrite: bool = False
) -> int:
    """Write the deliveries to a CSV file that only its owner can read. Return the number written.

    The file is written completely or not at all. Cells that a spreadsheet would read as a formula are escaped. Raise
    InputError if the file cannot be written, or if it exists and `overwrite` is False.
    """
    deliveries = list_deliveries(database, broadcast_id, part=part)
    count = 0
    with private_file(path, overwrite=overwrite) as file:
        writer = CsvWriter(file, COLUMNS)
        for delivery in deliveries:
            writer.write_row(_cells(delivery))
            count += 1
    return count


def _cells(delivery: AuditedDelivery) -> tuple[str, ...]:
    """Return the cells of one row, in the order of COLUMNS."""
    return (
        delivery.email,
        part_of(delivery),
        delivery.reason,
        text_of(delivery.at),
        "" if delivery.chunk is None else str(delivery.chunk),
        str(delivery.attempt or ""),
        delivery.message_id,
        text_of(delivery.due_at) if delivery.due_at else "",
        delivery.zone,
    )
