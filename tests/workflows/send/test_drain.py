"""Draining a broadcast: no one twice and no one lost, no matter what providers, networks, disks and people do."""

import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from math import inf, nan
from pathlib import Path
from threading import Event, Lock, Timer, main_thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import (
    Broadcast,
    BroadcastState,
    NextStep,
    Outcome,
    OutgoingChunk,
    Schedule,
    Tally,
    Verdict,
)
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.pace import Pace, Rate, SendingWindow, WarmUp
from newsletter.providers.base import UNRECORDED, Provider, Replies
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    pause_broadcast,
    require_broadcast,
    resume_broadcast,
    start_scheduled,
)
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.recall import keep_batch
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.ledger.status import settled_counts, tally_of, unknown_deliveries
from newsletter.store.suppressions import add_suppression, list_suppressions
from newsletter.workflows.send.drain import MAX_TRIES, drain_broadcast
from newsletter.workflows.send.pace import chunk_size_for
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.smtp_server import TAKEN, SmtpServer
from tests.providers.workspace import opened, sendgrid_settings, smtp_settings
from tests.store.builders import NOW, add_people, forget, freeze, request, variant
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, UNKNOWN, Carrier, Step, wait

KEY = "SG.test-key"
HOUR = str(3600)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database that does not wait long for another program."""
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=0.05) as opened_database:
        yield opened_database


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi(api_key=KEY) as running:
        yield running


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """An SMTP relay on loopback."""
    with SmtpServer() as running:
        yield running


def sendgrid(folder: Path, api: SendGridApi, *, concurrency: int = 1, more: str = "") -> Provider:
    settings = sendgrid_settings(api.url, more=f"concurrency = {concurrency}\n{more}")
    return opened(folder, settings, {"SENDGRID_API_KEY": KEY})


def smtp(folder: Path, relay: SmtpServer, *, connections: int = 1) -> Provider:
    return opened(folder, smtp_settings(relay.port, more=f"concurrency = {connections}"))


def drain(
    database: Database,
    broadcast: Broadcast,
    provider: Provider,
    *,
    on_settled: Callable[[int], None] = lambda _: None,
    stop: Event | None = None,
    **more: Any,
) -> Broadcast:
    """Drains, and fails rather than hang where it does not end."""
    halt = stop or Event()
    with ThreadPoolExecutor(1) as aside:
        draining = aside.submit(
            drain_broadcast, database, broadcast, provider, on_settled=on_settled, stop=halt, **more
        )
        try:
            return draining.result(timeout=20)
        finally:
            halt.set()


class Skipped(Event):
    """A clock, and a stop whose waits take no time but let the clock go on."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__()
        self.now = now
        self.waited: list[float] = []
        self._lock = Lock()  # two workers that move the clock at once would set it back

    def clock(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> datetime:
        """Move the clock on, and return the time before."""
        with self._lock:
            before = self.now
            self.now += by
        return before

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited.append(timeout)
        self.move(timedelta(seconds=timeout))
        return self.is_set()


def tally(database: Database, broadcast: Broadcast) -> Tally:
    found = tally_of(database, broadcast.id)
    assert found.adds_up
    return found


def outcome_of(database: Database, broadcast: Broadcast) -> tuple[int, int, int]:
    """How many were accepted, rejected and cancelled."""
    found = tally(database, broadcast)
    return found.accepted, found.rejected, found.cancelled


def go_on(database: Database, broadcast: Broadcast) -> Broadcast:
    """What `resume` does to the ledger."""
    adopt_orphans(database, broadcast.id, now=NOW)
    return resume_broadcast(database, broadcast.id, now=NOW)


# The way it is meant to go


@pytest.mark.parametrize("concurrency", [1, 4])
def test_everybody_gets_one_mail(database: Database, api: SendGridApi, tmp_path: Path, concurrency: int) -> None:
    add_people(database, 35)
    settled: list[int] = []

    done = drain(
        database,
        freeze(database, chunk_size=4),
        sendgrid(tmp_path, api, concurrency=concurrency),
        on_settled=settled.append,
    )

    assert done.state is BroadcastState.DONE
    assert tally(database, done).accepted == sum(settled) == 35
    assert Counter(mail.email for mail in api.accepted) == {f"person{number:05}@example.org": 1 for number in range(35)}


def test_whoever_leaves_between_freeze_and_hand_over_gets_nothing(
    database: Database, api: SendGridApi, tmp_path: Path
) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=1)
    add_suppression(database, "person00000@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    forget(database, "person00001@example.org")

    done = drain(database, broadcast, sendgrid(tmp_path, api))

    assert [mail.email for mail in api.accepted] == ["person00002@example.org", "person00003@example.org"]
    assert (tally(database, done).excluded, tally(database, done).accepted) == (2, 2)


def test_a_broadcast_of_which_nobody_is_left_is_done(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    for number in range(3):
        add_suppression(database, f"person{number:05}@example.org", SuppressionReason.MANUAL, now=NOW)
    carrier = Carrier()

    assert drain(database, broadcast, carrier).state is BroadcastState.DONE
    assert not carrier.handed


def test_draining_what_is_done_hands_over_nothing(database: Database) -> None:
    add_people(database, 3)
    broadcast = drain(database, freeze(database), Carrier())
    carrier = Carrier()

    assert drain(database, broadcast, carrier).state is BroadcastState.DONE
    assert not carrier.handed


# What a provider answers


def test_a_refused_address_is_left_out_and_the_others_get_their_mail(
    database: Database, api: SendGridApi, tmp_path: Path
) -> None:
    add_people(database, 3)
    api.script(Answer.error(400, "Does not contain a valid address.", of="personalizations.1.to.0.email"))

    done = drain(database, freeze(database), sendgrid(tmp_path, api))

    assert [mail.email for mail in api.accepted] == ["person00000@example.org", "person00002@example.org"]
    assert (done.state, tally(database, done).invalid) == (BroadcastState.DONE, 1)
    assert [each.email for each in list_suppressions(database)] == ["person00001@example.org"]


def test_a_request_too_large_goes_in_halves(database: Database, api: SendGridApi, tmp_path: Path) -> None:
    add_people(database, 5)
    api.script(Answer.error(413, "too large"), Answer.error(413, "too large"))

    done = drain(database, freeze(database), sendgrid(tmp_path, api))

    assert tally(database, done).accepted == len({mail.email for mail in api.accepted}) == len(api.accepted) == 5


def test_too_many_requests_are_tried_again(database: Database, api: SendGridApi, tmp_path: Path) -> None:
    add_people(database, 2)
    api.script(Answer.error(429, "slow down", Retry_After="1"))

    done = drain(database, freeze(database), sendgrid(tmp_path, api))

    assert (done.state, tally(database, done).accepted, api.requests) == (BroadcastState.DONE, 2, 2)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 408])
