"""Uncertain email is settled by evidence or by a person, and by nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, Verdict
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import ClaimedChunk, Resolution, UnknownChunk
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.broadcasts import finish_if_done, require_broadcast
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.send.resolve import choose_chunks, reconcile, resolve_chunks
from tests.store.builders import NOW, add_people, claim, freeze, record
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier

LATER = NOW + timedelta(hours=1)
NO_ANSWER = Outcome(verdict=Verdict.UNKNOWN, reason="no answer")


@dataclass(slots=True)
class Log:
    """A provider's log that answers as scripted, and remembers what it was asked."""

    answers: dict[int, str | ProviderError] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """What the script says of this chunk."""
        self.asked.append((broadcast, chunk.number))
        answer = self.answers.get(chunk.number)
        if isinstance(answer, ProviderError):
            raise answer
        return answer


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with six people."""
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        add_people(opened, 6)
        yield opened


def lost(database: Database, requests: int = 3) -> tuple[Broadcast, list[ClaimedChunk]]:
    """A broadcast in requests of two, so many of which got no answer; the others were taken."""
    broadcast = freeze(database, chunk_size=2)
    chunks = [claim(database, broadcast) for _ in range(3)]
    for chunk in chunks[:requests]:
        record(database, chunk, NO_ANSWER)
    for chunk in chunks[requests:]:
        record(database, chunk)
    return finish_if_done(database, broadcast.id, now=NOW), chunks


def report(database: Database, chunk: ClaimedChunk, *, attempt: int | None = None) -> None:
    """The provider reports that it delivered one message of a request."""
    delivery = chunk.deliveries[0]
    add_events(
        database,
        [
            Event(
                at=datetime(2026, 2, 19, 8, 5, tzinfo=UTC),
                type=EventType.DELIVERED,
                broadcast=chunk.broadcast,
                nonce=require_broadcast(database, chunk.broadcast).nonce,
                chunk=chunk.number,
                attempt=chunk.attempt if attempt is None else attempt,
                subscriber=delivery.subscriber,
                detail="250 OK",
            )
        ],
    )


def test_one_event_proves_that_its_whole_request_was_taken(database: Database) -> None:
    broadcast, (first, *_) = lost(database)
    report(database, first)

    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    assert [proof.chunk.number for proof in found.proven] == [first.number]
    assert "delivered" in found.proven[0].evidence
    assert len(found.left) == 2
    assert (tally_of(database, broadcast.id).accepted, tally_of(database, broadcast.id).unknown) == (2, 4)


def test_an_event_of_another_attempt_proves_nothing_of_this_one(database: Database) -> None:
    broadcast, (first, *_) = lost(database)
    report(database, first, attempt=first.attempt + 1)

    assert reconcile(database, broadcast.id, Carrier(), now=LATER).proven == ()


def test_the_log_is_asked_for_what_no_event_proves(database: Database) -> None:
    broadcast, (first, second, third) = lost(database)
    report(database, first)
    log = Log({second.number: "the log names ana@example.org"})

    found = reconcile(database, broadcast.id, Carrier(message_log=log), now=LATER)

    assert log.asked == [(broadcast.mailing_id, second.number), (broadcast.mailing_id, third.number)]
    assert [proof.chunk.number for proof in found.proven] == [first.number, second.number]
    assert [chunk.number for chunk in found.left] == [third.number]
    assert found.notes == ()


def test_what_the_log_proved_is_kept_though_it_fails_afterwards(database: Database) -> None:
    broadcast, (first, second, _) = lost(database)
    log = Log({first.number: "the log names her", second.number: ProviderError("429 too many requests")})

    found = reconcile(database, broadcast.id, Carrier(message_log=log), now=LATER)

    assert [proof.chunk.number for proof in found.proven] == [first.number]
    assert found.notes == ("outbox could not be contacted: 429 too many requests",)
    assert tally_of(database, broadcast.id).accepted == 2


def test_another_provider_is_not_asked_about_mail_that_it_never_had(database: Database) -> None:
    broadcast, _ = lost(database)
    log = Log()

    found = reconcile(database, broadcast.id, Carrier(name="smtp", message_log=log), now=LATER)

    assert log.asked == []
    assert "outbox was not contacted" in found.notes[0]


def test_without_evidence_nothing_changes_however_often_it_is_looked_for(database: Database) -> None:
    broadcast, _ = lost(database)
    before = tally_of(database, broadcast.id), journal_of(database, broadcast.id)

    for _ in range(3):
        found = reconcile(database, broadcast.id, Carrier(message_log=Log()), now=LATER)

    assert (tally_of(database, broadcast.id), journal_of(database, broadcast.id)) == before
    assert sum(chunk.deliveries for chunk in found.left) == 6


def test_a_provider_that_cannot_be_opened_is_a_note(database: Database) -> None:
    broadcast, (first, *_) = lost(database)
    report(database, first)

    found = reconcile(database, broadcast.id, None, now=LATER, notes=["the key is missing"])

    assert (len(found.proven), found.notes) == (1, ("the key is missing",))


def test_what_a_dead_process_was_handing_over_is_among_the_unknown(database: Database) -> None:
    broadcast = freeze(database, chunk_size=2)
    chunk = claim(database, broadcast)

    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    assert [left.number for left in found.left] == [chunk.number]
    assert found.left[0].sample == tuple(delivery.email for delivery in chunk.deliveries)


def test_what_is_to_be_resent_waits_for_resume(database: Database) -> None:
    broadcast, _ = lost(database, requests=2)
    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    count = resolve_chunks(
        database, broadcast.id, choose_chunks(found, ()), Resolution.RESEND, because="they wrote to us", now=LATER
    )

    tally, after = tally_of(database, broadcast.id), require_broadcast(database, broadcast.id)
    assert (count, tally.waiting, tally.accepted, tally.unknown) == (4, 4, 2, 0)
    assert after.state is BroadcastState.PAUSED
    assert tally.adds_up
    assert any("they wrote to us" in entry.detail for entry in journal_of(database, broadcast.id))


def test_what_is_assumed_to_be_sent_is_accepted_and_done(database: Database) -> None:
    broadcast, chunks = lost(database)
    found = reconcile(database, broadcast.id, Carrier(), now=LATER)
    chosen = choose_chunks(found, [chunks[1].number])

    assert resolve_chunks(database, broadcast.id, chosen, Resolution.ASSUME_SENT, because=" ", now=LATER) == 2

    tally = tally_of(database, broadcast.id)
    assert (tally.accepted, tally.unknown) == (2, 4)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE
    assert "no reason given" in journal_of(database, broadcast.id)[-1].detail


def test_of_a_broadcast_that_is_over_nothing_is_sent_again(database: Database) -> None:
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast), NO_ANSWER)
    begin_cancel(database, broadcast.id, now=NOW)
    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    resolve_chunks(database, broadcast.id, found.left, Resolution.RESEND, because="", now=LATER)

    tally = tally_of(database, broadcast.id)
    assert found.is_over
    assert (tally.cancelled, tally.waiting, tally.unknown) == (6, 0, 0)


def test_a_decision_does_not_undo_what_was_proven_while_somebody_thought(database: Database) -> None:
    broadcast, (first, *_) = lost(database, requests=1)
    shown = reconcile(database, broadcast.id, Carrier(), now=LATER)
    report(database, first)
    reconcile(database, broadcast.id, Carrier(), now=LATER)

    assert resolve_chunks(database, broadcast.id, shown.left, Resolution.RESEND, because="", now=LATER) == 0

    assert tally_of(database, broadcast.id).accepted == 6


def test_only_what_is_unknown_can_be_decided_about(database: Database) -> None:
    broadcast, chunks = lost(database, requests=1)
    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    with pytest.raises(InputError, match=f"batch 99 is not unconfirmed; .* {chunks[0].number}"):
        choose_chunks(found, [99])


def test_a_chunk_that_was_just_proven_needs_no_decision(database: Database) -> None:
    broadcast, (first, *_) = lost(database, requests=2)
    report(database, first)

    found = reconcile(database, broadcast.id, Carrier(), now=LATER)

    assert choose_chunks(found, [first.number]) == ()
