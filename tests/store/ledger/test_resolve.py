"""Resolving what is unknown: by evidence, or by a person's word; nothing is resent by itself."""

from datetime import timedelta

import pytest

from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Outcome, Verdict
from newsletter.model.ledger import Entry, Resolution, UnknownChunk
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast, require_broadcast, resume_broadcast
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.resolve import prove_taken, resolve_chunk, unknown_chunks
from newsletter.store.ledger.status import tally_of
from tests.store.builders import NOW, add_people, claim, forget, freeze, hold, record, send_all, states

LATER = NOW + timedelta(hours=1)
TIMEOUT = Outcome(verdict=Verdict.UNKNOWN, reason="timeout")


def unclear(database: Database, chunk_size: int = 10) -> Broadcast:
    """A broadcast that is done, except that its first chunk is unknown."""
    broadcast = freeze(database, chunk_size=chunk_size)
    record(database, claim(database, broadcast), TIMEOUT)
    send_all(database, broadcast)
    return finish_if_done(database, broadcast.id, now=NOW)


def test_unknown_chunks_are_told_with_a_few_of_their_addresses(database: Database) -> None:
    add_people(database, 6)
    forget(database, "person00000@example.org")
    broadcast = hold(database, LATER, chunk_size=4)
    record(database, claim(database, broadcast, hold_within=timedelta(hours=1)), TIMEOUT)
    forget(database, "person00002@example.org")

    assert unknown_chunks(database, broadcast.id, sample=2) == (
        UnknownChunk(
            number=1,
            attempt=1,
            deliveries=4,
            since=NOW,
            reason="timeout",
            hold_until=LATER,
            sample=("person00001@example.org", "person00003@example.org"),
        ),
    )


def test_sample_is_of_the_chunk_alone(database: Database) -> None:
    add_people(database, 4)
    broadcast = unclear(database, chunk_size=2)

    (chunk,) = unknown_chunks(database, broadcast.id, sample=10)

    assert chunk.sample == ("person00000@example.org", "person00001@example.org")


def test_evidence_makes_a_chunk_accepted(database: Database) -> None:
    add_people(database, 2)
    broadcast = unclear(database)

    assert prove_taken(database, broadcast.id, 1, 1, evidence="delivered", now=LATER)
    assert not prove_taken(database, broadcast.id, 1, 1, evidence="delivered", now=LATER)

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2}
    last = journal_of(database, broadcast.id)[-1]
    assert (last.at, last.entry) == (LATER, Entry.RESOLVED)
    assert last.detail == "batch 1, 2 emails, unknown → accepted: delivered"
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE


@pytest.mark.parametrize(("chunk", "attempt"), [(1, 2), (2, 1), (9, 1)])
def test_only_an_unknown_chunk_of_the_same_attempt_is_settled(database: Database, chunk: int, attempt: int) -> None:
    add_people(database, 4)
    broadcast = unclear(database, chunk_size=2)

    assert not prove_taken(database, broadcast.id, chunk, attempt, evidence="delivered", now=NOW)
    for resolution in Resolution:
        assert not resolve_chunk(database, broadcast.id, chunk, attempt, resolution, detail="Ana", now=NOW)

    assert states(database, broadcast) == {ChunkState.UNKNOWN: 2, ChunkState.ACCEPTED: 2}


def test_what_a_person_takes_as_sent_is_accepted(database: Database) -> None:
    add_people(database, 2)
    broadcast = unclear(database)

    assert resolve_chunk(database, broadcast.id, 1, 1, Resolution.ASSUME_SENT, detail="Ana says so", now=LATER)

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2}
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE


def test_what_is_to_be_resent_waits_until_the_broadcast_is_resumed(database: Database) -> None:
    add_people(database, 4)
    broadcast = unclear(database, chunk_size=2)

    assert resolve_chunk(database, broadcast.id, 1, 1, Resolution.RESEND, detail="Ana says so", now=LATER)

    found = require_broadcast(database, broadcast.id)
    assert (found.state, found.reason, found.finished_at) == (
        BroadcastState.PAUSED,
        "some emails are waiting to be sent again; `newsletter resume` sends them",
        None,
    )
    assert send_all(database, broadcast) == []
    resume_broadcast(database, broadcast.id, now=LATER)
    chunk = claim(database, broadcast, now=LATER)
    assert (chunk.number, chunk.attempt, len(chunk.deliveries)) == (1, 2, 2)
    record(database, chunk)
    assert tally_of(database, broadcast.id).accepted == 4


def test_broadcast_that_is_paused_keeps_its_reason(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast), TIMEOUT)
    pause_broadcast(database, broadcast.id, "look at the key", now=NOW)

    resolve_chunk(database, broadcast.id, 1, 1, Resolution.RESEND, detail="Ana says so", now=LATER)

    assert require_broadcast(database, broadcast.id).reason == "look at the key"
