"""Take in events: save them, suppress those who left or cannot be reached, and settle batches that were in doubt.

This is the one way in for everything that comes back: what a provider posts, bounce mail, exports, and the service's
own pages. The same events may come in again, in any order, and change nothing then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.events import add_events, addresses_of, own_events, unknown_attempts
from newsletter.store.ledger.resolve import prove_taken
from newsletter.store.soft_bounces import suppress_soft_bounces
from newsletter.store.suppressions import suppress_listed
from newsletter.workflows.events.judge import judge_reactions

_AT_ONCE = 5000  # events in one transaction: others can write in between
# A server may refuse an email for good for many causes, but only these mean that no email ever reaches the person. An
# address that belongs to someone else is never emailed again: no consent lifts the suppression.
_ENDS: Mapping[str, SuppressionReason] = {
    "": SuppressionReason.BOUNCED,
    "no-such-address": SuppressionReason.BOUNCED,
    "disabled": SuppressionReason.BOUNCED,
    "new-owner": SuppressionReason.INVALID,
}
_LEAVINGS: Mapping[EventType, SuppressionReason] = {
    EventType.COMPLAINED: SuppressionReason.COMPLAINED,
    EventType.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
}
_BOUNCED = EventType.BOUNCED
_FINAL = frozenset(kind.value for kind in (_BOUNCED, *_LEAVINGS))


class Ingested(Struct, frozen=True, kw_only=True):
    """What came of events that were taken in."""

    added: int = 0  # events that were not known
    suppressed: int = 0  # people who left or cannot be reached
    worn_out: int = 0  # people suppressed because of too many soft bounces in a row
    settled: int = 0  # batches that were in doubt, and of which it is now known that the provider accepted them

    def __add__(self, other: "Ingested") -> "Ingested":
        """Return the sum of both."""
        return Ingested(
            added=self.added + other.added,
            suppressed=self.suppressed + other.suppressed,
            worn_out=self.worn_out + other.worn_out,
            settled=self.settled + other.settled,
        )


def ingest(
    config: Config, database: Database, events: Iterable[Event], *, now: datetime, tidies: bool = True
) -> Ingested:
    """Save events and act on them. Return what came of them.

    With `tidies`, soft bounces are counted, for which the events of weeks are read, and opens and clicks are judged,
    for which those of whole minutes are read again. Otherwise the caller does both now and then. Events about
    broadcasts of another database are ignored. About a person who is not on the list, only the event is saved. Raise
    StoreError if the database cannot be used: what was saved until then stays saved.
    """
    total, has_soft_bounces = Ingested(), False
    for some in _parts(events):
        ours = own_events(database, some)
        kinds = {event.type._value_ for event in ours}
        if _BOUNCED.value in kinds:
            ours = [event if event.type is not _BOUNCED else _as_counted(event) for event in ours]
            kinds = {event.type._value_ for event in ours}
        total += Ingested(
            added=add_events(database, ours),
            suppressed=0 if kinds.isdisjoint(_FINAL) else _suppress(database, ours),
            settled=_settle(database, ours, now=now),
        )
        has_soft_bounces = has_soft_bounces or EventType.BLOCKED.value in kinds
    if tidies:
        judge_reactions(database, now=now)
    if tidies and has_soft_bounces:
        total += Ingested(worn_out=count_soft_bounces(config, database, now=now))
    return total


def count_soft_bounces(config: Config, database: Database, *, now: datetime) -> int:
    """Suppress everyone whose soft bounces reach the limit in the settings. Return their number."""
    return len(suppress_soft_bounces(database, config.settings.suppressions.soft_bounce_policy, now=now))


def _parts(events: Iterable[Event]) -> Iterator[list[Event]]:
    left = iter(events)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _as_counted(event: Event) -> Event:
    """Return a bounce that does not mean the end of an address as a soft one."""
    return event if event.cause in _ENDS else replace(event, type=EventType.BLOCKED)


def _suppress(database: Database, events: Sequence[Event]) -> int:
    """Suppress everyone who left or cannot be reached. Return how many suppressions are new."""
    reasons = [(event, reason) for event in events if event.type.value in _FINAL and (reason := _reason(event))]
    if not reasons:
        return 0
    emails = addresses_of(database, {event.subscriber for event, _ in reasons})
    suppressions = [
        Suppression(email=emails[event.subscriber], reason=reason, created_at=event.at, detail=event.detail)
        for event, reason in reasons
        if event.subscriber in emails
    ]
    return suppress_listed(database, suppressions) if suppressions else 0


def _reason(event: Event) -> SuppressionReason | None:
    return _ENDS.get(event.cause) if event.type is EventType.BOUNCED else _LEAVINGS.get(event.type)


def _settle(database: Database, events: Sequence[Event], *, now: datetime) -> int:
    """Mark batches that were in doubt as accepted, because an event tells of one of their emails."""
    unknown = unknown_attempts(database, {event.broadcast for event in events})
    if not unknown:
        return 0
    told: defaultdict[tuple[int, int, int], set[str]] = defaultdict(set)
    for event in events:
        told[event.broadcast, event.chunk, event.attempt].add(event.type.value)
    settled = 0
    for broadcast, chunk, attempt in sorted(unknown & told.keys()):
        evidence = f"the provider reported: {', '.join(sorted(told[broadcast, chunk, attempt]))}"
        settled += prove_taken(database, broadcast, chunk, attempt, evidence=evidence, now=now)
    return settled
