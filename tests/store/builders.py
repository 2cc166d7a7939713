"""People, segments, variants and broadcasts for the tests."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from newsletter.lists.exports import batch_of
from newsletter.model.axes import Axis, fullest_readership, language_axis, mailbox_axis, only_axis
from newsletter.model.broadcast import (
    Broadcast,
    BroadcastKind,
    ChunkState,
    Envelope,
    Outcome,
    Schedule,
    Verdict,
    Waiver,
)
from newsletter.model.columns import SubscriberRecord
from newsletter.model.event import Event, EventType
from newsletter.model.imports import ImportReport
from newsletter.model.ledger import ClaimedChunk, FreezeRequest
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import HIDDEN, MAILBOX, ONLY, SHOWN, Readership
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.segment import All, Condition, Segment
from newsletter.model.slot_sources import Column
from newsletter.model.slots import Escape, Slot, Template
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.forgotten import forget_person
from newsletter.store.ledger.broadcasts import start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.recall import keep_batch
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.status import chunk_summaries
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import find_subscriber
from newsletter.system.moments import text_of
from newsletter.workflows.events.judge import judge_reactions

KEY = b"a key of thirty-two bytes, or so"
NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
EVERYONE = Segment(name="everyone", expression="everyone", condition=All())
ENVELOPE = Envelope(
    from_name="Ana Lima",
    from_email="news@example.org",
    reply_to="ana@example.org",
    list_name="News",
    list_id="news.example.org",
    service_url="https://news.example.org",
)
MARGIN = timedelta(minutes=10)
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, message_id="m1")


def row(email: str, **fields: Any) -> SubscriberRecord:
    """A person with a consent, unless the fields say otherwise."""
    return SubscriberRecord(**{"email": email, "consented_at": NOW, "consent_source": "website form", **fields})


def add(database: Database, *people: SubscriberRecord) -> ImportReport:
    return merge_subscribers(database, [batch_of(people)], now=NOW)


def forget(database: Database, email: str) -> bool:
    return forget_person(database, email, key=KEY, now=NOW)


def add_people(database: Database, count: int, *, tags: tuple[str, ...] = (), prefix: str = "person") -> None:
    add(database, *(row(f"{prefix}{number:05}@example.org", tags=tags) for number in range(count)))


def id_of(database: Database, email: str) -> int:
    subscriber = find_subscriber(database, email)
    assert subscriber is not None
    return subscriber.id


def event_of(
    database: Database, broadcast: Broadcast, email: str, type_: EventType, moment: datetime, *, detail: str = ""
) -> Event:
    """What a provider reports about the email to one person in the first chunk of a broadcast."""
    subscriber = id_of(database, email)
    return Event(
        at=moment,
        type=type_,
        broadcast=broadcast.id,
        nonce=broadcast.nonce,
        chunk=1,
        attempt=1,
        subscriber=subscriber,
        detail=detail,
    )


def agree_to_tracking(database: Database, email: str, *, since: datetime = datetime(2000, 1, 1, tzinfo=UTC)) -> None:
    with database.transaction() as connection:
        agreed = {"since": text_of(since), "subscriber": id_of(database, email)}
        connection.execute("UPDATE subscriber SET tracking_consented_at = :since WHERE id = :subscriber", agreed)


def all_agree_to_tracking(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z'", {})


def react(database: Database, broadcast: Broadcast, email: str, type_: EventType, moment: datetime) -> None:
    agree_to_tracking(database, email)
    assert add_events(database, [event_of(database, broadcast, email, type_, moment)]) == 1
    judge_reactions(database, now=moment + timedelta(hours=1))


def send_at(database: Database, issue: str, moment: datetime) -> Broadcast:
    """A broadcast to everyone that the provider accepted at that moment."""
    broadcast = freeze(database, issue, chunk_size=1000, now=moment)
    record_outcome(database, claim(database, broadcast, now=moment), ACCEPTED, now=moment)
    return broadcast


def segment(name: str, condition: Condition) -> Segment:
    return Segment(name=name, expression=name, condition=condition)


def axes(only: Sequence[Segment] = (), *, by_mailbox: bool = False) -> tuple[Axis, ...]:
    """The axes of an issue in English with sections for segments alone, and perhaps steps for each one's mailbox."""
    by_own = [mailbox_axis()] if by_mailbox else []
    return (*(only_axis(each.name) for each in only), *by_own, language_axis(("en",)))


def readership(*shown: str, only: Sequence[Segment] = (), mailbox: MailboxProvider | None = None) -> Readership:
    """Those who see the sections for the segments `shown`, of the segments `only`, at a mailbox provider."""
    found = fullest_readership(axes(only, by_mailbox=mailbox is not None))
    for each in only:
        found = found.having(f"{ONLY}{each.name}", SHOWN if each.name in shown else HIDDEN)
    return found.having(MAILBOX, mailbox or "")


