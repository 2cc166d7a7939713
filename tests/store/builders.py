"""People, segments, variants and broadcasts for the tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from newsletter.model.audience import ImportReport, ImportRow
from newsletter.model.broadcast import Broadcast, Envelope, Outcome, Verdict, Waiver
from newsletter.model.ledger import ClaimedChunk, FreezeRequest
from newsletter.model.merge import Escape, MergeField, Slot, Template
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.segment import All, Condition, Segment
from newsletter.store.database import Database
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.record import record_outcome
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import find_subscriber

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
ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, message_id="m1")


def add(database: Database, *rows: ImportRow) -> ImportReport:
    numbered = [row._replace(line=line) for line, row in enumerate(rows, start=2)]
    return merge_subscribers(database, numbered, now=NOW)


def add_people(database: Database, count: int, *, tags: tuple[str, ...] = (), prefix: str = "person") -> None:
    add(database, *(ImportRow(0, f"{prefix}{number:05}@example.org", tags=tags) for number in range(count)))


def id_of(database: Database, email: str) -> int:
    subscriber = find_subscriber(database, email)
    assert subscriber is not None
    return subscriber.id


def segment(name: str, condition: Condition) -> Segment:
    return Segment(name=name, expression=name, condition=condition)


def variant(*segments: str) -> RenderedVariant:
    slots = (Slot(MergeField("first_name", "Friends"), Escape.HTML), Slot(MergeField("country"), Escape.TEXT))
    return RenderedVariant(
        segments=frozenset(segments),
        language="en",
        subject=Template(("Hello",)),
        preheader=Template(("Dear ", ""), (0,)),
        html=Template(("<p>Dear ", f" 💗 {sorted(segments)} from ", "</p>"), (0, 1)),
        text=Template(("plain",)),
        slots=slots,
        pictures=(
            Picture(name="a-1.png", content_type="image/png", content=b"\x89PNG\0", width=3, height=4),
            Picture(name=f"{len(segments)}.png", content_type="image/png", content=b"x", width=1, height=2),
        ),
    )


def request(issue: str = "2026-02", to: Segment = EVERYONE, only: Sequence[Segment] = ()) -> FreezeRequest:
    return FreezeRequest(
        issue=issue,
        segment=to,
        only=tuple(only),
        provider="outbox",
        content_hash="abc",
        envelope=ENVELOPE,
        waivers=(Waiver(rule="links", because="the page opens tomorrow"),),
    )


def freeze(
    database: Database,
    issue: str = "2026-02",
    *,
    to: Segment = EVERYONE,
    only: Sequence[Segment] = (),
    chunk_size: int = 10,
) -> Broadcast:
    variants = {frozenset[str](): variant()}
    for each in only:
        variants |= {names | {each.name}: variant(*names, each.name) for names in list(variants)}
    return freeze_broadcast(database, request(issue, to, only), variants, chunk_size=chunk_size, now=NOW)


def claim(database: Database, broadcast: Broadcast, fields: Sequence[str] = (), runner: str = "") -> ClaimedChunk:
    chunk = claim_chunk(database, broadcast.id, runner, fields, now=NOW)
    assert chunk is not None
    return chunk


def record(database: Database, chunk: ClaimedChunk, outcome: Outcome = ACCEPTED) -> None:
    record_outcome(database, chunk.broadcast, chunk.number, outcome, now=NOW)


def send_all(database: Database, broadcast: Broadcast) -> list[str]:
    """The addresses in the order in which they were claimed; every chunk is accepted."""
    emails = []
    while chunk := claim_chunk(database, broadcast.id, "", (), now=NOW):
        emails += [delivery.email for delivery in chunk.deliveries]
        record(database, chunk)
    return emails
