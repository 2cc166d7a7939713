"""Cancelling: what has not left never leaves, what the provider holds is taken back, and a crash costs nothing."""

from datetime import datetime, timedelta

import pytest

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, NextStep, Outcome, Verdict
from newsletter.model.ledger import Entry, Resolution
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast, require_broadcast, resume_broadcast
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import begin_recall, settle_recall
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.ledger.status import tally_of
from tests.store.builders import ACCEPTED, NOW, add_people, at, claim, freeze, hold, record, send_all, states

HOUR = timedelta(hours=1)
MARGIN = timedelta(minutes=10)
TIMEOUT = Outcome(verdict=Verdict.UNKNOWN, reason="timeout")


def hand_over(database: Database, broadcast: Broadcast, outcome: Outcome = ACCEPTED) -> None:
    record(database, claim(database, broadcast, hold_within=timedelta(days=3)), outcome)


def recall(database: Database, *, confirmed_at: datetime) -> int:
    """The provider confirms that the only batch is canceled."""
    return settle_recall(database, "batch", confirmed_at=confirmed_at, now=confirmed_at)


def cancel(database: Database, broadcast: Broadcast, *, now: datetime) -> int:
    begin_cancel(database, broadcast.id, now=now)
    return recall(database, confirmed_at=now)


def test_what_has_not_left_is_cancelled(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast))

    assert begin_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLING
    assert states(database, broadcast) == {ChunkState.ACCEPTED: 2, ChunkState.CANCELLED: 3}
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None

    ended = finish_cancel(database, broadcast.id, now=NOW + HOUR)
    assert (ended.state, ended.finished_at) == (BroadcastState.CANCELLED, NOW + HOUR)
    assert tally_of(database, broadcast.id).adds_up


@pytest.mark.parametrize("step", ["scheduled", "paused", "running"])
def test_broadcast_that_has_not_ended_can_be_cancelled(database: Database, step: str) -> None:
    add_people(database, 2)
    broadcast = freeze(database, schedule=at(NOW + HOUR) if step == "scheduled" else None)
    if step == "paused":
        pause_broadcast(database, broadcast.id, "look", now=NOW)

    begin_cancel(database, broadcast.id, now=NOW)

    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED
    assert states(database, broadcast) == {ChunkState.CANCELLED: 2}


def test_every_step_may_be_repeated(database: Database) -> None:
    add_people(database, 4)
    broadcast = hold(database, NOW + HOUR, chunk_size=2)
    hand_over(database, broadcast)

    for _ in range(2):
        begin_cancel(database, broadcast.id, now=NOW)
    assert recall(database, confirmed_at=NOW) == 2
    assert recall(database, confirmed_at=NOW) == 0
    for _ in range(2):
        assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED
    assert recall(database, confirmed_at=NOW) == 0

    entries = [(each.entry, each.detail) for each in journal_of(database, broadcast.id)][-2:]
    assert entries == [
        (Entry.CANCELLING, "2 not sent yet, 2 held by the provider"),
        (Entry.CANCELLED, "4 canceled"),
    ]


def test_held_mail_is_taken_back_whether_or_not_it_was_known_to_be_taken(database: Database) -> None:
    add_people(database, 4)
    broadcast = hold(database, NOW + HOUR, chunk_size=2)
    hand_over(database, broadcast)
    hand_over(database, broadcast, TIMEOUT)

    assert cancel(database, broadcast, now=NOW) == 4

    assert states(database, broadcast) == {ChunkState.CANCELLED: 4}
    assert send_all(database, freeze(database)) != []


@pytest.mark.parametrize(("seconds", "state"), [(0, ChunkState.UNKNOWN), (1, ChunkState.CANCELLED)])
def test_mail_within_the_margin_may_have_left(database: Database, seconds: int, state: ChunkState) -> None:
    add_people(database, 2)
    due = NOW + HOUR
    broadcast = hold(database, due)
    hand_over(database, broadcast)

    cancel(database, broadcast, now=due - MARGIN - timedelta(seconds=seconds))

    assert states(database, broadcast) == {state: 2}
    assert finish_cancel(database, broadcast.id, now=due).state is BroadcastState.CANCELLED
    assert tally_of(database, broadcast.id).adds_up


