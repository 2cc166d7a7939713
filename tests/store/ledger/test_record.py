"""Recording outcomes: the new state of each delivery, of the chunk and of the broadcast."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError, StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus, NextStep, Outcome, Verdict
from newsletter.model.ledger import ChunkSummary, PastDelivery, Resolution, SettledCount, UnknownDelivery
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast, require_broadcast, resume_broadcast
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import settle_recall
from newsletter.store.ledger.record import adopt_orphans, record_outcome
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of, unknown_deliveries
from newsletter.store.subscribers import find_subscriber, history
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.store.builders import NOW, add_people, claim, freeze, hold, id_of, record, send_all, states

LATER = NOW + timedelta(minutes=5)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdict_becomes_the_state_of_the_chunk(database: Database, verdict: Verdict) -> None:
    add_people(database, 3)
    broadcast = freeze(database)

    record(database, claim(database, broadcast), Outcome(verdict=verdict, reason="so it is"))

    assert chunk_summaries(database, broadcast.id) == (
        ChunkSummary(state=ChunkState(verdict.value), reason="so it is", chunks=1, deliveries=3),
    )


def test_invalid_deliveries_are_settled_with_their_reason(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    bad = chunk.deliveries[1]

    record(database, chunk, Outcome(verdict=Verdict.READY, invalid={bad.subscriber: "mailbox full"}))

    assert settled_counts(database, broadcast.id) == (
        SettledCount(status=DeliveryStatus.INVALID, reason="mailbox full", deliveries=1),
    )
    assert bad.email not in send_all(database, broadcast)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (SuppressionReason.UNSUBSCRIBED, SuppressionReason.INVALID),
        (SuppressionReason.IN_DOUBT, SuppressionReason.INVALID),
        (SuppressionReason.MANUAL, SuppressionReason.MANUAL),
    ],
)
def test_an_address_that_does_not_exist_is_known_as_that_whatever_was_known_before(
    database: Database, known: SuppressionReason, expected: SuppressionReason
) -> None:
    add_people(database, 1)
    chunk = claim(database, freeze(database))
    (dead,) = chunk.deliveries
    add_suppression(database, dead.email, known, now=NOW - timedelta(days=1))
    refused = {dead.subscriber: "550 no such user"}
    outcome = Outcome(verdict=Verdict.ACCEPTED, invalid=refused, undeliverable=frozenset(refused))

    record(database, chunk, outcome)

    found = find_suppression(database, dead.email)
    assert found is not None
    assert found.reason is expected


def test_an_address_that_does_not_exist_is_suppressed_with_the_consent_that_is_on_record(database: Database) -> None:
    add_people(database, 1)
    chunk = claim(database, freeze(database))
    (dead,) = chunk.deliveries
    refused = {dead.subscriber: "550 no such user"}

    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid=refused, undeliverable=frozenset(refused)))

    found, subscriber = find_suppression(database, dead.email), find_subscriber(database, dead.email)
    assert found is not None
    assert subscriber is not None
    assert found.consent_on_record == subscriber.record.consented_at


def test_only_an_undeliverable_address_is_suppressed(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    dead, full, well = chunk.deliveries

    refusals = {dead.subscriber: "no such mailbox", full.subscriber: "mailbox full"}
    undeliverable = frozenset({dead.subscriber, well.subscriber})  # of whom only those count who are invalid
    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid=refusals, undeliverable=undeliverable))

    suppression = find_suppression(database, dead.email)
    assert suppression is not None
    assert suppression.reason is SuppressionReason.INVALID
    assert find_suppression(database, full.email) is None
    assert find_suppression(database, well.email) is None
    assert tally_of(database, broadcast.id).invalid == 2


def test_named_deliveries_go_where_the_outcome_says(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    ids = [delivery.subscriber for delivery in chunk.deliveries]

    outcome = Outcome(
        verdict=Verdict.ACCEPTED,
        reason="lost the connection",
        invalid={ids[0]: "refused"},
        unsent=frozenset({ids[2], ids[4]}),
        uncertain={ids[5]: "lost the connection"},
    )
    record(database, chunk, outcome)

    tally = tally_of(database, broadcast.id)
    assert (tally.accepted, tally.invalid, tally.waiting, tally.unknown) == (2, 1, 2, 1)
    retried = claim(database, broadcast)
    assert [delivery.subscriber for delivery in retried.deliveries] == [ids[2], ids[4]]
    assert retried.attempt == 2
    assert list(unknown_deliveries(database, broadcast.id)) == [
        UnknownDelivery(email="person00005@example.org", chunk=2, since=NOW, reason="lost the connection")
    ]


def test_delivery_named_twice_counts_as_the_more_careful(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    one, other = (delivery.subscriber for delivery in chunk.deliveries)

    outcome = Outcome(
        verdict=Verdict.READY,
        invalid={one: "refused", other: "refused"},
        unsent=frozenset({one, other}),
        uncertain={one: "lost"},
    )
    record(database, chunk, outcome)

    tally = tally_of(database, broadcast.id)
    assert (tally.unknown, tally.invalid, tally.waiting) == (1, 1, 0)
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None


def test_delivery_of_another_chunk_is_left_alone(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    chunk, another = claim(database, broadcast), claim(database, broadcast)
    strangers = {delivery.subscriber: "refused" for delivery in another.deliveries}

    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid=strangers, unsent=frozenset(strangers)))

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2, ChunkState.INFLIGHT: 2}


def test_chunk_too_large_is_halved(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database)
    too_large = Outcome(verdict=Verdict.READY, next_step=NextStep.SPLIT, reason="too large")

    record(database, claim(database, broadcast), too_large)

    one, other = claim(database, broadcast), claim(database, broadcast)
    assert (len(one.deliveries), len(other.deliveries)) == (2, 3)
    assert (one.attempt, other.attempt) == (2, 2)
    assert not {each.subscriber for each in one.deliveries} & {each.subscriber for each in other.deliveries}


def test_single_message_too_large_stops_the_broadcast(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    too_large = Outcome(verdict=Verdict.READY, next_step=NextStep.SPLIT, reason="too large")

    record(database, claim(database, broadcast), too_large)

    assert require_broadcast(database, broadcast.id).state is BroadcastState.STOPPED
    assert states(database, broadcast) == {ChunkState.REJECTED: 1, ChunkState.CANCELLED: 2}


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.UNKNOWN])
def test_what_may_have_been_taken_is_never_halved(database: Database, verdict: Verdict) -> None:
    add_people(database, 4)
    broadcast = freeze(database)

    record(database, claim(database, broadcast), Outcome(verdict=verdict, next_step=NextStep.SPLIT))

    assert tally_of(database, broadcast.id).waiting == 0


def test_pause_holds_the_broadcast_back_with_the_reason(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)

    record(
        database,
        claim(database, broadcast),
        Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="401 the key is wrong"),
    )

    found = require_broadcast(database, broadcast.id)
    assert (found.state, found.reason) == (BroadcastState.PAUSED, "401 the key is wrong")
    assert tally_of(database, broadcast.id).waiting == 2
    assert resume_broadcast(database, broadcast.id, now=NOW).state is BroadcastState.RUNNING


def test_stop_cancels_whatever_has_not_left(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=2)
    first, second = claim(database, broadcast), claim(database, broadcast)

    stop = Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="400 no subject")
    record_outcome(database, first, stop, now=LATER)

    found = require_broadcast(database, broadcast.id)
    assert (found.state, found.reason, found.finished_at) == (BroadcastState.STOPPED, "400 no subject", LATER)
    assert states(database, broadcast) == {
        ChunkState.REJECTED: 2,
        ChunkState.INFLIGHT: 2,
        ChunkState.CANCELLED: 2,
    }

    record(database, second, Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="another"))

    assert states(database, broadcast) == {ChunkState.REJECTED: 2, ChunkState.CANCELLED: 4}
    assert {each.reason for each in chunk_summaries(database, broadcast.id) if each.state is ChunkState.CANCELLED} == {
        "the broadcast was stopped: 400 no subject"
    }
    assert require_broadcast(database, broadcast.id).reason == "400 no subject"
    with pytest.raises(InputError, match="was stopped"):
        resume_broadcast(database, broadcast.id, now=NOW)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(verdict=Verdict.ACCEPTED),
        Outcome(verdict=Verdict.UNKNOWN, reason="timeout"),
        Outcome(verdict=Verdict.READY, reason="try again", next_step=NextStep.WAIT),
        Outcome(verdict=Verdict.READY, reason="too large", next_step=NextStep.SPLIT),
        Outcome(verdict=Verdict.REJECTED, reason="no subject", next_step=NextStep.STOP),
    ],
    ids=lambda outcome: f"{outcome.verdict}, {outcome.next_step}",
)
def test_outcome_that_is_told_twice_changes_nothing_more(database: Database, outcome: Outcome) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    chunk = claim(database, broadcast)
    record(database, chunk, outcome)
    before = chunk_summaries(database, broadcast.id), journal_of(database, broadcast.id)

    record_outcome(database, chunk, outcome, now=LATER)

    assert (chunk_summaries(database, broadcast.id), journal_of(database, broadcast.id)) == before


def test_outcome_with_names_that_is_told_twice_changes_nothing_more(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    ids = [delivery.subscriber for delivery in chunk.deliveries]
    outcome = Outcome(
        verdict=Verdict.UNKNOWN,
        reason="lost",
        invalid={ids[0]: "refused"},
        unsent=frozenset({ids[1]}),
        uncertain={ids[2]: "lost"},
    )
    record(database, chunk, outcome)
    before = chunk_summaries(database, broadcast.id), settled_counts(database, broadcast.id)

    record(database, chunk, outcome)

    assert (chunk_summaries(database, broadcast.id), settled_counts(database, broadcast.id)) == before


def test_outcome_of_an_earlier_attempt_is_no_news(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    first = claim(database, broadcast)
    record(database, first, Outcome(verdict=Verdict.READY))
    second = claim(database, broadcast)

    record(database, first)

    assert states(database, broadcast) == {ChunkState.INFLIGHT: 1}
    record(database, second)
    assert states(database, broadcast) == {ChunkState.ACCEPTED: 1}


def test_outcome_of_a_chunk_that_is_not_there_is_an_error(database: Database) -> None:
    add_people(database, 1)
    chunk = claim(database, freeze(database))

    with pytest.raises(StoreError, match="batch 99 of broadcast 1 is missing"):
        record(database, replace(chunk, number=99))


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.READY])
def test_outcome_that_comes_after_the_chunk_became_unknown_counts(database: Database, verdict: Verdict) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    with database.runner() as dead:
        chunk = claim(database, broadcast, runner=dead.id)
    adopt_orphans(database, broadcast.id, now=NOW)
    assert states(database, broadcast) == {ChunkState.UNKNOWN: 2}

    record(database, chunk, Outcome(verdict=verdict))

    assert states(database, broadcast) == {ChunkState(verdict.value): 2}


def test_what_comes_back_after_the_broadcast_was_done_waits_for_a_person(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    with database.runner() as dead:
        chunk = claim(database, broadcast, runner=dead.id)
    adopt_orphans(database, broadcast.id, now=NOW)
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE

    record(database, chunk, Outcome(verdict=Verdict.READY))

    found = require_broadcast(database, broadcast.id)
    assert (found.state, found.finished_at) == (BroadcastState.PAUSED, None)
    assert found.reason.startswith("some emails turned out not to have been sent; ")
    resume_broadcast(database, broadcast.id, now=NOW)
    assert len(send_all(database, broadcast)) == 2


def test_what_was_to_be_resent_and_was_taken_after_all_is_not_resent(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    with database.runner() as dead:
        chunk = claim(database, broadcast, runner=dead.id)
    adopt_orphans(database, broadcast.id, now=NOW)
    assert resolve_chunk(database, broadcast.id, 1, 1, Resolution.RESEND, detail="Ana says so", now=NOW)

    record(database, chunk)

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2}
    assert send_all(database, broadcast) == []


@pytest.mark.parametrize(
    "outcome", [Outcome(verdict=Verdict.READY), Outcome(verdict=Verdict.READY, next_step=NextStep.SPLIT)]
)
def test_what_comes_back_to_a_cancelled_broadcast_is_cancelled(database: Database, outcome: Outcome) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    chunk = claim(database, broadcast)
    begin_cancel(database, broadcast.id, now=NOW)
    assert states(database, broadcast) == {ChunkState.INFLIGHT: 2, ChunkState.CANCELLED: 2}

    record(database, chunk, outcome)

    assert states(database, broadcast) == {ChunkState.CANCELLED: 4}
    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED


def test_what_was_taken_while_a_broadcast_was_cancelled_is_accepted(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    begin_cancel(database, broadcast.id, now=NOW)

    stop = Outcome(
        verdict=Verdict.ACCEPTED, unsent=frozenset({chunk.deliveries[0].subscriber}), next_step=NextStep.STOP
    )
    record(database, chunk, stop)

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2, ChunkState.CANCELLED: 1}
    assert require_broadcast(database, broadcast.id).state is BroadcastState.CANCELLING


def test_chunk_of_a_dead_runner_becomes_unknown_and_is_not_sent_again(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    with database.runner() as dead:
        claim(database, broadcast, runner=dead.id)

    with database.runner() as living:
        chunk = claim(database, broadcast, runner=living.id)
        assert adopt_orphans(database, broadcast.id, now=LATER) == 1
        record(database, chunk)

    assert adopt_orphans(database, broadcast.id, now=LATER) == 0
    tally = tally_of(database, broadcast.id)
    assert (tally.unknown, tally.accepted, tally.waiting) == (2, 2, 0)
    orphans = list(unknown_deliveries(database, broadcast.id))
    assert [orphan.email for orphan in orphans] == ["person00000@example.org", "person00001@example.org"]
    assert {(orphan.chunk, orphan.since) for orphan in orphans} == {(1, LATER)}
    assert "the program ended" in orphans[0].reason


def test_broadcast_is_done_when_nothing_is_ready_or_inflight(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database, chunk_size=1)
    record(database, claim(database, broadcast))
    assert finish_if_done(database, broadcast.id, now=LATER).state is BroadcastState.RUNNING
    chunk = claim(database, broadcast)
    assert finish_if_done(database, broadcast.id, now=LATER).state is BroadcastState.RUNNING

    record(database, chunk, Outcome(verdict=Verdict.UNKNOWN))
    done = finish_if_done(database, broadcast.id, now=LATER)

    assert (done.state, done.finished_at) == (BroadcastState.DONE, LATER)
    with pytest.raises(InputError, match="is done"):
        resume_broadcast(database, broadcast.id, now=NOW)
    assert pause_broadcast(database, broadcast.id, "late", now=NOW).state is BroadcastState.DONE


def test_history_tells_what_became_of_each_broadcast(database: Database) -> None:
    add_people(database, 2)
    sent, failed = freeze(database, "2026-01"), freeze(database, "2026-02")
    one = id_of(database, "person00000@example.org")
    send_all(database, sent)
    record_outcome(
        database,
        claim(database, failed),
        Outcome(verdict=Verdict.UNKNOWN, reason="timeout", invalid={one: "no mailbox"}),
        now=LATER,
    )

    assert history(database, one) == (
        PastDelivery(broadcast=failed.id, issue="2026-02", status="invalid", at=LATER, reason="no mailbox"),
        PastDelivery(broadcast=sent.id, issue="2026-01", status="accepted", at=NOW, reason=""),
    )
    other = history(database, id_of(database, "person00001@example.org"))
    assert [(past.status, past.reason) for past in other] == [("unknown", "timeout"), ("accepted", "")]


def test_what_was_given_up_with_its_broadcast_and_was_taken_after_all_counts_as_accepted(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = claim(database, broadcast)
    begin_cancel(database, broadcast.id, now=NOW)
    adopt_orphans(database, broadcast.id, now=NOW)
    resolve_chunk(database, broadcast.id, chunk.number, 1, Resolution.RESEND, detail="it failed", now=NOW)
    assert states(database, broadcast) == {ChunkState.CANCELLED: 3}

    record_outcome(database, chunk, Outcome(verdict=Verdict.UNKNOWN), now=LATER)
    assert states(database, broadcast) == {ChunkState.CANCELLED: 3}
    record_outcome(database, chunk, Outcome(verdict=Verdict.ACCEPTED), now=LATER)
    assert states(database, broadcast) == {ChunkState.ACCEPTED: 3}


def test_what_was_taken_back_stays_so_though_the_provider_took_it_late(database: Database) -> None:
    add_people(database, 3)
    broadcast = hold(database, NOW + timedelta(hours=2))
    chunk = claim(database, broadcast, hold_within=timedelta(hours=3))
    begin_cancel(database, broadcast.id, now=NOW)
    adopt_orphans(database, broadcast.id, now=NOW)
    settle_recall(database, "batch", confirmed_at=NOW, now=NOW)

    record_outcome(database, chunk, Outcome(verdict=Verdict.ACCEPTED), now=LATER)

    assert states(database, broadcast) == {ChunkState.CANCELLED: 3}


def test_held_mail_that_was_to_be_resent_and_was_taken_after_all_can_be_taken_back(database: Database) -> None:
    add_people(database, 3)
    broadcast = hold(database, NOW + timedelta(hours=2))
    chunk = claim(database, broadcast, hold_within=timedelta(hours=3))
    adopt_orphans(database, broadcast.id, now=NOW)
    resolve_chunk(database, broadcast.id, chunk.number, 1, Resolution.RESEND, detail="it failed", now=NOW)
    record_outcome(database, chunk, Outcome(verdict=Verdict.ACCEPTED), now=LATER)

    begin_cancel(database, broadcast.id, now=LATER)
    settle_recall(database, "batch", confirmed_at=LATER, now=LATER)

    assert states(database, broadcast) == {ChunkState.CANCELLED: 3}