def test_what_a_person_must_mend_holds_all_back(
    database: Database, api: SendGridApi, tmp_path: Path, status: int
) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    api.script(Answer.error(status, "no"))

    held = drain(database, broadcast, sendgrid(tmp_path, api))

    assert (held.state, tally(database, held).waiting, api.requests) == (BroadcastState.PAUSED, 3, 1)
    assert str(status) in held.reason
    assert drain(database, go_on(database, held), sendgrid(tmp_path, api)).state is BroadcastState.DONE
    assert len(api.accepted) == 3


def test_a_refused_message_stops_and_reaches_people_with_the_next_broadcast(
    database: Database, api: SendGridApi, tmp_path: Path
) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=1)
    api.script(Fault.NONE, Answer.error(400, "The subject is required.", of="subject"))

    stopped = drain(database, broadcast, sendgrid(tmp_path, api))

    assert stopped.state is BroadcastState.STOPPED
    assert outcome_of(database, stopped) == (1, 1, 2)
    drain(database, freeze(database), sendgrid(tmp_path, api))
    assert set(Counter(mail.email for mail in api.accepted).values()) == {1}
    assert len(api.accepted) == 4


def test_a_stop_while_another_worker_is_handing_over_loses_neither(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=1)
    other_is_under_way, stop = Event(), Event()

    def slow(_chunk: OutgoingChunk) -> Outcome:
        other_is_under_way.set()
        assert stop.wait(5), "the stop was not passed on"
        return ACCEPTED

    def refuse(_chunk: OutgoingChunk) -> Outcome:
        other_is_under_way.wait(5)
        return Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="no subject")

    carrier = Carrier([slow, refuse], concurrency=2)

    stopped = drain(database, broadcast, carrier, stop=stop)

    assert stopped.state is BroadcastState.STOPPED
    assert outcome_of(database, stopped) == (1, 1, 2)
    assert len(carrier.handed) == 2


@pytest.mark.parametrize("held", [NextStep.PAUSE, NextStep.STOP])
def test_nobody_waits_on_when_the_broadcast_is_held_back(database: Database, held: NextStep) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    both = Event()

    def wait_an_hour(_chunk: OutgoingChunk) -> Outcome:
        assert both.wait(5)
        return wait(3600)

    def hold_back(_chunk: OutgoingChunk) -> Outcome:
        both.set()
        return Outcome(verdict=Verdict.READY, next_step=held, reason="look")

    ended = drain(database, broadcast, Carrier([wait_an_hour, hold_back], concurrency=2))

    assert ended.state in {BroadcastState.PAUSED, BroadcastState.STOPPED}


# Waiting and trying again


