"""Recipients whom the provider refuses: who is tried again, who is set aside, and how they end."""

from datetime import datetime, timedelta

import pytest

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState, Doubt, Ending, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    continue_unattended,
    finish_if_done,
    require_broadcast,
    resume_broadcast,
    unattended_broadcasts,
)
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.deferrals import REFUSALS_IN_A_ROW, REJECTIONS_IN_A_ROW, RETRIES, SET_ASIDE_AFTER
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.status import chunk_summaries, tally_of
from newsletter.store.suppressions import list_suppressions
from tests.store.builders import ACCEPTED, NOW, add_people, freeze, request

BUSY = "450 4.2.1 mailbox busy"
POLICY = "550 5.7.1 local policy"


def at(**since: float) -> datetime:
    return NOW + timedelta(**since)


def take(database: Database, broadcast: Broadcast, now: datetime = NOW) -> ClaimedChunk:
    claimed = claim_chunk(database, broadcast.id, "", (), now=now)
    assert isinstance(claimed, ClaimedChunk)
    return claimed


def everyone(chunk: ClaimedChunk) -> list[int]:
    return [delivery.subscriber for delivery in chunk.deliveries]


def defer(database: Database, broadcast: Broadcast, now: datetime = NOW, words: str = BUSY) -> None:
    """The next chunk is refused for now."""
    chunk = take(database, broadcast, now)
    deferred = dict.fromkeys(everyone(chunk), words)
    record_outcome(database, chunk, Outcome(verdict=Verdict.READY, deferred=deferred), now=now)


def doubt(
    database: Database, broadcast: Broadcast, ending: Ending = Ending.REJECTED, *, is_last: bool = True
) -> ClaimedChunk:
    """The next chunk is refused for good. Return it."""
    chunk = take(database, broadcast)
    doubted = dict.fromkeys(everyone(chunk), Doubt(words=POLICY, ending=ending, is_last_word=is_last))
    record_outcome(database, chunk, Outcome(verdict=Verdict.READY, reason=POLICY, doubted=doubted), now=NOW)
    return chunk


def accept(database: Database, broadcast: Broadcast) -> None:
    record_outcome(database, take(database, broadcast), ACCEPTED, now=NOW)


def set_aside(database: Database) -> Broadcast:
    """A broadcast to one person who has just been set aside, and which is done."""
    add_people(database, 1)
    broadcast = freeze(database)
    for number in range(SET_ASIDE_AFTER):
        defer(database, broadcast, at(seconds=10 * number))
    return finish_if_done(database, broadcast.id, now=at(seconds=20))


def parts(database: Database, broadcast: Broadcast) -> dict[str, int]:
    tally = tally_of(database, broadcast.id)
    assert tally.adds_up
    named = ("accepted", "waiting", "deferred", "rejected", "invalid", "cancelled")
    return {name: size for name in named if (size := getattr(tally, name))}


