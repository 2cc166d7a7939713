"""What is scheduled is handed over when it is due: once, in time, and never late by itself."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import BroadcastState, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast, start_scheduled
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.recall import batches_of
from newsletter.store.ledger.status import tally_of
from newsletter.system.log import command_log
from newsletter.workflows.send.carry_out import Work, carry_out
from newsletter.workflows.send.deliver import deliver
from newsletter.workflows.send.due import Due
from newsletter.workflows.send.plan import reopen_broadcast, require_unfinished
from newsletter.workflows.send.run_due import look_at_due, run_due
from tests.store.builders import add, add_people, row
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, UNKNOWN, Carrier
from tests.workflows.send.scheduled import AT, DEAF, NOW, THURSDAY, Holder, Hurried, SetClock, freeze_at, run_at
from tests.workspaces import CONFIG, write_workspace

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HELD_BACK = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="401 the key is wrong")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The smallest workspace."""
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with 25 people."""
    with open_test_database(config.database) as opened:
        add_people(opened, 25)
        yield opened


def with_pace(config: Config, keys: str) -> Config:
    """The workspace with a pace."""
    text = f"{CONFIG}\n[provider.outbox.pace]\n{keys}\n"
    (config.root / "newsletter.toml").write_text(text, encoding="utf-8")
    return load_config(config.root)


def test_nothing_leaves_before_its_time_and_all_of_it_then(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)

    (before,) = run_at(config, database, carrier, THURSDAY - MINUTE)
    (then,) = run_at(config, database, carrier, THURSDAY)

    assert (before.found.due, before.is_news, before.tally.waiting) == (Due.WAIT, False, 25)
    assert (then.handed_over, then.broadcast.state) == (25, BroadcastState.DONE)
    assert Counter(carrier.taken) == Counter(range(1, 26))
    assert all(chunk.hold_until is None for chunk in carrier.handed)
    assert run_at(config, database, carrier, THURSDAY + HOUR) == []
    assert require_broadcast(database, broadcast.id).due_at == THURSDAY


def test_a_provider_that_holds_mail_is_handed_it_the_lead_ahead_under_one_batch(
    config: Config, database: Database
) -> None:
    holder = Holder()
    carrier = Carrier(scheduler=holder)
    freeze_at(config, database, carrier)

    (early,) = run_at(config, database, carrier, THURSDAY - HOUR - MINUTE)
    (then,) = run_at(config, database, carrier, THURSDAY - HOUR)

    assert (early.found.due, then.broadcast.state) == (Due.WAIT, BroadcastState.DONE)
    assert holder.opened == ["batch-1"]
    assert {chunk.hold_until for chunk in carrier.handed} == {THURSDAY}
    assert {chunk.mailing.batch_id for chunk in carrier.handed} == {"batch-1"}


def test_the_batch_id_is_in_the_ledger_before_anything_is_held_under_it(config: Config, database: Database) -> None:
    kept: list[str] = []

    def look(_: OutgoingChunk) -> Outcome:
        kept.append(batches_of(database, 1)[0].id)
        return ACCEPTED

    carrier = Carrier([look] * 3, scheduler=Holder())
    freeze_at(config, database, carrier)
    run_at(config, database, carrier, THURSDAY - HOUR)
    assert kept == ["batch-1"] * 3


def test_a_crash_after_the_batch_was_opened_goes_on_under_it(config: Config, database: Database) -> None:
    def die(_: OutgoingChunk) -> Outcome:
        raise KeyboardInterrupt

    holder = Holder()
    carrier = Carrier([die], scheduler=holder)
    freeze_at(config, database, carrier)
    with pytest.raises(KeyboardInterrupt):
        run_at(config, database, carrier, THURSDAY - HOUR)

    (then,) = run_at(config, database, carrier, THURSDAY - HOUR)

    assert holder.opened == ["batch-1"]
    assert (then.tally.accepted, then.tally.unknown) == (15, 10)
    assert max(Counter(carrier.taken).values()) == 1


def test_a_provider_without_a_batch_id_to_give_leaves_the_broadcast_as_it_is(
    config: Config, database: Database
) -> None:
    holder = Holder(failing="SendGrid cannot be reached; try again")
    carrier = Carrier(scheduler=holder)
    freeze_at(config, database, carrier)

    (failed,) = run_at(config, database, carrier, THURSDAY - HOUR)
    holder.failing = ""
    (then,) = run_at(config, database, carrier, THURSDAY - HOUR)

    assert failed.failure == "SendGrid cannot be reached; try again"
    assert failed.broadcast.state is BroadcastState.SCHEDULED
    assert then.broadcast.state is BroadcastState.DONE


def test_what_is_late_within_bounds_leaves_without_being_held(config: Config, database: Database) -> None:
    carrier = Carrier(scheduler=Holder())
    freeze_at(config, database, carrier)
    (then,) = run_at(config, database, carrier, THURSDAY + 6 * HOUR)
    assert then.broadcast.state is BroadcastState.DONE
    assert {chunk.hold_until for chunk in carrier.handed} == {None}


def test_what_is_later_than_that_waits_for_a_person_who_may_send_it(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)
    late = THURSDAY + 6 * HOUR + MINUTE

    (held,) = run_at(config, database, carrier, late)

    assert (held.found.due, held.broadcast.state, carrier.taken) == (Due.HOLD_BACK, BroadcastState.PAUSED, [])
    assert "more than 6 hours late, so it was not sent automatically" in held.broadcast.reason
    assert run_at(config, database, carrier, late) == []
    found = require_unfinished(database, None, carrier, lead=HOUR, now=late)
    reopened = reopen_broadcast(database, found.id, now=late)
    deliver(config, database, reopened, carrier, ahead=None, listener=DEAF, stop=Event(), clock=SetClock(late))
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE


def test_what_a_person_resumed_late_and_did_not_finish_goes_on_by_itself(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)
    late = THURSDAY + 30 * HOUR
    run_at(config, database, carrier, late)
    reopen_broadcast(database, broadcast.id, now=late)
    (then,) = run_at(config, database, carrier, late + MINUTE)
    assert (then.handed_over, then.broadcast.state) == (25, BroadcastState.DONE)


def test_what_a_pace_slows_down_is_not_late(config: Config, database: Database) -> None:
    config = with_pace(config, "per_day = 10")
    carrier = Carrier()
    freeze_at(config, database, carrier)

    runs = [run_at(config, database, carrier, THURSDAY + hours * HOUR)[0] for hours in (0, 23, 25, 48, 51)]

    assert [run.handed_over for run in runs] == [10, 0, 10, 0, 5]
    assert runs[0].waits.startswith("at most 10 per day")
    assert runs[-1].broadcast.state is BroadcastState.DONE


def test_a_slow_broadcast_that_nobody_carried_on_for_days_is_late(config: Config, database: Database) -> None:
    config = with_pace(config, "per_day = 10")
    carrier = Carrier()
    freeze_at(config, database, carrier)
    run_at(config, database, carrier, THURSDAY)
    (held,) = run_at(config, database, carrier, THURSDAY + 31 * HOUR)
    assert held.found.due is Due.HOLD_BACK


def test_closed_hours_leave_the_rest_to_a_later_run(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, carrier)
    config = with_pace(config, 'hours = "09:00-17:00"')

    (closed,) = run_at(config, database, carrier, THURSDAY)
    (opened,) = run_at(config, database, carrier, THURSDAY + HOUR)

    assert (closed.found.due, closed.is_news) == (Due.WAIT, False)
    assert closed.found.until == THURSDAY + HOUR
    assert "from 09:00 to 17:00" in closed.found.reason
    assert opened.broadcast.state is BroadcastState.DONE


def test_each_zone_gets_it_at_its_own_time_and_past_ones_at_once(config: Config, database: Database) -> None:
    zones = ["Asia/Tokyo", "Europe/Paris", "America/New_York"]
    add(database, *(row(f"{zone[:4]}@example.net", timezone=zone) for zone in zones))
    carrier = Carrier()
    now = datetime(2026, 2, 19, 2, 0, tzinfo=UTC)  # 11 in the morning in Tokyo
    freeze_at(config, database, carrier, is_local_time=True, now=now)

    handed = {}
    for hours in (0, 5, 11, 14):
        run_at(config, database, carrier, now + hours * HOUR)
        handed[hours] = len(carrier.taken)

    assert handed == {0: 1, 5: 2, 11: 3, 14: 28}
    assert [chunk.recipients[0].email for chunk in carrier.handed[:3]] == [f"{zone[:4]}@example.net" for zone in zones]


def test_a_broadcast_without_a_time_is_left_to_a_person(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, carrier, at=None)
    assert run_at(config, database, carrier, THURSDAY) == []
    assert carrier.handed == []


def test_a_broadcast_that_the_provider_holds_back_says_so_and_is_not_tried_again(
    config: Config, database: Database
) -> None:
    carrier = Carrier([HELD_BACK])
    freeze_at(config, database, carrier)
    (held,) = run_at(config, database, carrier, THURSDAY)
    assert (held.broadcast.state, held.broadcast.reason) == (BroadcastState.PAUSED, "401 the key is wrong")
    assert run_at(config, database, carrier, THURSDAY) == []


def test_what_a_dead_process_was_handing_over_is_told_once(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)
    start_scheduled(database, broadcast.id, now=THURSDAY)
    with database.runner() as runner:
        claim_chunk(database, broadcast.id, runner.id, (), now=THURSDAY)

    (then,) = run_at(config, database, carrier, THURSDAY)

    assert (then.tally.unknown - then.found.tally.unknown, then.tally.accepted) == (10, 15)


def test_a_second_run_beside_a_living_one_shares_the_work_and_doubles_nothing(
    config: Config, database: Database
) -> None:
    carrier = Carrier()
    second: list[int] = []

    def meanwhile(_: OutgoingChunk) -> Outcome:
        with open_test_database(config.database) as own:
            (other,) = run_at(config, own, carrier, THURSDAY)
        second.append(other.tally.inflight)
        return ACCEPTED

    carrier.script.append(meanwhile)
    freeze_at(config, database, carrier)
    (first,) = run_at(config, database, carrier, THURSDAY)

    assert second == [10]
    assert Counter(carrier.taken) == Counter(range(1, 26))
    assert (first.tally.accepted, first.broadcast.state) == (25, BroadcastState.DONE)


def test_what_goes_wrong_with_one_broadcast_does_not_hold_up_another(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, Carrier(name="smtp"))
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET provider = 'smtp'")
    freeze_at(config, database, carrier)  # to the same people, because the outbox excludes no one from another provider

    refused, sent = run_at(config, database, carrier, THURSDAY)

    assert "started with smtp" in refused.failure
    assert (sent.handed_over, sent.broadcast.state) == (25, BroadcastState.DONE)


def test_a_provider_is_opened_only_for_what_is_nearly_due(config: Config, database: Database) -> None:
    def missing() -> Provider:
        raise ProviderError("SENDGRID_API_KEY is not set; set it")

    freeze_at(config, database, Carrier())

    def run(now: datetime) -> str:
        (done,) = run_due(config, database, missing, listener=DEAF, new_stop=Event, clock=SetClock(now))
        return done.failure

    assert run(THURSDAY - 2 * HOUR) == ""
    assert run(THURSDAY) == "SENDGRID_API_KEY is not set; set it"
    assert list_broadcasts(database)[0].state is BroadcastState.SCHEDULED


def test_a_look_at_what_is_due_changes_nothing(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)
    before = require_broadcast(database, broadcast.id), tally_of(database, broadcast.id)

    looks = [
        look_at_due(config, database, lambda: carrier, now=now)[0].due for now in (NOW, THURSDAY, THURSDAY + 7 * HOUR)
    ]

    assert looks == [Due.WAIT, Due.HAND_OVER, Due.HOLD_BACK]
    assert (require_broadcast(database, broadcast.id), tally_of(database, broadcast.id)) == before
    assert carrier.handed == []


def test_edits_after_the_yes_change_nothing_of_what_leaves(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, carrier)
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text("Other words.\n", encoding="utf-8")
    run_at(config, database, carrier, THURSDAY)
    assert "This is a small letter" in "".join(carrier.handed[0].mailing.variant.text.parts)


def test_a_run_that_is_asked_to_end_leaves_the_rest(config: Config, database: Database) -> None:
    freeze_at(config, database, Carrier())
    asked = Event()
    asked.set()
    assert list(run_due(config, database, Carrier, listener=DEAF, new_stop=lambda: asked)) == []


def test_what_a_run_does_is_logged(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier)
    for now in (NOW, THURSDAY):
        with command_log(config.root, "run-due") as log:
            list(
                run_due(config, database, lambda: carrier, listener=DEAF, new_stop=Event, clock=SetClock(now), log=log)
            )

    lines = [json.loads(line) for line in (config.root / "logs/run-due.log").read_text().splitlines()]
    started, ended, _, begins, done, _ = [line["what"] for line in lines]
    assert (started, ended) == ("started", "ended")
    assert "sending begins: 25 waiting" in begins
    assert "25 sent in this run; it is done: 25 accepted" in done
    assert [line.get("broadcast") for line in lines] == [None, None, None, broadcast.id, broadcast.id, None]


def test_unknown_deliveries_of_a_run_are_told(config: Config, database: Database) -> None:
    carrier = Carrier([UNKNOWN])
    freeze_at(config, database, carrier, at=AT)
    (done,) = run_at(config, database, carrier, THURSDAY)
    assert (done.tally.unknown, done.tally.accepted, done.broadcast.state) == (10, 15, BroadcastState.DONE)


def test_what_is_found_out_after_days_does_not_make_a_late_broadcast_timely(config: Config, database: Database) -> None:
    broadcast = freeze_at(config, database, Carrier())
    start_scheduled(database, broadcast.id, now=THURSDAY)
    with database.runner() as dead:
        claim_chunk(database, broadcast.id, dead.id, (), now=THURSDAY)
    carrier = Carrier()

    (held,) = run_at(config, database, carrier, THURSDAY + 72 * HOUR)

    assert (held.found.due, held.broadcast.state, carrier.handed) == (Due.HOLD_BACK, BroadcastState.PAUSED, [])
    assert held.tally.unknown == 10


def test_what_a_living_process_is_handing_over_is_not_late(config: Config, database: Database) -> None:
    broadcast = freeze_at(config, database, Carrier())
    start_scheduled(database, broadcast.id, now=THURSDAY)
    with database.runner() as slow:
        claim_chunk(database, broadcast.id, slow.id, (), now=THURSDAY)
        (beside,) = run_at(config, database, Carrier(), THURSDAY + 7 * HOUR)
    assert (beside.found.due, beside.handed_over) == (Due.HAND_OVER, 15)


def test_a_time_zone_whose_moment_is_long_before_the_sending_hours_is_not_late(
    config: Config, database: Database
) -> None:
    add(database, row("tokyo@example.net", timezone="Asia/Tokyo"))
    carrier = Carrier()
    freeze_at(config, database, carrier, is_local_time=True)  # 8:00 am in Tokyo is 3:00 pm the day before here
    config = with_pace(config, 'hours = "08:00-14:00"')

    (closed,) = run_at(config, database, carrier, THURSDAY - 10 * HOUR)
    (opened,) = run_at(config, database, carrier, THURSDAY)

    assert closed.found.due is Due.WAIT
    assert (opened.found.due, opened.handed_over) == (Due.HAND_OVER, 26)


def test_a_cancelling_that_somebody_else_ends_meanwhile_does_not_hold_up_another_broadcast(
    config: Config, database: Database
) -> None:
    carrier = Carrier()
    cancelled = freeze_at(config, database, carrier)
    begin_cancel(database, cancelled.id, now=NOW)
    add_people(database, 5, prefix="later")
    freeze_at(config, database, carrier, at="2026-02-19 08:01")
    looked = SetClock(THURSDAY + MINUTE)
    found = look_at_due(config, database, lambda: carrier, now=looked.now)
    finish_cancel(database, cancelled.id, now=NOW)

    work = Work(config=config, database=database, opened=lambda: carrier, listener=DEAF, new_stop=Event, clock=looked)

    ended, sent = (carry_out(work, each, stop=Event()) for each in found)

    assert (ended.broadcast.state, ended.failure) == (BroadcastState.CANCELLED, "")
    assert sent.broadcast.state is BroadcastState.DONE


def test_what_waits_for_nothing_keeps_the_sending_hours_of_a_provider_that_holds_mail(
    config: Config, database: Database
) -> None:
    add(database, row("tokyo@example.net", timezone="Asia/Tokyo"))
    carrier = Carrier(scheduler=Holder())
    now = datetime(2026, 2, 19, 2, 0, tzinfo=UTC)  # 11 in the morning in Tokyo, 6 in the evening in Los Angeles
    freeze_at(config, database, carrier, is_local_time=True, now=now)
    config = with_pace(config, 'hours = "07:00-17:00"')

    run_at(config, database, carrier, now)
    assert carrier.handed == []
    run_at(config, database, carrier, THURSDAY - HOUR)
    assert Counter(carrier.taken) == Counter(range(1, 27))
    assert {chunk.hold_until for chunk in carrier.handed} == {None, THURSDAY}


def quota(_chunk: OutgoingChunk) -> Outcome:
    return Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="quota used up", retry_after_seconds=3600)


def busy(chunk: OutgoingChunk) -> Outcome:
    return Outcome(verdict=Verdict.READY, deferred={recipient.delivery: "450 busy" for recipient in chunk.recipients})


def test_what_was_paused_for_a_reason_that_passes_goes_on_by_itself(config: Config, database: Database) -> None:
    carrier = Carrier([quota, quota])
    broadcast = freeze_at(config, database, carrier)
    run_at(config, database, carrier, THURSDAY)

    (early,) = run_at(config, database, carrier, THURSDAY + HOUR - MINUTE)
    (again,) = run_at(config, database, carrier, THURSDAY + HOUR)
    (then,) = run_at(config, database, carrier, THURSDAY + 2 * HOUR)

    assert (early.found.due, early.is_news) == (Due.WAIT, False)
    assert (again.broadcast.state, again.is_news) == (BroadcastState.PAUSED, False)
    assert (then.broadcast.state, then.tally.accepted) == (BroadcastState.DONE, 25)
    assert require_broadcast(database, broadcast.id).continues_at is None


def test_a_day_s_quota_delays_a_broadcast_but_does_not_make_it_late(config: Config, database: Database) -> None:
    carrier = Carrier([ACCEPTED] + [quota] * 20)
    freeze_at(config, database, carrier)
    for hours in range(20):
        run_at(config, database, carrier, THURSDAY + hours * HOUR)
    carrier.script = []

    (then,) = run_at(config, database, carrier, THURSDAY + 20 * HOUR)

    assert (then.found.due, then.broadcast.state) == (Due.HAND_OVER, BroadcastState.DONE)
    assert then.tally.accepted == 25


def test_the_rest_is_not_sent_once_an_event_in_it_is_over(config: Config, database: Database) -> None:
    carrier = Carrier([quota])
    freeze_at(config, database, carrier)
    with database.transaction() as connection:
        connection.execute("UPDATE broadcast SET good_until = '2026-02-19T16:30:00Z'", {})
    run_at(config, database, carrier, THURSDAY)

    (late,) = run_at(config, database, carrier, THURSDAY + 2 * HOUR)

    assert late.found.due is Due.HOLD_BACK
    assert late.broadcast.reason == "an event in it is over: quota used up"
    assert late.tally.accepted == 0


def test_what_stands_still_for_two_days_waits_for_a_person(config: Config, database: Database) -> None:
    carrier = Carrier([quota])
    deliver_now = freeze_at(config, database, carrier)
    with database.transaction() as connection:  # without a time, so that it cannot be late
        connection.execute("UPDATE broadcast SET due_at = '', state = 'running', continues_at = created_at", {})
        connection.execute("UPDATE chunk SET due_at = ''", {})
    run_at(config, database, carrier, THURSDAY)

    (late,) = run_at(config, database, carrier, THURSDAY + 49 * HOUR)

    assert late.found.due is Due.HOLD_BACK
    assert "nothing has been accepted for more than 2 days" in late.broadcast.reason
    assert require_broadcast(database, deliver_now.id).continues_at is None
    assert run_at(config, database, carrier, THURSDAY + 50 * HOUR) == []


def test_people_who_were_set_aside_are_tried_again_when_it_is_time(config: Config, database: Database) -> None:
    carrier = Carrier([busy] * 9)  # three chunks, three times
    broadcast = freeze_at(config, database, carrier)
    clock = Hurried(THURSDAY)
    (first,) = run_due(config, database, lambda: carrier, listener=DEAF, new_stop=Event, clock=clock)
    assert (first.broadcast.state, first.tally.deferred) == (BroadcastState.DONE, 25)
    due = first.broadcast.continues_at
    assert due is not None

    (early,) = run_at(config, database, carrier, due - MINUTE)
    (then,) = run_at(config, database, carrier, due + HOUR)

    assert (early.found.due, early.is_news) == (Due.WAIT, False)
    assert (then.broadcast.state, then.tally.accepted, then.handed_over) == (BroadcastState.DONE, 25, 25)
    assert Counter(carrier.taken) == Counter(dict.fromkeys(range(1, 26), 4))
    assert require_broadcast(database, broadcast.id).continues_at is None