def test_a_chunk_that_is_never_taken_pauses_and_loses_nobody(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    carrier = Carrier([wait()] * 100)

    held = drain(database, broadcast, carrier)

    assert (held.state, tally(database, held).waiting, len(carrier.handed)) == (BroadcastState.PAUSED, 2, MAX_TRIES)
    assert "slow down" in held.reason


def test_a_resumed_chunk_is_tried_as_often_as_before(database: Database) -> None:
    add_people(database, 2)
    held = drain(database, freeze(database), Carrier([wait()] * 100))

    done = drain(database, go_on(database, held), Carrier([wait()] * (MAX_TRIES - 1)))

    assert (done.state, tally(database, done).accepted) == (BroadcastState.DONE, 2)


def test_rebuilt_and_halved_chunks_keep_all_their_tries(database: Database) -> None:
    add_people(database, 20)
    broadcast = freeze(database, chunk_size=20)

    def leave_one_out(chunk: OutgoingChunk) -> Outcome:
        return Outcome(verdict=Verdict.READY, invalid={chunk.recipients[0].delivery: "refused"})

    halve = Outcome(verdict=Verdict.READY, next_step=NextStep.SPLIT, reason="too large")
    script: list[Outcome | Step] = [leave_one_out] * MAX_TRIES + [halve] + [wait()]

    done = drain(database, broadcast, Carrier(script))

    assert (done.state, tally(database, done).invalid) == (BroadcastState.DONE, MAX_TRIES)
    assert tally(database, done).accepted == 20 - MAX_TRIES


@pytest.mark.parametrize("asked", [-5.0, nan, inf, -inf])
def test_a_nonsensical_wait_is_not_believed(database: Database, asked: float) -> None:
    add_people(database, 1)

    done = drain(database, freeze(database), Carrier([wait(asked)]))

    assert (done.state, tally(database, done).accepted) == (BroadcastState.DONE, 1)


def test_a_person_can_stop_it_while_it_waits(database: Database, api: SendGridApi, tmp_path: Path) -> None:
    add_people(database, 2)
    api.script(Answer.error(429, "slow down", Retry_After=HOUR))
    stop = Event()

    held = drain(
        database, freeze(database), sendgrid(tmp_path, api, concurrency=2), on_settled=lambda _: stop.set(), stop=stop
    )

    assert (held.state, tally(database, held).waiting) == (BroadcastState.RUNNING, 2)
    assert drain(database, go_on(database, held), sendgrid(tmp_path, api)).state is BroadcastState.DONE


@pytest.mark.parametrize(("asked", "waited"), [(3600, 3600), (3601, 3600), (10.0**12, 3600), (-5, 0)])
def test_no_provider_makes_mail_wait_longer_than_an_hour(database: Database, asked: float, waited: float) -> None:
    add_people(database, 1)
    stop, told = Skipped(), list[datetime]()
    begun = stop.now

    done = drain(
        database,
        freeze(database),
        Carrier([wait(asked)]),
        stop=stop,
        clock=stop.clock,
        on_wait=lambda until, _reason: told.append(until),
    )

    assert done.state is BroadcastState.DONE
    assert told == ([begun + timedelta(seconds=waited)] if waited else [])


def test_a_wait_that_the_provider_asks_for_is_told(database: Database) -> None:
    add_people(database, 1)
    stop, told = Skipped(), list[tuple[datetime, str]]()

    drain(
        database,
        freeze(database),
        Carrier([wait(600)]),
        stop=stop,
        clock=stop.clock,
        on_wait=lambda until, why: told.append((until, why)),
    )

    assert told == [(NOW + timedelta(minutes=10), "slow down")]


# The pace: NOW is a Thursday, 8:00 in UTC


NIGHT = Pace(window=SendingWindow(opens=time(18), closes=time(0), weekdays=frozenset(), zone=ZoneInfo("UTC")))


def test_mail_waits_for_the_sending_window_and_says_so_once(database: Database) -> None:
    add_people(database, 6)
    stop, told = Skipped(), list[tuple[datetime, str]]()
    left: list[datetime] = []

    def note(_chunk: OutgoingChunk) -> Outcome:
        left.append(stop.now)
        return ACCEPTED

    done = drain(
        database,
        freeze(database, chunk_size=1),
        Carrier([note] * 6, concurrency=3),
        pace=NIGHT,
        stop=stop,
        clock=stop.clock,
        on_wait=lambda until, why: told.append((until, why)),
    )

    assert (done.state, len(left)) == (BroadcastState.DONE, 6)
    assert min(left) >= NOW.replace(hour=18)
    assert told == [(NOW.replace(hour=18), "emails are sent only from 18:00 to 24:00, as set in the pace")]


def test_what_is_under_way_when_the_window_closes_ends_and_the_rest_waits_for_it(database: Database) -> None:
    add_people(database, 2)
    stop = Skipped(NOW.replace(hour=23, minute=59))

    def take_long(_chunk: OutgoingChunk) -> Outcome:
        stop.move(timedelta(minutes=2))
        return ACCEPTED

    carrier = Carrier([take_long])
    done = drain(database, freeze(database, chunk_size=1), carrier, pace=NIGHT, stop=stop, clock=stop.clock)

    assert (tally(database, done).accepted, sum(stop.waited)) == (2, (18 * 60 - 1) * 60)


def test_a_broadcast_of_which_nothing_is_left_does_not_wait_for_the_window(database: Database) -> None:
    add_people(database, 2)
    broadcast = drain(database, freeze(database), Carrier())
    stop = Skipped()

    assert drain(database, broadcast, Carrier(), pace=NIGHT, stop=stop, clock=stop.clock).state is BroadcastState.DONE
    assert not stop.waited


def test_a_broadcast_that_is_held_back_elsewhere_does_not_wait_on(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    carrier, stop = Carrier(), Skipped()

    held = drain(
        database,
        broadcast,
        carrier,
        pace=NIGHT,
        stop=stop,
        clock=stop.clock,
        on_wait=lambda _until, _why: pause_broadcast(database, broadcast.id, "by another program", now=NOW),
    )

    assert (held.state, carrier.handed) == (BroadcastState.PAUSED, [])
    assert stop.waited == [60]


def test_a_person_can_stop_it_while_it_waits_for_the_window(database: Database) -> None:
    add_people(database, 2)
    stop = Event()

    held = drain(
        database,
        freeze(database),
        Carrier(concurrency=2),
        pace=NIGHT,
        stop=stop,
        clock=lambda: NOW,
        on_wait=lambda _until, _why: stop.set(),
    )

    assert (held.state, tally(database, held).waiting) == (BroadcastState.RUNNING, 2)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_minute_sees_more_than_the_rate(database: Database, concurrency: int) -> None:
    add_people(database, 50)
    stop, told = Skipped(), list[tuple[datetime, str]]()
    left: list[datetime] = []

    def note(chunk: OutgoingChunk) -> Outcome:
        left.extend([stop.now] * len(chunk.recipients))
        return ACCEPTED

    done = drain(
        database,
        freeze(database, chunk_size=5),
        Carrier([note] * 10, concurrency=concurrency),
        pace=Pace(rates=(Rate(deliveries=20, seconds=60),)),
        stop=stop,
        clock=stop.clock,
        on_wait=lambda until, why: told.append((until, why)),
    )

    assert tally(database, done).accepted == len(left) == 50
    assert all(sum(first <= each < first + timedelta(minutes=1) for each in left) <= 20 for first in left)
    assert {why for _, why in told} == {"at most 20 per minute, as set in the pace"}
    assert len(told) == 2  # once for each wait, however many workers wait


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(
    ("rate", "seconds", "largest"), [(1, 1, 50), (14, 1, 50), (60, 1, 50), (30, 60, 50), (6, 1, 2)]
)
def test_a_rate_is_used_to_the_full(
    database: Database, rate: int, seconds: int, largest: int, concurrency: int
) -> None:
    periods = 20
    add_people(database, rate * periods)
    pace = Pace(rates=(Rate(deliveries=rate, seconds=seconds),))
    stop, left = Skipped(NOW + timedelta(milliseconds=730)), list[datetime]()

    def note(chunk: OutgoingChunk) -> Outcome:
        left.extend([stop.move(timedelta(milliseconds=5))] * len(chunk.recipients))  # a request takes a moment
        return ACCEPTED

    carrier = Carrier([note] * rate * periods, concurrency=concurrency)
    broadcast = freeze(database, chunk_size=chunk_size_for(largest, pace))
    drain(database, broadcast, carrier, pace=pace, stop=stop, clock=stop.clock)

    period = timedelta(seconds=seconds)
    assert len(left) == rate * periods
    assert all(sum(first <= each < first + period for each in left) <= rate for first in left)
    assert max(left) - min(left) <= periods * period * 1.01


def test_a_rate_and_a_day_of_the_warm_up_hold_together(database: Database) -> None:
    add_people(database, 30)
    ramp = WarmUp(starts=NOW.date(), first_day=20, growth=2, zone=ZoneInfo("UTC"))
    pace, stop = Pace(rates=(Rate(deliveries=2, seconds=1),), warm_up=ramp), Skipped()
    left: list[datetime] = []

    def note(chunk: OutgoingChunk) -> Outcome:
        left.extend([stop.now] * len(chunk.recipients))
        return ACCEPTED

    drain(database, freeze(database, chunk_size=2), Carrier([note] * 15), pace=pace, stop=stop, clock=stop.clock)

    today = [each for each in left if each.date() == NOW.date()]
    assert (len(today), len(left)) == (20, 30)
    assert max(today) - min(today) <= timedelta(seconds=10)


def test_two_broadcasts_share_the_rate_of_their_provider(database: Database) -> None:
    add_people(database, 20)
    pace, first, second = Pace(rates=(Rate(deliveries=20, seconds=60),)), Skipped(), Skipped()

    drain(database, freeze(database), Carrier(), pace=pace, stop=first, clock=first.clock)
    drain(database, freeze(database, "2026-03"), Carrier(), pace=pace, stop=second, clock=second.clock)

    assert not first.waited
    assert sum(second.waited) >= 60


# Mail for a certain time


def scheduled(database: Database, due: datetime, *, batch_id: str = "") -> Broadcast:
    """A broadcast for a time, which runs by now."""
    schedule = Schedule(wall_time=due.replace(tzinfo=None), zone="UTC")
    broadcast = freeze_broadcast(database, replace(request(), schedule=schedule), [variant()], chunk_size=10, now=NOW)
    if batch_id:
        keep_batch(database, broadcast.id, batch_id, due_at=due, margin=timedelta(minutes=10), now=NOW)
    return start_scheduled(database, broadcast.id, now=NOW)


def test_what_is_not_due_stays(database: Database) -> None:
    add_people(database, 2)
    broadcast = scheduled(database, NOW + timedelta(hours=1))
    carrier = Carrier()

    waiting = drain(database, broadcast, carrier, clock=lambda: NOW)
    assert (waiting.state, carrier.handed) == (BroadcastState.RUNNING, [])

    assert drain(database, broadcast, carrier, clock=lambda: NOW + timedelta(hours=1)).state is BroadcastState.DONE
    assert carrier.handed[0].hold_until is None


def test_a_provider_that_can_hold_mail_gets_it_ahead_whatever_the_hour(database: Database) -> None:
    add_people(database, 2)
    due = NOW + timedelta(hours=12)
    carrier, stop = Carrier(), Skipped()

    done = drain(
        database,
        scheduled(database, due, batch_id="batch-1"),
        carrier,
        hold_within=timedelta(hours=72),
        pace=NIGHT,  # it leaves within the window, and is handed over outside
        stop=stop,
        clock=stop.clock,
    )

    (handed,) = carrier.handed
    assert (handed.hold_until, handed.mailing.batch_id) == (due, "batch-1")
    assert (done.state, stop.waited) == (BroadcastState.DONE, [])


# Answers that leave it open


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.QUEUE_THEN_RESET, Fault.QUEUE_THEN_500, Fault.TRUNCATE])
def test_three_unclear_answers_in_a_row_pause(
    database: Database, api: SendGridApi, tmp_path: Path, fault: Fault
) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=1)
    api.script(fault, fault, fault)

    held = drain(database, broadcast, sendgrid(tmp_path, api))

    assert held.state is BroadcastState.PAUSED
    assert (tally(database, held).unknown, tally(database, held).waiting, api.requests) == (3, 3, 3)
    drain(database, go_on(database, held), sendgrid(tmp_path, api))
    assert max(Counter(mail.email for mail in api.accepted).values()) == 1
    assert tally(database, held).unknown == 3


