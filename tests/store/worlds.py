"""Made-up audiences with a past, written into a database as the product itself writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.event import EventType
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.segment import Deed
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, at, event_of, freeze, row
from tests.store.plain_segments import Person

ISSUES = ("2026-01", "2026-02")
TOPICS = ("events", "news")
MOMENTS = tuple(NOW + timedelta(hours=hours) for hours in (-4800, -2160, -24, -1, 0, 1, 30))
_TABLES = (
    "reaction event delivery chunk settlement variant picture journal broadcast_topic broadcast past_consent "
    "suppression past_suppression soft_bounce subscriber tag attribute import import_change import_suppression "
    "import_return left_since_import forgotten forgotten_key"
)
_DEEDS = {EventType.OPENED: Deed.OPENED, EventType.CLICKED: Deed.CLICKED}


def clear(database: Database) -> None:
    """Empty the database, so that one serves for many made-up audiences."""
    with database.transaction() as connection:
        for table in _TABLES.split():
            connection.execute(f"DELETE FROM {table}", {})


people = st.fixed_dictionaries(
    {
        "language": st.sampled_from(("", "en", "es")),
        "tags": st.sets(st.sampled_from(("teacher", "donor"))).map(lambda tags: tuple(sorted(tags))),
        "joined_at": st.sampled_from(MOMENTS[:5]),
        "consented_at": st.none() | st.sampled_from(MOMENTS[:5]),
        "consent_confirmed_at": st.none() | st.sampled_from(MOMENTS[:5]),
        "attributes": st.dictionaries(
            st.sampled_from(("gifts", "country")), st.sampled_from(("7", "95", "100", "US", "1e3")), max_size=2
        ),
    }
)
verdicts = st.sampled_from((Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNKNOWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A broadcast, by the states of its chunks in order. All further chunks were never claimed."""

    issue: str
    sent_at: datetime
    chunk_size: int
    verdicts: Sequence[Verdict]
    held_for: timedelta | None  # how long the provider was asked to keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """People, what they were sent, what they did with it, and what they left: all named by number."""

    people: Sequence[dict[str, object]]
    broadcasts: Sequence[Sent]
    events: Sequence[tuple[int, int, EventType, datetime]]  # of which broadcast and person
    left: Sequence[tuple[int, str]]  # who left which topic


worlds = st.builds(
    World,
    people=st.lists(people, min_size=1, max_size=5),
    broadcasts=st.lists(
        st.builds(
            Sent,
            issue=st.sampled_from(ISSUES),
            sent_at=st.sampled_from(MOMENTS[:5]),
            chunk_size=st.integers(1, 3),
            verdicts=st.lists(verdicts, max_size=3),
            held_for=st.none() | st.just(timedelta(hours=30)),
        ),
        max_size=2,
        unique_by=lambda sent: sent.issue,
    ),
    events=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 4),
            st.sampled_from((EventType.OPENED, EventType.CLICKED, EventType.DELIVERED)),
            st.sampled_from(MOMENTS),
        ),
        max_size=8,
    ),
    left=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(TOPICS)), max_size=4),
)


def write_world(database: Database, world: World) -> dict[str, Person]:
    """Writes a world into a database that held another; the people by their addresses."""
    clear(database)
    known = {
        f"person{number}@example.org": Person(
            record=row(f"person{number}@example.org", consent_basis="they are members", **fields)
        )
        for number, fields in enumerate(world.people)
    }
    add(database, *(person.record for person in known.values()))
    emails = list(known)
    for number, topic in world.left:
        if number < len(emails):
            known[emails[number]].left.add(topic)
    leavings = [(email, topic) for email, person in known.items() for topic in sorted(person.left)]
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tracking_consented_at = '2000-01-01T00:00:00Z'", {})
        for email, topic in leavings:
            connection.execute(
                "INSERT INTO suppression (person, topic, email, reason, detail, created_at) "
                "VALUES (:email, :topic, :email, 'unsubscribed', '', :now)",
                {"email": email, "topic": topic, "now": text_of(NOW)},
            )
    for number, sent in enumerate(world.broadcasts):
        events = [event for event in world.events if event[0] == number and event[1] < len(emails)]
        _send(database, sent, known, [(emails[who], type_, moment) for _, who, type_, moment in events])
    return known


def _send(
    database: Database, sent: Sent, known: dict[str, Person], events: Sequence[tuple[str, EventType, datetime]]
) -> None:
    due_at = sent.sent_at + sent.held_for if sent.held_for else None
    broadcast = freeze(
        database,
        sent.issue,
        chunk_size=sent.chunk_size,
        schedule=at(due_at) if due_at else None,
        now=sent.sent_at - timedelta(hours=1),
    )
    for verdict in sent.verdicts:
        chunk = claim_chunk(database, broadcast.id, "", (), now=sent.sent_at, hold_within=sent.held_for)
        if not isinstance(chunk, ClaimedChunk):
            break
        record_outcome(database, chunk, Outcome(verdict=verdict), now=sent.sent_at)
        if verdict is Verdict.ACCEPTED:
            for delivery in chunk.deliveries:
                known[delivery.email].deeds.append((Deed.RECEIVED, sent.issue, due_at or sent.sent_at))
    for email, type_, moment in events:
        if type_ in _DEEDS:
            known[email].deeds.append((_DEEDS[type_], sent.issue, moment))
    add_events(
        database,
        [event_of(database, broadcast, email, type_, moment) for email, type_, moment in events],
    )
