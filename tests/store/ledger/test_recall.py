"""Batches that the provider holds: opened once, recalled in time, and settled whatever comes between."""

from datetime import timedelta

import pytest

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, NextStep, Outcome, Verdict
from newsletter.model.ledger import BatchState, ClaimedChunk, HeldBatch
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast, require_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.recall import (
    batches_of,
    begin_recall,
    give_up_recall,
    keep_batch,
    keep_undone,
    leavers_in,
    moments_to_hold,
    past_batches,
    settle_recall,
    times_in_use,
    watched_broadcasts,
)
from newsletter.store.ledger.record import adopt_orphans, record_outcome
from newsletter.store.ledger.status import tally_of
from tests.store.builders import ACCEPTED, MARGIN, NOW, add_people, at, claim, forget, freeze, hold, record, states

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DUE = NOW + HOUR


def held(database: Database, *, people: int = 4) -> Broadcast:
    """A broadcast that the provider holds, in chunks of two."""
    add_people(database, people)
    broadcast = hold(database, DUE, chunk_size=2)
    for _ in range(people // 2):
        record(database, claim(database, broadcast, hold_within=2 * HOUR))
    return finish_if_done(database, broadcast.id, now=NOW)


def only_batch(database: Database, broadcast: Broadcast) -> HeldBatch:
    (batch,) = batches_of(database, broadcast.id)
    return batch


def recall(database: Database) -> int:
    return settle_recall(database, "batch", confirmed_at=NOW, now=NOW)


def test_each_time_has_one_open_batch(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database, schedule=at(DUE))
    assert moments_to_hold(database, broadcast.id, now=NOW, until=NOW + MINUTE) == ()
    assert moments_to_hold(database, broadcast.id, now=NOW, until=DUE) == (DUE,)
    for batch_id in ("one", "two"):
        keep_batch(database, broadcast.id, batch_id, due_at=DUE, margin=MARGIN, now=NOW)
    batch = only_batch(database, broadcast)
    assert (batch.id, batch.due_at, batch.recall_ends_at, batch.is_second) == ("one", DUE, DUE - MARGIN, False)
    assert moments_to_hold(database, broadcast.id, now=NOW, until=DUE) == ()
    with pytest.raises(InputError, match="there is no broadcast 7"):
        keep_batch(database, 7, "three", due_at=DUE, margin=MARGIN, now=NOW)


def test_everyone_recalled_waits_in_new_chunks_that_no_late_report_reaches(database: Database) -> None:
    broadcast = held(database)

    assert recall(database) == 4

    assert require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING
    assert states(database, broadcast) == {ChunkState.READY: 4}
    assert moments_to_hold(database, broadcast.id, now=NOW, until=DUE) == (DUE,)
    keep_batch(database, broadcast.id, "second", due_at=DUE, margin=MARGIN, now=NOW)
    again = claim(database, broadcast, hold_within=2 * HOUR)
    assert (again.number, again.attempt, again.batch_id) == (3, 2, "second")
    assert [batch.is_second for batch in batches_of(database, broadcast.id)] == [False, True]
    assert recall(database) == 0


def test_a_late_answer_about_a_recalled_request_changes_nothing(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, DUE)
    lost = claim(database, broadcast, hold_within=2 * HOUR)
    adopt_orphans(database, broadcast.id, now=NOW)
    recall(database)

    record_outcome(database, lost, ACCEPTED, now=NOW)

    assert states(database, broadcast) == {ChunkState.READY: 2}
    assert tally_of(database, broadcast.id).adds_up


def test_what_was_on_its_way_during_the_recall_is_settled_afterwards(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, DUE)
    chunk = claim(database, broadcast, hold_within=2 * HOUR)
    assert recall(database) == 0
    record(database, chunk)
    finish_if_done(database, broadcast.id, now=NOW)
    assert only_batch(database, broadcast).unsettled == 1

    assert settle_recall(database, "batch", confirmed_at=None, now=NOW) == 2

    assert states(database, broadcast) == {ChunkState.READY: 2}


def test_nothing_more_is_put_into_a_batch_that_is_being_recalled(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, DUE)
    begin_recall(database, "batch", now=NOW)
    assert claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=2 * HOUR) is None
    give_up_recall(database, "batch", "no", now=NOW)
    assert isinstance(claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=2 * HOUR), ClaimedChunk)


def test_a_refusal_opens_a_batch_unless_another_request_may_have_had_an_effect(database: Database) -> None:
    broadcast = held(database)
    states_seen = []
    for _ in range(2):
        assert begin_recall(database, "batch", now=NOW)
    for _ in range(2):
        give_up_recall(database, "batch", "the limit is 10", now=NOW)
        states_seen.append(only_batch(database, broadcast).state)
    assert states_seen == [BatchState.RECALLING, BatchState.OPEN]

    begin_recall(database, "batch", now=NOW)  # its answer is lost
    begin_recall(database, "batch", now=NOW)
    give_up_recall(database, "batch", "the limit is 10", now=NOW)

    settle_recall(database, "batch", confirmed_at=None, now=DUE - MARGIN - MINUTE)
    assert only_batch(database, broadcast).state is BatchState.RECALLING
    settle_recall(database, "batch", confirmed_at=None, now=DUE - MARGIN)
    assert only_batch(database, broadcast).state is BatchState.DOUBTFUL
    assert states(database, broadcast) == {ChunkState.UNKNOWN: 4}


def test_a_confirmation_counts_although_a_rival_was_refused(database: Database) -> None:
    broadcast = held(database)
    begin_recall(database, "batch", now=NOW)
    give_up_recall(database, "batch", "no", now=NOW)
    assert only_batch(database, broadcast).reason == "no"
    assert recall(database) == 4


def test_a_paused_broadcast_stays_paused(database: Database) -> None:
    broadcast = held(database)
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET state = 'running'", {})
    pause_broadcast(database, broadcast.id, "look", now=NOW)
    recall(database)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED
    assert states(database, broadcast) == {ChunkState.READY: 4}


def test_what_is_recalled_of_a_stopped_broadcast_is_not_sent_again(database: Database) -> None:
    add_people(database, 4)
    broadcast = hold(database, DUE, chunk_size=2)
    record(database, claim(database, broadcast, hold_within=2 * HOUR))
    refused = Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="the sender is not verified")
    record(database, claim(database, broadcast, hold_within=2 * HOUR), refused)

    assert recall(database) == 2

    assert states(database, broadcast) == {ChunkState.CANCELLED: 2, ChunkState.REJECTED: 2}
    assert require_broadcast(database, broadcast.id).state is BroadcastState.STOPPED


def test_leavers_are_those_whom_a_claim_would_leave_out(database: Database) -> None:
    broadcast = held(database)
    assert leavers_in(database, only_batch(database, broadcast)) == ()
    forget(database, "person00002@example.org")
    (gone,) = leavers_in(database, only_batch(database, broadcast))
    assert (gone.email, gone.subscriber) == ("", 3)


def test_a_past_batch_uses_up_the_limit_until_it_is_undone(database: Database) -> None:
    broadcast = held(database)
    assert (watched_broadcasts(database, now=NOW), watched_broadcasts(database, now=DUE)) == ((broadcast.id,), ())
    recall(database)
    assert times_in_use(database) == (DUE,)
    assert [batch.id for batch in past_batches(database, before=DUE)] == ["batch"]
    assert past_batches(database, before=DUE - MINUTE) == ()
    keep_undone(database, "batch", now=DUE)
    assert (times_in_use(database), watched_broadcasts(database, now=NOW)) == ((), ())
    assert settle_recall(database, "batch", confirmed_at=NOW, now=NOW) == 0