def test_waiting_between_unclear_answers_does_not_make_them_clear(database: Database) -> None:
    add_people(database, 8)
    broadcast = freeze(database, chunk_size=1)

    held = drain(database, broadcast, Carrier([UNKNOWN, wait(), UNKNOWN, wait(), UNKNOWN]))

    assert (held.state, tally(database, held).unknown) == (BroadcastState.PAUSED, 3)


def test_acceptance_between_unclear_answers_lets_it_go_on(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=1)

    done = drain(database, broadcast, Carrier([UNKNOWN, UNKNOWN, ACCEPTED, UNKNOWN, UNKNOWN]))

    assert (done.state, tally(database, done).unknown) == (BroadcastState.DONE, 4)


@pytest.mark.parametrize("answers", [[UNKNOWN] * 4, [UNKNOWN, UNKNOWN, ACCEPTED, UNKNOWN]])
def test_unclear_answers_in_a_row_are_counted_across_drains(database: Database, answers: list[Outcome]) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=1)
    stop = Skipped()

    for number, answer in enumerate(answers):  # as if each zone had only one chunk

        def end(_chunk: OutgoingChunk, answer: Outcome = answer) -> Outcome:
            stop.set()
            return answer

        stop.clear()
        stop.move(timedelta(minutes=1))
        held = drain(database, broadcast, Carrier([end]), stop=stop, clock=stop.clock)
        is_paused = held.state is BroadcastState.PAUSED
        assert is_paused is (number == 2 and answers[2] is UNKNOWN)
        if is_paused:
            assert held.reason.startswith("3 requests in a row ended without a clear answer")
            break