def variant(of: Readership | None = None) -> RenderedVariant:
    of = readership() if of is None else of
    slots = (Slot(Column("first_name", "Friends"), Escape.HTML), Slot(Column("country"), Escape.TEXT))
    return RenderedVariant(
        readership=of,
        language="en",
        subject=Template(("Hello",)),
        preheader=Template(("Dear ", ""), (0,)),
        html=Template(("<p>Dear ", f" 💗 {of.label} from ", "</p>"), (0, 1)),
        text=Template(("plain",)),
        slots=slots,
        pictures=(
            Picture(name="a-1.png", content_type="image/png", content=b"\x89PNG\0", width=3, height=4),
            Picture(name=f"{len(of.segments)}.png", content_type="image/png", content=b"x", width=1, height=2),
        ),
    )


def variants(axes: Iterable[Axis]) -> list[RenderedVariant]:
    """One variant for each combination of the values of the axes."""
    named = [[(axis.name, value) for value in axis.values] for axis in axes]
    return [variant(Readership(values)) for values in product(*named)]


def request(
    issue: str = "2026-02",
    to: Segment = EVERYONE,
    only: Sequence[Segment] = (),
    schedule: Schedule | None = None,
    provider: str = "outbox",
    topics: Sequence[str] = (),
    by_mailbox: bool = False,
    kind: BroadcastKind = BroadcastKind.ISSUE,
) -> FreezeRequest:
    return FreezeRequest(
        issue=issue,
        segment=to,
        axes=axes(only, by_mailbox=by_mailbox),
        only={each.name: each.condition for each in only},
        provider=provider,
        content_hash="abc" if issue == "2026-02" else f"abc of {issue}",
        kind=kind,
        envelope=ENVELOPE,
        waivers=(Waiver(rule="links", because="the page opens tomorrow"),),
        schedule=schedule,
        topics=tuple(topics),
    )


def at(moment: datetime) -> Schedule:
    """Everyone at the same moment."""
    return Schedule(wall_time=moment.astimezone(UTC).replace(tzinfo=None), zone="UTC")


def by_own_clock(hour: int) -> Schedule:
    """Everyone at an hour of the day of NOW, in their own time zone, or in London's if theirs is unknown."""
    return Schedule(wall_time=NOW.replace(tzinfo=None, hour=hour), zone="Europe/London", is_local_time=True)


def freeze(
    database: Database,
    issue: str = "2026-02",
    *,
    to: Segment = EVERYONE,
    only: Sequence[Segment] = (),
    chunk_size: int = 10,
    schedule: Schedule | None = None,
    provider: str = "outbox",
    topics: Sequence[str] = (),
    by_mailbox: bool = False,
    kind: BroadcastKind = BroadcastKind.ISSUE,
    now: datetime = NOW,
) -> Broadcast:
    made_from = request(issue, to, only, schedule, provider, topics, by_mailbox, kind)
    return freeze_broadcast(database, made_from, variants(made_from.axes), chunk_size=chunk_size, now=now)


def hold(
    database: Database, due_at: datetime, *, issue: str = "2026-02", chunk_size: int = 10, batch_id: str = "batch"
) -> Broadcast:
    """A running broadcast to everyone, for the provider to hold until a moment. No chunk is claimed yet."""
    broadcast = freeze(database, issue, schedule=at(due_at), chunk_size=chunk_size)
    if batch_id:
        keep_batch(database, broadcast.id, batch_id, due_at=due_at, margin=MARGIN, now=NOW)
    return start_scheduled(database, broadcast.id, now=NOW)


def claim(
    database: Database,
    broadcast: Broadcast,
    fields: Sequence[str] = (),
    runner: str = "",
    *,
    now: datetime = NOW,
    hold_within: timedelta | None = None,
) -> ClaimedChunk:
    chunk = claim_chunk(database, broadcast.id, runner, fields, now=now, hold_within=hold_within)
    assert isinstance(chunk, ClaimedChunk), chunk
    return chunk


def record(database: Database, chunk: ClaimedChunk, outcome: Outcome = ACCEPTED) -> None:
    record_outcome(database, chunk, outcome, now=NOW)


def send_all(database: Database, broadcast: Broadcast) -> list[str]:
    """The addresses in the order in which they were claimed; every chunk is accepted."""
    emails = []
    while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW), ClaimedChunk):
        emails += [delivery.email for delivery in chunk.deliveries]
        record(database, chunk)
    return emails


def states(database: Database, broadcast: Broadcast) -> dict[ChunkState, int]:
    """How many deliveries are in chunks of each state."""
    counts: Counter[ChunkState] = Counter()
    for summary in chunk_summaries(database, broadcast.id):
        counts[summary.state] += summary.deliveries
    return dict(counts)
