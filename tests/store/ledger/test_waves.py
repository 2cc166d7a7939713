"""Waves: who is drawn into the first, that nothing else leaves before the decision, and that it is made once."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.axes import Axis, Cases
from newsletter.model.broadcast import Broadcast, BroadcastState, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk, Entry
from newsletter.model.mailbox import mailbox_provider_of
from newsletter.model.waves import FIRST, REST, Waves, WaveState
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    due_now,
    finish_if_done,
    next_due,
    overdue,
    pause_broadcast,
    require_broadcast,
    resume_broadcast,
    start_scheduled,
    unattended_broadcasts,
)
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast, preview_freeze
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import keep_batch, moments_to_hold, settle_recall
from newsletter.store.ledger.states import require_current
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.waves import allot, drawn_of, hold_wave, release_wave, watch_of
from tests.store.builders import (
    ACCEPTED,
    MARGIN,
    NOW,
    add,
    at,
    axes,
    by_own_clock,
    claim,
    record,
    request,
    row,
    send_all,
    variants,
)

HOUR = timedelta(hours=1)
CANARY = Waves(seed="a seed", shares={"": 0.1}, watch=4 * HOUR, is_canary=True)
MAILBOXES = {"gmail.com": 60, "yahoo.com": 25, "example.org": 15}
DRAWN = {6, 12, 14, 29, 39, 59, 62, 74, 75, 100}  # by the seed of CANARY, on both engines
ARM = Axis(
    name="arm",
    values=("A", "B"),
    plainest="A",
    fullest="A",
    value_of=lambda _reader, _before: "A",
    rule=Cases((), otherwise="A"),
)
ARMS = Waves(seed="another", shares={"A": 0.1, "B": 0.1}, axis="arm", watch=HOUR)


def add_mailboxes(database: Database, mailboxes: Mapping[str, int] = MAILBOXES) -> None:
    add(
        database,
        *(row(f"p{number:03}@{domain}") for domain, people in mailboxes.items() for number in range(people)),
    )


def freeze_in_waves(database: Database, waves: Waves = CANARY, *, axis: Axis | None = None, **fields: Any) -> Broadcast:
    made = replace(request(**fields), waves=waves, axes=(*axes(), *([axis] if axis else [])))
    return freeze_broadcast(database, made, variants(made.axes), chunk_size=4, now=NOW)


def send_first(database: Database, **fields: Any) -> Broadcast:
    """A broadcast of which the first wave was sent."""
    add_mailboxes(database)
    broadcast = freeze_in_waves(database, **fields)
    send_all(database, broadcast)
    return finish_if_done(database, broadcast.id, now=NOW)


def decide(database: Database, broadcast: Broadcast, commit: Any = release_wave, **given: Any) -> bool:
    with database.transaction() as connection:
        decided: bool = commit(connection, require_current(connection, broadcast.id), "why", now=NOW, **given)
        return decided


def state_of(database: Database, broadcast: Broadcast) -> WaveState:
    watch = watch_of(database, broadcast.id)
    assert watch is not None
    return watch.state


@given(
    shares=st.lists(st.floats(0.001, 0.25), min_size=1, max_size=4),
    people=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5000), min_size=1),
)
def test_each_value_gets_its_share_of_everyone_and_of_each_stratum(shares: list[float], people: dict[str, int]) -> None:
    named = {str(number): share for number, share in enumerate(shares)}

    urns = allot(named, people)

    assert {stratum: sum(urn.values()) for stratum, urn in urns.items()} == people
    assert all(left >= 0 for urn in urns.values() for left in urn.values())
    if sum(people.values()) >= 40 * len(shares):
        for value, share in named.items():
            assert abs(sum(urn[value] for urn in urns.values()) - max(round(sum(people.values()) * share), 1)) <= 1
            assert all(abs(urns[stratum][value] - size * share) <= 1 for stratum, size in people.items())


def test_the_draw_is_stratified_exact_and_the_same_for_a_seed(database: Database) -> None:
    add_mailboxes(database)

    broadcast = freeze_in_waves(database)

    drawn = drawn_of(database, broadcast.id)
    assert drawn == dict.fromkeys(DRAWN, "")
    emails = [delivery.email for delivery in claimed(database, broadcast)]
    assert Counter(map(mailbox_provider_of, emails)) == {"gmail": 6, "yahoo": 3, "other": 1}
    watch = watch_of(database, broadcast.id)
    assert watch is not None
    assert watch.sizes == {"gmail": (6, 54), "yahoo": (3, 22), "other": (1, 14)}
    assert (watch.plan, watch.state, watch.first, watch.rest) == (CANARY, WaveState.FIRST, 10, 90)


def claimed(database: Database, broadcast: Broadcast) -> list[Any]:
    found = []
    while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW), ClaimedChunk):
        found += chunk.deliveries
        record(database, chunk)
    return found


def test_another_seed_draws_others(database: Database) -> None:
    add_mailboxes(database)

    broadcast = freeze_in_waves(database, replace(CANARY, seed="other"))

    assert len(drawn_of(database, broadcast.id)) == 10
    assert drawn_of(database, broadcast.id).keys() != DRAWN


def test_everyone_has_the_same_chance_to_be_drawn() -> None:
    """Over many seeds, each place in a stratum is drawn equally often, and neighbors no more often than others."""
    from random import Random

    times: Counter[int] = Counter()
    for seed in range(4000):
        left, people = 5, 50
        random = Random(str(seed)).random
        for place in range(50):
            if int(random() * people) < left:
                times[place] += 1
                left -= 1
            people -= 1

    assert all(300 < times[place] < 500 for place in range(50))  # 400 expected, 19 is the standard deviation


def test_a_preview_draws_no_one_and_counts_everyone(database: Database) -> None:
    add_mailboxes(database)

    assert preview_freeze(database, replace(request(), waves=CANARY), now=NOW).recipients == 100


def test_the_rest_waits_until_it_is_released(database: Database) -> None:
    broadcast = send_first(database)

    assert (broadcast.state, broadcast.continues_at) == (BroadcastState.WATCHING, NOW + 4 * HOUR)
    assert send_all(database, broadcast) == []
    assert (tally_of(database, broadcast.id).accepted, tally_of(database, broadcast.id).waiting) == (10, 90)
    assert tally_of(database, broadcast.id).adds_up
    assert decide(database, broadcast)
    assert state_of(database, broadcast) is WaveState.REST
    assert len(send_all(database, broadcast)) == 90
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE
    entries = [each.entry for each in journal_of(database, broadcast.id)]
    assert entries == [Entry.FROZEN, Entry.WAIVED, Entry.WATCHING, Entry.RELEASED, Entry.DONE]


def test_no_one_gets_it_twice_or_not_at_all(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database)
    emails = send_all(database, broadcast)
    finish_if_done(database, broadcast.id, now=NOW)
    decide(database, broadcast)

    emails += send_all(database, broadcast)

    assert len(emails) == len(set(emails)) == 100


def test_a_decision_is_made_once(database: Database) -> None:
    broadcast = send_first(database)

    assert [decide(database, broadcast), decide(database, broadcast)] == [True, False]
    assert decide(database, broadcast, hold_wave)  # what comes back is still watched
    assert [decide(database, broadcast, hold_wave), decide(database, broadcast)] == [False, False]
    assert state_of(database, broadcast) is WaveState.HELD
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED


def test_nothing_is_released_before_the_first_wave_was_sent(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database)

    assert not decide(database, broadcast)
    assert decide(database, broadcast, hold_wave)
    assert send_all(database, broadcast) == []


def test_what_was_held_is_released_by_a_person_only(database: Database) -> None:
    broadcast = send_first(database)
    decide(database, broadcast, hold_wave)
    assert broadcast.id not in {each.id for each in unattended_broadcasts(database)}

    resume_broadcast(database, broadcast.id, now=NOW)

    assert state_of(database, broadcast) is WaveState.OVER
    assert not decide(database, broadcast, hold_wave)
    assert len(send_all(database, broadcast)) == 90


def test_a_person_can_end_the_watching(database: Database) -> None:
    broadcast = send_first(database)

    resume_broadcast(database, broadcast.id, now=NOW)

    assert len(send_all(database, broadcast)) == 90


def test_a_pause_for_another_reason_releases_nothing(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database)
    pause_broadcast(database, broadcast.id, "401 the key is wrong", now=NOW)

    resume_broadcast(database, broadcast.id, now=NOW)

    assert len(send_all(database, broadcast)) == 10
    watched = finish_if_done(database, broadcast.id, now=NOW + HOUR)
    pause_broadcast(database, watched.id, "someone paused it", now=NOW + HOUR)
    resume_broadcast(database, watched.id, now=NOW + HOUR)
    assert send_all(database, broadcast) == []
    watched = finish_if_done(database, broadcast.id, now=NOW + 2 * HOUR)
    assert (watched.state, watched.continues_at) == (BroadcastState.WATCHING, NOW + 5 * HOUR)  # as before


def test_a_watched_broadcast_can_be_canceled(database: Database) -> None:
    broadcast = send_first(database)

    begin_cancel(database, broadcast.id, now=NOW)

    assert finish_cancel(database, broadcast.id, now=NOW).state is BroadcastState.CANCELLED
    assert (tally_of(database, broadcast.id).cancelled, tally_of(database, broadcast.id).accepted) == (90, 10)
    with pytest.raises(InputError, match="was canceled"):
        resume_broadcast(database, broadcast.id, now=NOW)


def test_email_that_comes_back_stays_in_its_wave(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database)
    chunk = claim(database, broadcast)
    some = frozenset(each.subscriber for each in chunk.deliveries[:2])
    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, unsent=some))
    halved = claim(database, broadcast)
    record(database, halved, Outcome(verdict=Verdict.READY, next_step=NextStep.SPLIT))

    emails = send_all(database, broadcast)

    assert len(emails) == 8  # two of the ten were accepted at once
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.WATCHING


def test_the_first_wave_has_its_own_time_and_the_rest_is_not_late_meanwhile(database: Database) -> None:
    add_mailboxes(database)
    due, first = NOW + 5 * HOUR, NOW + HOUR
    broadcast = freeze_in_waves(database, replace(CANARY, first_at=first), schedule=at(due))

    assert (broadcast.state, broadcast.due_at) == (BroadcastState.SCHEDULED, first)
    assert next_due(database, broadcast.id) == first
    start_scheduled(database, broadcast.id, now=first)
    while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=first), ClaimedChunk):
        record(database, chunk)
    watched = finish_if_done(database, broadcast.id, now=first)
    assert watched.continues_at == due
    late = due + HOUR
    assert (overdue(database, broadcast.id, before=late), due_now(database, broadcast.id, now=late)) == (0, 0)
    assert moments_to_hold(database, broadcast.id, now=first, until=late) == ()
    with database.transaction() as connection:
        release_wave(connection, require_current(connection, broadcast.id), "why", now=late)
    assert (next_due(database, broadcast.id), due_now(database, broadcast.id, now=late)) == (None, 90)


def test_with_local_time_the_first_wave_leaves_at_one_time(database: Database) -> None:
    add(database, *(row(f"z{number}@example.org", timezone="Asia/Tokyo" if number % 2 else "") for number in range(40)))
    broadcast = freeze_in_waves(database, replace(CANARY, first_at=NOW + HOUR), schedule=by_own_clock(20))

    with database.read() as connection:
        rows = connection.execute("SELECT DISTINCT wave, due_at FROM chunk ORDER BY 1, 2", {}).fetchall()

    assert rows == [(FIRST, "2026-02-19T09:00:00Z"), (REST, "2026-02-19T11:00:00Z"), (REST, "2026-02-19T20:00:00Z")]
    assert require_broadcast(database, broadcast.id).due_at == NOW + HOUR


def test_the_time_counts_from_when_the_provider_passes_on_the_last_email(database: Database) -> None:
    add_mailboxes(database)
    due = NOW + HOUR
    broadcast = freeze_in_waves(database, replace(CANARY, first_at=due), schedule=at(NOW + 8 * HOUR))
    keep_batch(database, broadcast.id, "b", due_at=due, margin=MARGIN, now=NOW)
    start_scheduled(database, broadcast.id, now=NOW)
    while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=HOUR), ClaimedChunk):
        record(database, chunk, ACCEPTED)

    assert finish_if_done(database, broadcast.id, now=NOW).continues_at == due + 4 * HOUR


def test_what_is_recalled_of_the_rest_waits_in_its_wave(database: Database) -> None:
    broadcast = send_first(database, schedule=at(NOW + 8 * HOUR), waves=replace(CANARY, first_at=NOW))
    decide(database, broadcast)
    keep_batch(database, broadcast.id, "b", due_at=NOW + 8 * HOUR, margin=MARGIN, now=NOW)
    record(database, claim(database, broadcast, hold_within=8 * HOUR))
    decide(database, broadcast, hold_wave)

    assert settle_recall(database, "b", confirmed_at=NOW, now=NOW) == 4
    with database.read() as connection:
        waves = connection.execute(
            "SELECT wave, state, sum(size) FROM chunk GROUP BY 1, 2 ORDER BY 1, 2", {}
        ).fetchall()
    assert waves == [(FIRST, "accepted", 10), (REST, "cancelled", 0), (REST, "ready", 90)]
    assert send_all(database, broadcast) == []


def test_the_drawn_value_decides_the_variant_of_the_first_wave_only(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database, ARMS, axis=ARM)

    arms = Counter(drawn_of(database, broadcast.id).values())
    by_variant: Counter[str] = Counter()
    while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW), ClaimedChunk):
        by_variant[chunk.variant_key] += len(chunk.deliveries)
        record(database, chunk)

    assert arms == {"A": 10, "B": 10}
    assert sorted(by_variant.values()) == [10, 10]


def test_no_rest_needs_no_decision(database: Database) -> None:
    add_mailboxes(database)
    broadcast = freeze_in_waves(database, replace(ARMS, shares={"A": 0.5, "B": 0.5}), axis=ARM)

    assert len(send_all(database, broadcast)) == 100
    assert finish_if_done(database, broadcast.id, now=NOW).state is BroadcastState.DONE
