"""The status of broadcasts: the number of deliveries in each state, the details, and whether a process is sending."""

from datetime import UTC, datetime
from itertools import islice

from msgspec import Struct

from newsletter.model.broadcast import Broadcast, BroadcastState, Tally
from newsletter.model.ledger import (
    ChunkSummary,
    HeldMail,
    LastRun,
    SettledCount,
    UnknownDelivery,
    VariantCount,
    ZoneProgress,
)
from newsletter.model.notice import Notice
from newsletter.model.waves import Watch
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, next_due, require_broadcast, zone_progress
from newsletter.store.ledger.feedback import came_back
from newsletter.store.ledger.recall import last_run
from newsletter.store.ledger.requests import held_mail, runners_of
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of, unknown_deliveries
from newsletter.store.ledger.variants import variant_counts
from newsletter.store.ledger.waves import watch_of
from newsletter.store.notices import untold_notices
from newsletter.workflows.send.alarms import Troubles, troubles_of
from newsletter.workflows.send.canary import Count, counts_of
from newsletter.workflows.send.winner import Comparison, comparison_of

SHOWN_UNKNOWN = 20
_STARTS_BY_ITSELF = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING})


class BroadcastLine(Struct, frozen=True, kw_only=True):
    """One broadcast with its numbers, for a list of broadcasts."""

    broadcast: Broadcast
    tally: Tally


class BroadcastStatus(Struct, frozen=True, kw_only=True):
    """One broadcast with its numbers and the details behind them."""

    broadcast: Broadcast
    tally: Tally
    settled: tuple[SettledCount, ...]
    chunks: tuple[ChunkSummary, ...]
    variants: tuple[VariantCount, ...]  # only variants that have a recipient
    unknown: tuple[UnknownDelivery, ...]  # the first few, or all if all were requested
    next_due: datetime | None  # when waiting deliveries are due; None if unscheduled, or if none are waiting
    zones: tuple[ZoneProgress, ...]  # empty if it is not sent by local time
    held: tuple[HeldMail, ...]  # mail that the provider holds, or held until it was due
    watch: Watch | None = None  # if it leaves in waves
    came_back: tuple[Count, ...] = ()  # what came back that can stop it, of a canary
    notices: tuple[Notice, ...] = ()  # what the reviewers should have been told by email, but have not been
    comparison: Comparison | None = None  # of its versions, if it compares any
    troubles: Troubles  # how many emails bounced, and how many people complained and left
    is_at_work: bool  # whether a running process is sending the broadcast
    last_run: LastRun | None  # the last time that a timer, a worker or a terminal looked for what is due

    def needs_run(self, now: datetime) -> bool:
        """Return whether a timer, a worker or a terminal must send the rest, or recall what the provider holds."""
        if self.broadcast.state is BroadcastState.WATCHING:
            return True
        is_waiting = self.broadcast.state in _STARTS_BY_ITSELF and bool(self.next_due)
        return self.broadcast.is_scheduled and (is_waiting or bool(self.held_after(now)))

    def held_after(self, now: datetime) -> tuple[HeldMail, ...]:
        """Return the mail that the provider still holds at a given time."""
        return tuple(mail for mail in self.held if mail.until > now)


def list_statuses(database: Database) -> tuple[BroadcastLine, ...]:
    """Return every broadcast with its numbers, the newest first."""
    return tuple(_line(database, broadcast) for broadcast in list_broadcasts(database))


def line_of(database: Database, broadcast_id: int) -> BroadcastLine:
    """Return one broadcast with its numbers only. Raise InputError if there is no such broadcast."""
    return _line(database, require_broadcast(database, broadcast_id))


def status_of(database: Database, broadcast_id: int, *, every_unknown: bool = False) -> BroadcastStatus:
    """Return one broadcast in detail, with the first few of its unknown deliveries, or all of them.

    Raise InputError if there is no such broadcast.
    """
    with database.read():  # one snapshot of the ledger, so that the numbers are consistent
        broadcast, now = require_broadcast(database, broadcast_id), datetime.now(UTC)
        runners = runners_of(database, broadcast_id)
        watch = watch_of(database, broadcast_id)
        limit = None if every_unknown else SHOWN_UNKNOWN
        return BroadcastStatus(
            broadcast=broadcast,
            tally=tally_of(database, broadcast_id),
            settled=settled_counts(database, broadcast_id),
            chunks=chunk_summaries(database, broadcast_id),
            variants=variant_counts(database, broadcast_id),
            unknown=tuple(islice(unknown_deliveries(database, broadcast_id), limit)),
            next_due=next_due(database, broadcast_id),
            zones=zone_progress(database, broadcast_id) if broadcast.is_local_time else (),
            held=held_mail(database, broadcast_id),
            watch=watch,
            came_back=counts_of(watch, came_back(database, broadcast_id, now=now))
            if watch and watch.plan.is_canary
            else (),
            notices=tuple(each for each in untold_notices(database) if each.broadcast == broadcast_id),
            comparison=comparison_of(database, broadcast_id),
            troubles=troubles_of(database, broadcast_id),
            is_at_work=any(database.alive(runner) for runner in runners),
            last_run=last_run(database),
        )


def _line(database: Database, broadcast: Broadcast) -> BroadcastLine:
    return BroadcastLine(broadcast=broadcast, tally=tally_of(database, broadcast.id))