def test_chunks_of_a_program_that_was_killed_say_nothing_about_the_provider(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=1)
    for _ in range(4):
        with database.runner() as runner:
            claimed = claim_chunk(database, broadcast.id, runner.id, [], now=NOW)
            assert isinstance(claimed, ClaimedChunk)
    adopt_orphans(database, broadcast.id, now=NOW)

    done = drain(database, broadcast, Carrier([UNKNOWN, UNKNOWN]))

    assert (done.state, tally(database, done).unknown) == (BroadcastState.DONE, 6)


def test_workers_share_the_count_of_unclear_answers(database: Database) -> None:
    add_people(database, 40)
    broadcast = freeze(database, chunk_size=1)

    held = drain(database, broadcast, Carrier([UNKNOWN] * 40, concurrency=3))

    assert held.state is BroadcastState.PAUSED
    assert 3 <= tally(database, held).unknown <= 5


def test_a_relay_that_breaks_off_every_message_pauses_soon(
    database: Database, relay: SmtpServer, tmp_path: Path
) -> None:
    relay.behavior.on_content = lambda _to: None
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=20)

    held = drain(database, broadcast, smtp(tmp_path, relay))

    assert held.state is BroadcastState.PAUSED
    assert tally(database, held).unknown <= 6
    assert max(Counter(mail.recipient for mail in relay.taken).values()) == 1


# Refusals by a relay: about us, about everyone, about one


@pytest.mark.parametrize(
    "refusal",
    [
        "550 5.4.5 Daily sending quota exceeded",
        "550 5.7.1 daily limit reached",
        "554 refused",
        "550 too many messages today",
        "550 5.1.1 no such user",
        "550 no such user",
    ],
)
def test_a_relay_that_begins_to_refuse_everybody_costs_nobody_their_mail(
    database: Database, relay: SmtpServer, tmp_path: Path, refusal: str
) -> None:
    relay.behavior.on_rcpt = lambda _to: "250 ok" if len(relay.taken) < 7 else refusal
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=30)

    held = drain(database, broadcast, smtp(tmp_path, relay))

    assert held.state is BroadcastState.PAUSED
    assert refusal[4:] in held.reason
    assert (tally(database, held).accepted, tally(database, held).waiting) == (7, 53)
    assert not list(list_suppressions(database))

    relay.behavior.on_rcpt = lambda _to: "250 ok"
    drain(database, go_on(database, held), smtp(tmp_path, relay))
    assert set(Counter(mail.recipient for mail in relay.taken).values()) == {1}
    assert len(relay.taken) == 60


def test_an_address_that_does_not_exist_is_suppressed_and_a_full_mailbox_is_not(
    database: Database, relay: SmtpServer, tmp_path: Path
) -> None:
    replies = {"person00001@example.org": "550 5.1.1 unknown", "person00002@example.org": "552 5.2.2 mailbox full"}
    relay.behavior.on_rcpt = lambda to: replies.get(to, "250 ok")
    add_people(database, 4)

    done = drain(database, freeze(database), smtp(tmp_path, relay))

    assert (tally(database, done).accepted, tally(database, done).invalid) == (2, 2)
    assert {count.reason for count in settled_counts(database, done.id)} == set(replies.values())
    assert [each.email for each in list_suppressions(database)] == ["person00001@example.org"]


def test_a_message_refused_halfway_through_a_chunk_is_not_lost_on_the_rest(
    database: Database, relay: SmtpServer, tmp_path: Path
) -> None:
    relay.behavior.on_content = lambda _to: TAKEN if len(relay.taken) < 2 else "554 5.6.0 no"
    add_people(database, 6)

    stopped = drain(database, freeze(database, chunk_size=4), smtp(tmp_path, relay))

    assert stopped.state is BroadcastState.STOPPED
    assert outcome_of(database, stopped) == (2, 0, 4)
    relay.behavior.on_content = lambda _to: TAKEN
    drain(database, freeze(database), smtp(tmp_path, relay))
    assert set(Counter(mail.recipient for mail in relay.taken).values()) == {1}
    assert len(relay.taken) == 6


# What goes wrong in our own house


