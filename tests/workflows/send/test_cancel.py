"""Canceling at every stage, interrupted at every step, and the result for everyone."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, OutgoingChunk, Tally, Verdict
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast, start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.status import tally_of
from newsletter.workflows.send.cancel import cancel_broadcast, plan_cancel
from newsletter.workflows.send.deliver import deliver
from newsletter.workflows.send.due import Due
from newsletter.workflows.send.plan import require_unfinished
from newsletter.workflows.send.run_due import run_due
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, UNKNOWN, Carrier
from tests.workflows.send.scheduled import DEAF, NOW, THURSDAY, Holder, Hurried, SetClock, freeze_at, run_at
from tests.workspaces import write_workspace

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOST = timedelta(0)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The smallest workspace."""
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with 25 people: three chunks."""
    with open_test_database(config.database) as opened:
        add_people(opened, 25)
        yield opened


@pytest.fixture
def holder() -> Holder:
    """A scheduler that holds mail."""
    return Holder()


@pytest.fixture
def carrier(holder: Holder) -> Carrier:
    """A provider that holds mail."""
    return Carrier(scheduler=holder)


def hold(config: Config, database: Database, carrier: Carrier, *, now: datetime = NOW) -> Broadcast:
    """A broadcast that is handed over at once, to be held until Thursday."""
    broadcast = freeze_at(config, database, carrier)
    return deliver(
        config,
        database,
        broadcast,
        carrier,
        ahead=timedelta(hours=71),
        listener=DEAF,
        stop=Event(),
        clock=SetClock(now),
    )


def cancel(
    database: Database,
    carrier: Carrier,
    now: datetime = NOW,
    *,
    patience: timedelta = LOST,
    on_wait: Callable[[int], None] = lambda _: None,
) -> Broadcast:
    return cancel_broadcast(database, 1, carrier, patience=patience, on_wait=on_wait, stop=Event(), clock=SetClock(now))


def tally(database: Database) -> Tally:
    counts = tally_of(database, 1)
    assert counts.adds_up
    return counts


def test_what_was_only_scheduled_never_leaves(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, carrier)
    assert (
        cancel_broadcast(database, 1, None, patience=LOST, on_wait=lambda _: None, stop=Event(), clock=SetClock()).state
        is BroadcastState.CANCELLED
    )
    assert tally(database).cancelled == 25
    assert run_at(config, database, carrier, THURSDAY) == []
    assert carrier.handed == []


def test_what_the_provider_holds_is_taken_back(
    config: Config, database: Database, carrier: Carrier, holder: Holder
) -> None:
    assert hold(config, database, carrier).state is BroadcastState.DONE
    assert cancel(database, carrier).state is BroadcastState.CANCELLED
    assert holder.cancelled == ["batch-1"]
    assert (tally(database).cancelled, tally(database).accepted) == (25, 0)


def test_what_is_too_close_to_its_time_is_unknown(config: Config, database: Database, carrier: Carrier) -> None:
    hold(config, database, carrier)
    with pytest.raises(InputError, match="broadcast 1 cannot be canceled; outbox will send it within minutes"):
        plan_cancel(database, 1, carrier, now=THURSDAY - 9 * MINUTE)
    assert cancel(database, carrier, THURSDAY - 9 * MINUTE).state is BroadcastState.CANCELLED
    assert (tally(database).cancelled, tally(database).unknown) == (0, 25)


def test_a_request_without_an_answer_is_cancelled_with_the_batch_it_was_held_under(
    config: Config, database: Database, carrier: Carrier
) -> None:
    carrier.script.append(UNKNOWN)
    hold(config, database, carrier)
    assert tally(database).unknown == 10
    cancel(database, carrier)
    assert (tally(database).unknown, tally(database).cancelled) == (0, 25)


def test_a_provider_that_does_not_answer_leaves_it_cancelling_until_it_is_cancelled_again(
    config: Config, database: Database, carrier: Carrier, holder: Holder
) -> None:
    hold(config, database, carrier)
    holder.failing = "SendGrid did not answer; cancel again"

    with pytest.raises(ProviderError, match="cancel again"):
        cancel(database, carrier)
    assert require_broadcast(database, 1).state is BroadcastState.CANCELLING
    assert tally(database).accepted == 25
    with pytest.raises(InputError, match="is being canceled; run `newsletter cancel 1`"):
        require_unfinished(database, 1, carrier, lead=HOUR, now=NOW)

    holder.failing = ""
    assert cancel(database, carrier, NOW + HOUR).state is BroadcastState.CANCELLED
    assert tally(database).cancelled == 25


def test_run_due_finishes_what_was_begun(config: Config, database: Database, carrier: Carrier, holder: Holder) -> None:
    hold(config, database, carrier)
    holder.failing = "SendGrid did not answer; cancel again"
    with pytest.raises(ProviderError):
        cancel(database, carrier)

    (failed,) = run_at(config, database, carrier, NOW + HOUR)
    holder.failing = ""
    (done,) = run_at(config, database, carrier, NOW + 2 * HOUR)

    assert (failed.found.due, failed.failure) == (Due.CANCEL, "SendGrid did not answer; cancel again")
    assert (done.broadcast.state, done.tally.cancelled) == (BroadcastState.CANCELLED, 25)


class Crash(BaseException):
    """The process ends here."""


STEPS = ["begin_cancel", "_give_back", "recall_batch", "finish_cancel"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_after", [False, True])
def test_a_crash_at_any_step_costs_nothing(
    config: Config,
    database: Database,
    carrier: Carrier,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    is_after: bool,
) -> None:
    hold(config, database, carrier)
    real = getattr(__import__("newsletter.workflows.send.cancel", fromlist=[step]), step)

    def crash(*positional: object, **named: object) -> object:
        if is_after:
            real(*positional, **named)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(f"newsletter.workflows.send.cancel.{step}", crash)
        with pytest.raises(Crash):
            cancel(database, carrier)

    if require_broadcast(database, 1).state is not BroadcastState.CANCELLED:
        cancel(database, carrier, NOW + MINUTE)
    assert require_broadcast(database, 1).state is BroadcastState.CANCELLED
    assert tally(database).cancelled == 25


def test_a_crash_between_the_provider_and_the_ledger_asks_the_provider_again(
    config: Config, database: Database, carrier: Carrier, holder: Holder
) -> None:
    def die() -> None:
        raise Crash

    hold(config, database, carrier)
    holder.on_cancel = die
    with pytest.raises(Crash):
        cancel(database, carrier)
    holder.on_cancel = lambda: None
    (done,) = run_at(config, database, carrier, NOW + MINUTE)
    assert (done.broadcast.state, done.tally.cancelled) == (BroadcastState.CANCELLED, 25)


def test_what_another_process_is_handing_over_is_waited_for_and_taken_back(
    config: Config, database: Database, carrier: Carrier, holder: Holder
) -> None:
    told: list[int] = []

    def meanwhile(_: OutgoingChunk) -> Outcome:
        with open_test_database(config.database) as own:
            left = cancel_broadcast(
                own, 1, carrier, patience=LOST, on_wait=told.append, stop=Event(), clock=SetClock(NOW)
            )
        assert left.state is BroadcastState.CANCELLING  # a process cannot wait for itself
        return ACCEPTED

    carrier.script.append(meanwhile)
    hold(config, database, carrier)

    assert len(carrier.handed) == 1
    assert (tally(database).accepted, tally(database).cancelled) == (10, 15)
    assert cancel(database, carrier, NOW + MINUTE).state is BroadcastState.CANCELLED
    assert tally(database).cancelled == 25
    assert set(holder.cancelled) == {"batch-1"}


def test_a_living_process_is_told_of_while_it_is_waited_for(config: Config, database: Database) -> None:
    carrier, told = Carrier(), list[int]()
    freeze_at(config, database, carrier)
    start_scheduled(database, 1, now=THURSDAY)
    with open_test_database(config.database) as other, other.runner() as runner:
        claim_chunk(other, 1, runner.id, (), now=THURSDAY)
        stop = Event()

        def on_wait(inflight: int) -> None:
            told.append(inflight)
            stop.set()

        left = cancel_broadcast(database, 1, None, patience=HOUR, on_wait=on_wait, stop=stop, clock=SetClock(THURSDAY))
    assert (told, left.state) == ([10], BroadcastState.CANCELLING)
    assert cancel(database, carrier, THURSDAY).state is BroadcastState.CANCELLED
    assert (tally(database).unknown, tally(database).cancelled) == (10, 15)


def test_those_who_were_cancelled_can_get_the_issue_again_and_nobody_else(config: Config, database: Database) -> None:
    carrier = Carrier([ACCEPTED, Outcome(verdict=UNKNOWN.verdict, reason="no answer")])
    broadcast = freeze_at(config, database, carrier, at=None)
    stop = Event()
    deliver(
        config,
        database,
        broadcast,
        Carrier([_stopping(stop)]),
        ahead=None,
        listener=DEAF,
        stop=stop,
        clock=SetClock(),
    )
    cancel(database, carrier)
    second = freeze_at(config, database, carrier, at=None)
    again = tally_of(database, second.id)
    assert (again.waiting, again.excluded) == (15, 10)


def _stopping(stop: Event) -> Callable[[OutgoingChunk], Outcome]:
    def step(_: OutgoingChunk) -> Outcome:
        stop.set()
        return ACCEPTED

    return step


def test_a_plan_says_what_can_be_taken_back_and_what_is_gone(
    config: Config, database: Database, carrier: Carrier
) -> None:
    hold(config, database, carrier)
    plan = plan_cancel(database, 1, carrier, now=NOW)
    assert [(mail.until, mail.deliveries) for mail in plan.held] == [(THURSDAY, 25)]
    assert (plan.too_late, plan.gone) == ((), 0)


def test_people_who_were_set_aside_can_be_left_out(config: Config, database: Database) -> None:
    def busy(chunk: OutgoingChunk) -> Outcome:
        person = chunk.recipients[0].delivery
        return Outcome(verdict=Verdict.ACCEPTED, deferred={person: "450 busy"})

    def alone(chunk: OutgoingChunk) -> Outcome:
        return Outcome(verdict=Verdict.READY, deferred={each.delivery: "450 busy" for each in chunk.recipients})

    carrier = Carrier([busy, ACCEPTED, ACCEPTED, alone, alone])
    freeze_at(config, database, carrier)
    clock = Hurried(THURSDAY)
    list(run_due(config, database, lambda: carrier, listener=DEAF, new_stop=Event, clock=clock))
    assert tally(database).deferred == 1

    plan_cancel(database, 1, None, now=THURSDAY)
    cancelled = cancel_broadcast(database, 1, None, patience=LOST, stop=Event(), clock=SetClock(THURSDAY))

    assert cancelled.state is BroadcastState.CANCELLED
    assert (tally(database).cancelled, tally(database).accepted) == (1, 24)


@pytest.mark.parametrize("moment", [THURSDAY + HOUR])
def test_what_has_left_cannot_be_cancelled(
    config: Config, database: Database, carrier: Carrier, moment: datetime
) -> None:
    hold(config, database, carrier)
    with pytest.raises(InputError, match="broadcast 1 cannot be canceled; it is done"):
        plan_cancel(database, 1, carrier, now=moment)
    with pytest.raises(InputError):
        cancel(database, carrier, moment)
    assert Counter(carrier.taken) == Counter(range(1, 26))


def test_what_is_cancelled_cannot_be_cancelled_again(config: Config, database: Database, carrier: Carrier) -> None:
    freeze_at(config, database, carrier)
    cancel(database, carrier)
    with pytest.raises(InputError, match="it is already canceled"):
        plan_cancel(database, 1, None, now=NOW)


def test_another_provider_cannot_take_back_what_the_first_one_holds(
    config: Config, database: Database, carrier: Carrier
) -> None:
    hold(config, database, carrier)
    with pytest.raises(
        ProviderError, match=r'outbox may still hold .* broadcast 1; .*use = "outbox" under \[provider\]'
    ):
        cancel(database, Carrier(name="smtp", scheduler=Holder()))
    assert cancel(database, carrier).state is BroadcastState.CANCELLED