def test_everyone_is_tried_before_anyone_is_tried_again(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    first = take(database, broadcast)
    refused = Outcome(verdict=Verdict.READY, deferred=dict.fromkeys(everyone(first), BUSY))
    record_outcome(database, first, refused, now=NOW)

    tried = [everyone(take(database, broadcast, at(minutes=1))) for _ in range(3)]

    assert tried[-1] == everyone(first)


def test_a_person_who_is_refused_three_times_is_set_aside_with_the_words(database: Database) -> None:
    broadcast = set_aside(database)

    assert broadcast.state is BroadcastState.DONE
    assert parts(database, broadcast) == {"deferred": 1}
    assert [(each.state, each.reason) for each in chunk_summaries(database, broadcast.id) if each.deliveries] == [
        (ChunkState.DEFERRED, BUSY)
    ]


def test_a_person_who_was_refused_waits_before_the_next_try(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    defer(database, broadcast)

    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None
    assert everyone(take(database, broadcast, at(seconds=2)))


def test_whoever_was_set_aside_is_tried_again_five_times_and_then_rejected(database: Database) -> None:
    broadcast = set_aside(database)
    since = at(seconds=20)

    for number, retry in enumerate(RETRIES):
        due = require_broadcast(database, broadcast.id).continues_at
        assert due == since + retry
        assert continue_unattended(database, broadcast.id, now=due - timedelta(seconds=1)).state is BroadcastState.DONE
        assert continue_unattended(database, broadcast.id, now=due).state is BroadcastState.RUNNING
        defer(database, broadcast, due, words=f"450 try {number}")
        finish_if_done(database, broadcast.id, now=due)

    assert parts(database, broadcast) == {"rejected": 1}
    assert chunk_summaries(database, broadcast.id)[-1].reason == "450 try 4"
    assert require_broadcast(database, broadcast.id).continues_at is None
    assert not unattended_broadcasts(database)


def test_a_person_who_is_accepted_at_a_retry_is_accepted(database: Database) -> None:
    broadcast = set_aside(database)
    later = at(hours=1)

    resume_broadcast(database, broadcast.id, now=later)
    record_outcome(database, take(database, broadcast, later), ACCEPTED, now=later)

    assert finish_if_done(database, broadcast.id, now=later).state is BroadcastState.DONE
    assert parts(database, broadcast) == {"accepted": 1}


def test_a_person_who_left_while_set_aside_is_not_tried_again(database: Database) -> None:
    broadcast = set_aside(database)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO suppression (person, topic, email, reason, detail, created_at) "
            "SELECT person, '', email, 'unsubscribed', '', :now FROM subscriber",
            {"now": "2026-02-19T08:05:00Z"},
        )

    continue_unattended(database, broadcast.id, now=at(hours=1))

    assert claim_chunk(database, broadcast.id, "", (), now=at(hours=1)) is None
    assert tally_of(database, broadcast.id).excluded == 1


def test_no_one_is_tried_again_once_an_event_has_passed(database: Database) -> None:
    broadcast = set_aside(database)
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET good_until = '2026-02-19T08:10:00Z'", {})
    continue_unattended(database, broadcast.id, now=at(hours=1))

    assert claim_chunk(database, broadcast.id, "", (), now=at(hours=1)) is None
    finish_if_done(database, broadcast.id, now=at(hours=1))

    assert parts(database, broadcast) == {"rejected": 1}
    assert chunk_summaries(database, broadcast.id)[-1].reason.startswith(f"{BUSY}; not tried again, because an event")


def test_resuming_too_early_says_when(database: Database) -> None:
    broadcast = set_aside(database)

    with pytest.raises(InputError, match=r"tried again from 2026-02-19 08:15 UTC on"):
        resume_broadcast(database, broadcast.id, now=at(minutes=1))


def test_a_later_broadcast_leaves_out_whoever_is_set_aside(database: Database) -> None:
    set_aside(database)

    with pytest.raises(InputError, match="already in broadcast 1"):
        preview_freeze(database, request(), now=NOW)


def test_canceling_gives_up_whoever_is_set_aside(database: Database) -> None:
    broadcast = set_aside(database)

    begin_cancel(database, broadcast.id, now=at(minutes=1))

    assert parts(database, broadcast) == {"cancelled": 1}
    assert require_broadcast(database, broadcast.id).continues_at is None


def test_people_held_up_by_us_are_not_counted_against_themselves(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    for _ in range(SET_ASIDE_AFTER + 2):
        chunk = take(database, broadcast)
        outcome = Outcome(verdict=Verdict.READY, blameless=dict.fromkeys(everyone(chunk), "451 rate limit"))
        record_outcome(database, chunk, outcome, now=NOW)

    assert parts(database, broadcast) == {"waiting": 1}


def hold_up(database: Database, broadcast: Broadcast, *, times: int) -> None:
    """The next chunk is refused so often for a reason that is not its recipients'."""
    for _ in range(times):
        chunk = take(database, broadcast)
        outcome = Outcome(verdict=Verdict.READY, blameless=dict.fromkeys(everyone(chunk), "451 rate limit"))
        record_outcome(database, chunk, outcome, now=NOW)


def test_a_person_who_is_always_held_up_is_set_aside_if_others_are_accepted(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database, chunk_size=1)
    hold_up(database, broadcast, times=1)
    accept(database, broadcast)
    hold_up(database, broadcast, times=9)

    assert parts(database, broadcast) == {"accepted": 1, "deferred": 1}


def test_a_person_who_is_always_held_up_keeps_waiting_while_no_one_else_is_accepted(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database, chunk_size=1)
    accept(database, broadcast)
    hold_up(database, broadcast, times=20)

    assert parts(database, broadcast) == {"accepted": 1, "waiting": 1}


@pytest.mark.parametrize("chunk_size", [1, 2, 5])
def test_refusals_in_a_row_are_ours_however_the_chunks_are_cut(database: Database, chunk_size: int) -> None:
    add_people(database, 10)
    broadcast = freeze(database, chunk_size=chunk_size)
    while require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING:
        doubt(database, broadcast)

    assert parts(database, broadcast) == {"waiting": 10}
    assert f"{REJECTIONS_IN_A_ROW if chunk_size != 2 else 6} people in a row were refused" in (
        require_broadcast(database, broadcast.id).reason
    )


def test_an_acceptance_between_refusals_shows_that_they_are_theirs(database: Database) -> None:
    add_people(database, 9)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(4):
        doubt(database, broadcast)
    accept(database, broadcast)
    for _ in range(4):
        doubt(database, broadcast)

    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE
    assert parts(database, broadcast) == {"accepted": 1, "rejected": 8}
    assert not list(list_suppressions(database))


def test_refusals_before_an_acceptance_of_the_same_chunk_do_not_count(database: Database) -> None:
    add_people(database, REJECTIONS_IN_A_ROW)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(REJECTIONS_IN_A_ROW):
        doubt(database, broadcast, is_last=False)

    assert require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING


def test_a_second_refusal_says_nothing_new_about_us_if_others_were_accepted_in_between(database: Database) -> None:
    add_people(database, REJECTIONS_IN_A_ROW + 1)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(REJECTIONS_IN_A_ROW):
        doubt(database, broadcast)
    assert resume_broadcast(database, broadcast.id, now=NOW).state is BroadcastState.RUNNING
    accept(database, broadcast)
    for _ in range(REJECTIONS_IN_A_ROW):
        chunk = doubt(database, broadcast)
        assert chunk.are_others_accepted

    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE
    assert parts(database, broadcast) == {"accepted": 1, "rejected": REJECTIONS_IN_A_ROW}


@pytest.mark.parametrize("accepted", [0, 1])
def test_a_second_refusal_with_nothing_accepted_in_between_is_as_much_ours_as_the_first(
    database: Database, accepted: int
) -> None:
    add_people(database, REJECTIONS_IN_A_ROW + accepted)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(accepted):
        accept(database, broadcast)
    for _ in range(3):
        for _ in range(REJECTIONS_IN_A_ROW):
            assert not doubt(database, broadcast).are_others_accepted
        assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED
        assert parts(database, broadcast).get("waiting") == REJECTIONS_IN_A_ROW
        resume_broadcast(database, broadcast.id, now=NOW)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("people", [1, 3])
def test_if_everyone_was_refused_it_is_ours_however_few_they_are(
    database: Database, ending: Ending, people: int
) -> None:
    add_people(database, people)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(2):
        for _ in range(people):
            doubt(database, broadcast, ending)
        paused = finish_if_done(database, broadcast.id, now=NOW)
        assert (paused.state, paused.continues_at) == (BroadcastState.PAUSED, None)
        assert f"everyone was refused, so the reason is probably not theirs: {POLICY}" in paused.reason
        assert parts(database, broadcast) == {"waiting": people}
        resume_broadcast(database, broadcast.id, now=NOW)


def test_chunks_that_are_recorded_after_one_another_do_not_hide_that_they_were_refused_in_a_row(
    database: Database,
) -> None:
    """Each connection has one person who was accepted, and then one who was refused."""
    add_people(database, 2 * REJECTIONS_IN_A_ROW)
    broadcast = freeze(database, chunk_size=2)
    chunks = [take(database, broadcast) for _ in range(REJECTIONS_IN_A_ROW)]
    for chunk in chunks:
        doubted = {everyone(chunk)[1]: Doubt(words=POLICY, ending=Ending.REJECTED, is_last_word=True)}
        record_outcome(database, chunk, Outcome(verdict=Verdict.ACCEPTED, reason=POLICY, doubted=doubted), now=NOW)

    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED
    assert parts(database, broadcast) == {"accepted": REJECTIONS_IN_A_ROW, "waiting": REJECTIONS_IN_A_ROW}


def test_a_pause_for_refusals_in_a_row_makes_those_ready_who_were_recorded_before_and_after(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=1)
    early, seen, late = (take(database, broadcast) for _ in range(3))
    doubted = Doubt(words=POLICY, ending=Ending.REJECTED, is_last_word=False)
    for chunk in (early, seen, late):
        (person,) = everyone(chunk)
        outcome = Outcome(verdict=Verdict.READY, reason=POLICY, doubted={person: doubted})
        if chunk is seen:
            outcome = Outcome(
                verdict=Verdict.READY,
                next_step=NextStep.PAUSE,
                reason=POLICY,
                blameless={person: POLICY},
                refused_in_a_row=7,
            )
        record_outcome(database, chunk, outcome, now=NOW)

    paused = require_broadcast(database, broadcast.id)
    assert (paused.state, paused.continues_at) == (BroadcastState.PAUSED, None)
    assert paused.reason == f"7 people in a row were refused, so the reason is probably not theirs: {POLICY}"
    assert parts(database, broadcast) == {"waiting": 4}


def test_after_a_stall_someone_further_on_is_tried_first(database: Database) -> None:
    add_people(database, 10)
    broadcast = freeze(database)
    chunk = take(database, broadcast)
    people = everyone(chunk)
    deferred = dict.fromkeys(people[:2], "450 later")
    stalled = Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, deferred=deferred)
    record_outcome(database, chunk, stalled, now=NOW)

    assert [everyone(take(database, broadcast)) for _ in range(2)] == [people[6:], people[2:6]]


def test_addresses_refused_in_a_row_are_ours_only_if_there_are_very_many(database: Database) -> None:
    add_people(database, REFUSALS_IN_A_ROW)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(REFUSALS_IN_A_ROW - 1):
        doubt(database, broadcast, Ending.INVALID)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING

    doubt(database, broadcast, Ending.UNDELIVERABLE)

    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED
    assert parts(database, broadcast) == {"waiting": REFUSALS_IN_A_ROW}


@pytest.mark.parametrize("ending", [Ending.INVALID, Ending.UNDELIVERABLE])
def test_an_address_is_blocked_only_if_it_accepts_no_email(database: Database, ending: Ending) -> None:
    add_people(database, 2)
    broadcast = freeze(database, chunk_size=1)
    accept(database, broadcast)
    doubt(database, broadcast, ending)

    finish_if_done(database, broadcast.id, now=NOW)

    assert tally_of(database, broadcast.id).invalid == 1
    assert bool(list(list_suppressions(database))) == (ending is Ending.UNDELIVERABLE)


def test_a_pause_that_passes_continues_without_a_person(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    outcome = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="quota", retry_after_seconds=3600)
    record_outcome(database, take(database, broadcast), outcome, now=NOW)

    assert [each.continues_at for each in unattended_broadcasts(database)] == [at(hours=1)]
    assert continue_unattended(database, broadcast.id, now=at(minutes=59)).state is BroadcastState.PAUSED
    assert continue_unattended(database, broadcast.id, now=at(hours=1)).state is BroadcastState.RUNNING


def test_a_pause_that_needs_a_person_does_not(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    outcome = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="wrong password")
    record_outcome(database, take(database, broadcast), outcome, now=NOW)

    assert not unattended_broadcasts(database)
    assert continue_unattended(database, broadcast.id, now=at(days=9)).state is BroadcastState.PAUSED


def test_the_accepted_carry_no_reason_of_others(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    chunk = take(database, broadcast)
    one, other, _ = everyone(chunk)
    outcome = Outcome(
        verdict=Verdict.ACCEPTED,
        next_step=NextStep.WAIT,
        reason="450 somebody else's mailbox is busy",
        deferred={one: BUSY},
        uncertain={other: "the connection broke"},
    )
    record_outcome(database, chunk, outcome, now=NOW)

    told = {each.state: each.reason for each in chunk_summaries(database, broadcast.id)}
    assert told[ChunkState.ACCEPTED] == ""
    assert told[ChunkState.UNKNOWN] == "the connection broke"