def test_a_worker_that_fails_ends_the_work_of_the_others(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=1)
    stop = Event()

    def fail(_chunk: OutgoingChunk) -> Outcome:
        raise RuntimeError("a fault of ours")

    def slow(_chunk: OutgoingChunk) -> Outcome:
        stop.wait(5)
        return ACCEPTED

    carrier = Carrier([slow, fail], concurrency=2)  # the worker that is looked at first is not the one that fails

    with pytest.raises(RuntimeError, match="a fault of ours"):
        drain(database, broadcast, carrier, stop=stop)

    assert len(carrier.handed) == 2
    assert (tally(database, broadcast).accepted, tally(database, broadcast).inflight) == (1, 1)
    drain(database, go_on(database, broadcast), carrier)
    assert (tally(database, broadcast).accepted, tally(database, broadcast).unknown) == (5, 1)
    assert max(Counter(carrier.taken).values()) == 1


def test_an_outcome_is_recorded_as_soon_as_another_program_lets_go_of_the_database(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)

    def while_an_import_begins(_chunk: OutgoingChunk) -> Outcome:
        other.execute("BEGIN IMMEDIATE")
        return ACCEPTED

    letting_go = Timer(0.4, lambda: other.execute("ROLLBACK"))  # longer than one wait of the database
    letting_go.start()
    done = drain(database, broadcast, Carrier([while_an_import_begins]))
    letting_go.join()
    other.close()

    assert (done.state, tally(database, done).accepted) == (BroadcastState.DONE, 3)


def test_an_outcome_that_cannot_be_recorded_stays_unknown_and_is_never_sent_again(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)

    def lock_for_good(_chunk: OutgoingChunk) -> Outcome:
        other.execute("BEGIN IMMEDIATE")
        return ACCEPTED

    carrier = Carrier([lock_for_good])
    with pytest.raises(StoreError, match="another program is writing"):
        drain(database, broadcast, carrier)
    other.close()

    assert (tally(database, broadcast).inflight, tally(database, broadcast).waiting) == (2, 2)
    drain(database, go_on(database, broadcast), carrier)
    assert (tally(database, broadcast).accepted, tally(database, broadcast).unknown) == (2, 2)
    assert max(Counter(carrier.taken).values()) == 1
    assert {each.email for each in unknown_deliveries(database, broadcast.id)} == {
        "person00000@example.org",
        "person00001@example.org",
    }


def test_a_claim_that_cannot_be_written_sends_nothing(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=1)
    carrier = Carrier()
    with database.transaction() as connection:
        connection.execute("CREATE TRIGGER no_room BEFORE UPDATE ON chunk BEGIN SELECT raise(ABORT, 'no room'); END")

    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        drain(database, broadcast, carrier)

    assert not carrier.handed
    assert tally(database, broadcast).waiting == 3


def test_a_second_interruption_waits_for_no_answer_and_the_request_is_unknown(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=1)
    interrupted = Event()

    def while_somebody_presses_ctrl_c(_chunk: OutgoingChunk) -> Outcome:
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
        assert interrupted.wait(5), "the interruption was not passed on"
        return ACCEPTED

    carrier = Carrier([while_somebody_presses_ctrl_c])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a runner in the background ignores it

    try:
        with pytest.raises(KeyboardInterrupt):
            drain_broadcast(database, broadcast, carrier, on_settled=lambda _: None, stop=interrupted)
    finally:
        signal.signal(signal.SIGINT, before)

    assert (tally(database, broadcast).unknown, tally(database, broadcast).waiting) == (1, 4)
    assert require_broadcast(database, broadcast.id).state is BroadcastState.RUNNING
    drain(database, go_on(database, broadcast), carrier)
    assert Counter(carrier.taken) == Counter(set(carrier.taken))
    assert (tally(database, broadcast).unknown, tally(database, broadcast).accepted) == (1, 4)


def test_two_openings_drain_one_broadcast_without_overlap(database: Database) -> None:
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=1)
    carriers = [Carrier(concurrency=2), Carrier(concurrency=2)]

    with (
        open_test_database(database.path) as one,
        open_test_database(database.path) as other,
        ThreadPoolExecutor(2) as both,
    ):
        ended = [
            both.submit(drain_broadcast, opening, broadcast, carrier, on_settled=lambda _: None, stop=Event())
            for opening, carrier in zip((one, other), carriers, strict=True)
        ]
        for each in ended:
            each.result(timeout=20)

    assert Counter(carriers[0].taken + carriers[1].taken) == Counter(range(1, 61))
    assert tally(database, broadcast).accepted == 60


def test_a_worker_whose_mail_was_taken_waits_as_well_where_the_provider_asks_to(database: Database) -> None:
    add_people(database, 40)
    broadcast = freeze(database)
    told, settled = Event(), Event()
    inflight: list[int] = []

    class Patient(Skipped):
        """Its clock stands still until the first mail is settled."""

        def wait(self, timeout: float | None = None) -> bool:
            assert settled.wait(10)
            return super().wait(timeout)

    def take_after_that(_: OutgoingChunk) -> Outcome:
        assert told.wait(10)
        return ACCEPTED

    def on_settled(more: int) -> None:
        if more:
            inflight.append(tally(database, broadcast).inflight)
            settled.set()

    halt = Patient()
    drain(
        database,
        broadcast,
        Carrier([take_after_that, wait(600)], concurrency=2),
        on_settled=on_settled,
        stop=halt,
        clock=halt.clock,
        on_wait=lambda _until, _reason: told.set(),
    )
    assert inflight[0] == 0  # it has not claimed another chunk
    assert tally(database, broadcast).accepted == 40