def test_mail_that_had_left_before_stays_accepted(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, NOW + HOUR, chunk_size=1)
    hand_over(database, broadcast)

    begin_cancel(database, broadcast.id, now=NOW + HOUR)
    settle_recall(database, "batch", confirmed_at=None, now=NOW + HOUR)

    assert states(database, broadcast) == {ChunkState.ACCEPTED: 1, ChunkState.CANCELLED: 1}
    assert finish_cancel(database, broadcast.id, now=NOW + HOUR).state is BroadcastState.CANCELLED


def test_mail_whose_time_came_between_a_crash_and_the_confirmation_is_unknown(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, NOW + HOUR)
    hand_over(database, broadcast)
    begin_cancel(database, broadcast.id, now=NOW)
    begin_recall(database, "batch", now=NOW)

    assert settle_recall(database, "batch", confirmed_at=None, now=NOW + 3 * HOUR) == 0

    assert states(database, broadcast) == {ChunkState.UNKNOWN: 2}


def test_broadcast_is_not_cancelled_while_something_is_inflight_or_left_to_take_back(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, NOW + HOUR)
    chunk = claim(database, broadcast, hold_within=HOUR)
    assert cancel(database, broadcast, now=NOW) == 0
    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLING

    record(database, chunk)  # taken by the provider after what it held was taken back
    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLING

    assert recall(database, confirmed_at=NOW) == 2
    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED


def test_broadcast_that_is_done_can_be_cancelled_while_the_provider_holds_mail_of_it(database: Database) -> None:
    add_people(database, 2)
    broadcast = hold(database, NOW + HOUR)
    hand_over(database, broadcast)
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE

    assert cancel(database, broadcast, now=NOW + timedelta(minutes=30)) == 2

    assert finish_cancel(database, broadcast.id, now=NOW + HOUR).finished_at == NOW + HOUR


def test_broadcast_of_which_nothing_is_left_cannot_be_cancelled(database: Database) -> None:
    add_people(database, 2)
    done, stopped, cancelled = (freeze(database, f"2026-0{number}") for number in (1, 2, 3))
    send_all(database, done)
    finish_if_done(database, done.id, now=NOW)
    record(database, claim(database, stopped), Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="no"))
    begin_cancel(database, cancelled.id, now=NOW)
    finish_cancel(database, cancelled.id, now=NOW)

    for broadcast, words in ((done, "is done"), (stopped, "is stopped"), (cancelled, "is already canceled")):
        with pytest.raises(InputError, match=words):
            begin_cancel(database, broadcast.id, now=NOW)


def test_cancelled_broadcast_does_not_go_on(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    begin_cancel(database, broadcast.id, now=NOW)

    with pytest.raises(InputError, match="is being canceled; run `newsletter cancel 1`"):
        resume_broadcast(database, broadcast.id, now=NOW)
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLING
    assert pause_broadcast(database, broadcast.id, "look", now=NOW).state is BroadcastState.CANCELLING

    finish_cancel(database, broadcast.id, now=NOW)
    with pytest.raises(InputError, match="was canceled; send the issue again"):
        resume_broadcast(database, broadcast.id, now=NOW)
    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED


def test_what_is_to_be_resent_of_a_cancelled_broadcast_is_left_to_a_later_one(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    record(database, claim(database, broadcast), TIMEOUT)
    begin_cancel(database, broadcast.id, now=NOW)
    finish_cancel(database, broadcast.id, now=NOW)

    assert resolve_chunk(database, broadcast.id, 1, 1, Resolution.RESEND, detail="Ana says so", now=NOW)

    assert states(database, broadcast) == {ChunkState.CANCELLED: 2}
    assert require_broadcast(database, broadcast.id).state is BroadcastState.CANCELLED
    assert len(send_all(database, freeze(database))) == 2