def test_an_outcome_and_the_next_claim_are_one_commit_where_nothing_sets_a_pace(
    database: Database, tmp_path: Path
) -> None:
    add_people(database, 30)
    broadcast = freeze(database)
    settled: list[tuple[int, int]] = []

    with open_test_database(tmp_path / "newsletter.db") as own:

        def on_settled(_: int) -> None:
            found = tally_of(own, broadcast.id)
            settled.append((found.accepted, found.inflight))

        drain(database, broadcast, Carrier(), on_settled=on_settled, pace=Pace(setting="[provider.outbox.pace]"))

    assert settled == [(10, 10), (20, 10), (30, 0)]  # when it is reported, the next one is claimed


# Refusals


def deferred(chunk: OutgoingChunk) -> Outcome:
    """Everyone in the chunk is refused for now."""
    who = {recipient.delivery: "450 mailbox busy" for recipient in chunk.recipients}
    return Outcome(verdict=Verdict.READY, deferred=who)


def test_a_mailbox_that_is_always_busy_does_not_keep_the_others_waiting(database: Database) -> None:
    add_people(database, 4)
    carrier, stop = Carrier([deferred, ACCEPTED, ACCEPTED, ACCEPTED, deferred, deferred]), Skipped()
    broadcast = freeze(database, chunk_size=1)

    ended = drain(database, broadcast, carrier, stop=stop, clock=stop.clock)

    assert ended.state is BroadcastState.DONE
    assert (tally(database, broadcast).accepted, tally(database, broadcast).deferred) == (3, 1)
    first = carrier.taken[0]
    assert [index for index, who in enumerate(carrier.taken) if who == first] == [0, 4, 5]
    assert ended.continues_at is not None


def test_a_relay_that_allows_fewer_connections_gets_fewer(database: Database) -> None:
    add_people(database, 6)
    retire = Outcome(verdict=Verdict.READY, next_step=NextStep.RETIRE, reason="421 too many connections")
    carrier, notes = Carrier([retire, retire], concurrency=3), list[str]()
    broadcast = freeze(database, chunk_size=1)

    ended = drain(database, broadcast, carrier, on_note=notes.append)

    assert ended.state is BroadcastState.DONE
    assert tally(database, broadcast).accepted == 6
    (note,) = notes
    assert "set concurrency = 1 under [provider.outbox]" in note


def test_the_last_connection_does_not_retire_but_waits(database: Database) -> None:
    add_people(database, 2)
    retire = Outcome(verdict=Verdict.READY, next_step=NextStep.RETIRE, reason="421 too many connections")
    carrier, stop = Carrier([retire, retire]), Skipped()
    broadcast = freeze(database, chunk_size=1)

    assert drain(database, broadcast, carrier, stop=stop, clock=stop.clock).state is BroadcastState.DONE
    assert len(stop.waited) >= 1


def test_a_provider_that_accepts_nothing_pauses_until_it_may_again(database: Database) -> None:
    add_people(database, 20)
    carrier, stop = Carrier([wait(None)] * 50), Skipped()
    broadcast = freeze(database, chunk_size=1)

    ended = drain(database, broadcast, carrier, stop=stop, clock=stop.clock)

    assert ended.state is BroadcastState.PAUSED
    assert len(carrier.handed) == MAX_TRIES  # over the whole drain, not for each chunk
    assert ended.continues_at is not None


class Metered(Carrier):
    """A relay that accepts so many chunks in a minute."""

    def __init__(self, each_minute: int, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.clock, self.each_minute = clock, each_minute
        self.accepted_at: list[datetime] = []
        self.refusals = 0

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        now = self.clock()
        if len([moment for moment in self.accepted_at if now - moment < timedelta(minutes=1)]) >= self.each_minute:
            self.refusals += 1
            return Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason="451 rate limit", may_wait_long=True)
        self.accepted_at.append(now)
        return ACCEPTED


def test_a_relay_with_a_rate_is_followed_at_its_rate(database: Database) -> None:
    add_people(database, 120)
    stop = Skipped()
    relay = Metered(10, stop.clock)
    broadcast = freeze(database, chunk_size=1)

    ended = drain(database, broadcast, relay, stop=stop, clock=stop.clock)

    assert ended.state is BroadcastState.DONE
    assert tally(database, broadcast).accepted == 120
    assert stop.now - NOW < timedelta(minutes=12 * 1.5)
    assert relay.refusals < 12 * 6


def test_a_relay_that_never_accepts_again_pauses_after_an_hour(database: Database) -> None:
    add_people(database, 3)
    stop = Skipped()
    relay = Metered(0, stop.clock)
    broadcast = freeze(database, chunk_size=1)

    ended = drain(database, broadcast, relay, stop=stop, clock=stop.clock)

    assert ended.state is BroadcastState.PAUSED
    assert timedelta(hours=1) < stop.now - NOW < timedelta(hours=2)


@pytest.mark.parametrize("chunk_size", [1, 2, 7, 100])
@pytest.mark.parametrize("words", ["550 5.7.1 local policy", "554 refused", "550 5.7.1 looks like spam"])
def test_a_relay_that_refuses_everybody_is_found_out_however_the_chunks_are_cut(
    database: Database, tmp_path: Path, relay: SmtpServer, chunk_size: int, words: str
) -> None:
    relay.behavior.on_rcpt = lambda _to: "250 ok" if len(relay.taken) < 9 else words
    add_people(database, 40)
    broadcast = freeze(database, chunk_size=chunk_size)

    ended = drain(database, broadcast, smtp(tmp_path, relay))

    assert ended.state is BroadcastState.PAUSED
    found = tally(database, broadcast)
    assert (found.accepted, found.waiting) == (9, 31)
    assert words in ended.reason


def test_the_last_person_refused_by_policy_is_rejected_and_not_blocked(
    database: Database, tmp_path: Path, relay: SmtpServer
) -> None:
    relay.behavior.on_rcpt = lambda to: "550 5.7.1 local policy" if to.startswith("person00004") else "250 ok"
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=2)

    ended = drain(database, broadcast, smtp(tmp_path, relay))

    assert ended.state is BroadcastState.DONE
    assert (tally(database, broadcast).accepted, tally(database, broadcast).rejected) == (4, 1)
    assert not list(list_suppressions(database))


@pytest.mark.parametrize("refused", [5, 6, 8, 13])
@pytest.mark.parametrize("chunk_size", [4, 25])
def test_a_relay_that_refuses_the_last_people_is_found_out_over_all_its_connections(
    database: Database, tmp_path: Path, relay: SmtpServer, refused: int, chunk_size: int
) -> None:
    """Each connection has only a few of them, and records others who were accepted before the next one records."""
    asked: list[str] = []

    def refuse(to: str) -> str:
        asked.append(to)
        return "250 ok" if len(asked) <= 100 - refused else "550 5.7.1 local policy"

    relay.behavior.on_rcpt = refuse
    add_people(database, 100)
    broadcast = freeze(database, chunk_size=chunk_size)

    ended = drain(database, broadcast, smtp(tmp_path, relay, connections=4))

    assert ended.state is BroadcastState.PAUSED
    found = tally(database, broadcast)
    assert (found.accepted, found.waiting, found.rejected) == (100 - refused, refused, 0)

    relay.behavior.on_rcpt = lambda _to: "250 ok"
    assert drain(database, go_on(database, ended), smtp(tmp_path, relay)).state is BroadcastState.DONE
    assert len(relay.taken) == tally(database, broadcast).accepted == 100


@pytest.mark.parametrize(
    "words",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        "554 5.7.1 Relay access denied",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "550 5.7.1 local policy",
        "550 5.1.1 no such user",
    ],
)
@pytest.mark.parametrize("people", [1, 3])
def test_no_one_is_blamed_while_the_relay_accepts_no_one(
    database: Database, tmp_path: Path, relay: SmtpServer, words: str, people: int
) -> None:
    relay.behavior.on_rcpt = lambda _to: words
    add_people(database, people)
    broadcast = freeze(database)

    for _ in range(5):
        broadcast = drain(database, broadcast, smtp(tmp_path, relay))
        assert broadcast.state is BroadcastState.PAUSED
        assert tally(database, broadcast).waiting == people
        broadcast = go_on(database, broadcast)

    relay.behavior.on_rcpt = lambda _to: "250 ok"
    assert drain(database, broadcast, smtp(tmp_path, relay)).state is BroadcastState.DONE
    assert tally(database, broadcast).accepted == people


def test_a_quota_that_ends_before_the_last_people_rejects_none_of_them(
    database: Database, tmp_path: Path, relay: SmtpServer
) -> None:
    relay.behavior.on_rcpt = lambda _to: "250 ok" if len(relay.taken) < 22 else "550 5.4.5 Daily sending quota exceeded"
    add_people(database, 25)
    broadcast = freeze(database, chunk_size=10)

    for _ in range(20):
        broadcast = drain(database, broadcast, smtp(tmp_path, relay))
        assert broadcast.continues_at is not None
        assert (tally(database, broadcast).accepted, tally(database, broadcast).waiting) == (22, 3)
        broadcast = go_on(database, broadcast)


@pytest.mark.parametrize(
    "words",
    ["550 5.7.1 Relay access denied", "550 5.1.8 bad sender", "550 5.4.5 daily sending quota exceeded"],
)
def test_one_person_who_is_refused_as_if_it_were_us_keeps_no_one_from_their_mail(
    database: Database, tmp_path: Path, relay: SmtpServer, words: str
) -> None:
    relay.behavior.on_rcpt = lambda to: words if to.startswith("person00003") else "250 ok"
    add_people(database, 12)
    broadcast = freeze(database, chunk_size=5)

    for _ in range(4):
        broadcast = drain(database, broadcast, smtp(tmp_path, relay), stop=(stop := Skipped()), clock=stop.clock)
        if broadcast.state is BroadcastState.DONE:
            break
        broadcast = go_on(database, broadcast)

    assert broadcast.state is BroadcastState.DONE
    found = tally(database, broadcast)
    assert (found.accepted, found.rejected + found.deferred) == (11, 1)


@pytest.mark.parametrize(
    ("words", "pauses"),
    [
        ("450 4.4.1 connect to mx.example.net: Connection timed out", 0),
        ("450 4.2.0 Greylisted, try again later", 0),
        ("452 4.2.2 over quota", 0),
        ("450 4.7.1 not now", 3),  # this may be about us, so the relay is left alone in between
    ],
)
def test_many_neighbors_whose_server_is_out_of_order_keep_no_one_from_their_mail(
    database: Database, tmp_path: Path, relay: SmtpServer, words: str, pauses: int
) -> None:
    relay.behavior.on_rcpt = lambda to: words if int(to[6:11]) < 30 else "250 ok"
    add_people(database, 100)
    broadcast, provider = freeze(database, chunk_size=100), smtp(tmp_path, relay)

    ended = drain(database, broadcast, provider, stop=(stop := Skipped()), clock=stop.clock)
    assert tally(database, broadcast).accepted >= 69
    for _ in range(pauses):
        if ended.state is BroadcastState.DONE:
            break
        assert ended.continues_at is not None
        ended = drain(database, go_on(database, ended), provider, stop=(stop := Skipped()), clock=stop.clock)

    assert tally(database, broadcast).accepted == 70, ended.reason
