"""The grace period: nothing leaves until it is over, and until then any way to stop reaches no one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import MistakesError
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.status import tally_of
from newsletter.system.log import no_log
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.deliver import deliver
from newsletter.workflows.send.due import Due, judge
from newsletter.workflows.send.grace import await_grace, grace_left
from newsletter.workflows.send.worker.drains import Drains
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import AT, DEAF, NOW, THURSDAY, Holder, SetClock, freeze_at, run_at
from tests.workspaces import CONFIG, write_workspace

GRACE = timedelta(minutes=5)


class Countdown(Event):
    """A clock, and a stop whose waits take no time but let the clock go on. At a moment, something happens."""

    def __init__(self, happens: Callable[[], object] = lambda: None, after: int = 100_000) -> None:
        super().__init__()
        self.now, self.happens, self.after = NOW, happens, after
        self.ticks: list[timedelta] = []

    def clock(self) -> datetime:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timedelta(seconds=timeout)
        if len(self.ticks) == self.after:
            self.happens()
        return self.is_set()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A workspace with a grace period."""
    files = {"newsletter.toml": f'{CONFIG}\n[delivery]\ngrace = "5m"\n'}
    return load_config(write_workspace(tmp_path, files))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Its database, with three people."""
    with open_test_database(config.database) as opened:
        add_people(opened, 3)
        yield opened


def hand_over(config: Config, database: Database, broadcast: Broadcast, carrier: Carrier, clock: SetClock) -> Broadcast:
    return deliver(
        config, database, broadcast, carrier, ahead=timedelta(hours=72), listener=DEAF, stop=Event(), clock=clock
    )


@pytest.mark.parametrize(
    ("line", "grace"),
    [
        ("", timedelta()),
        ("grace = 0", timedelta()),
        ('grace = "0"', timedelta()),
        ('grace = "5m"', GRACE),
        ('grace = "300 s"', GRACE),
        ('grace = "24h"', timedelta(days=1)),
    ],
)
def test_the_grace_period_is_a_number_with_a_unit(tmp_path: Path, line: str, grace: timedelta) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[delivery]\n{line}\n"})
    assert load_config(root).settings.delivery.grace == grace


@pytest.mark.parametrize("value", ["300", '"5 days"', '"-5m"', '"25h"', "true", '""', '"5m30s"', "[5]"])
def test_any_other_grace_period_is_a_mistake(tmp_path: Path, value: str) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[delivery]\ngrace = {value}\n"})
    with pytest.raises(MistakesError, match=r"newsletter\.toml:\d+: .*(is not a time span|is more than a day)"):
        load_config(root)


@pytest.mark.parametrize("at", [None, "today 05:01"])
@pytest.mark.parametrize("holder", [None, Holder()])
def test_nothing_leaves_in_the_grace_period_and_all_of_it_after(
    config: Config, database: Database, holder: Holder | None, at: str | None
) -> None:
    carrier, clock = Carrier(scheduler=holder), SetClock(NOW)
    broadcast = freeze_at(config, database, carrier, at=at)
    assert grace_left(broadcast, now=NOW) == GRACE

    for clock.now in (NOW, NOW + timedelta(minutes=2), NOW + GRACE - timedelta(seconds=1)):
        hand_over(config, database, require_broadcast(database, broadcast.id), carrier, clock)
        assert carrier.handed == []
    clock.now = NOW + GRACE
    done = hand_over(config, database, require_broadcast(database, broadcast.id), carrier, clock)

    assert (done.state, len(carrier.taken)) == (BroadcastState.DONE, 3)
    assert not grace_left(done, now=NOW)


def test_a_timer_and_a_worker_wait_for_the_end_of_the_grace_period(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier, at="today 05:01")
    late = NOW + timedelta(minutes=4)

    found = judge(config, database, broadcast, lambda: carrier, now=late)
    (done,) = run_at(config, database, carrier, late)

    assert (found.due, found.until) == (Due.WAIT, NOW + GRACE)
    assert (done.is_news, carrier.handed) == (False, [])
    (done,) = run_at(config, database, carrier, NOW + GRACE)
    assert len(carrier.taken) == 3


def test_a_worker_waits_for_the_end_of_the_grace_period(config: Config, database: Database) -> None:
    carrier = Carrier()
    broadcast = freeze_at(config, database, carrier, at=None, now=datetime.now(UTC))
    drains = Drains(config, carrier, no_log)

    assert drains.due() == ()
    assert not drains.work_on(broadcast.id, call_others=lambda: pytest.fail("there is no work"), stop=Event())
    assert carrier.handed == []


def test_a_long_grace_period_makes_no_broadcast_late(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": f'{CONFIG}\n[delivery]\ngrace = "10h"\n'})
    config, carrier = load_config(root), Carrier()
    with open_test_database(config.database) as database:
        add_people(database, 3)
        freeze_at(config, database, carrier, at="today 06:00")

        run_at(config, database, carrier, NOW + timedelta(hours=10))

    assert len(carrier.taken) == 3


def test_later_mail_is_not_delayed(config: Config, database: Database) -> None:
    carrier = Carrier()
    freeze_at(config, database, carrier, at=AT)

    run_at(config, database, carrier, THURSDAY)

    assert len(carrier.taken) == 3


def test_the_countdown_ends_with_the_grace_period(config: Config, database: Database) -> None:
    broadcast, stop = freeze_at(config, database, Carrier(), at=None), Countdown()

    after = await_grace(database, broadcast.id, on_tick=stop.ticks.append, stop=stop, clock=stop.clock)

    assert after.state is BroadcastState.RUNNING
    assert stop.ticks == [timedelta(seconds=left) for left in range(300, 0, -1)]


@pytest.mark.parametrize("at", [None, "today 05:01", AT])
def test_ctrl_c_in_the_countdown_cancels_and_reaches_no_one(config: Config, database: Database, at: str | None) -> None:
    broadcast = freeze_at(config, database, Carrier(), at=at)
    stop = Countdown(after=100)
    stop.happens = stop.set

    after = await_grace(database, broadcast.id, on_tick=stop.ticks.append, stop=stop, clock=stop.clock)

    assert (after.state, len(stop.ticks)) == (BroadcastState.CANCELLED, 100)
    assert (tally_of(database, broadcast.id).cancelled, tally_of(database, broadcast.id).adds_up) == (3, True)
    again = Carrier()
    hand_over(config, database, after, again, SetClock(THURSDAY))
    assert again.handed == []
    assert len(freeze_and_send(config, database).taken) == 3


def freeze_and_send(config: Config, database: Database) -> Carrier:
    carrier = Carrier()
    hand_over(config, database, freeze_at(config, database, carrier, at=None), carrier, SetClock(NOW + GRACE))
    return carrier


def test_cancel_in_another_terminal_ends_the_countdown(config: Config, database: Database) -> None:
    broadcast = freeze_at(config, database, Carrier(), at=None)

    def cancel() -> None:
        with open_test_database(database.path) as other:
            cancel_broadcast(other, broadcast.id, None, patience=timedelta(), stop=Event())

    stop = Countdown(cancel, after=10)

    after = await_grace(database, broadcast.id, on_tick=stop.ticks.append, stop=stop, clock=stop.clock)

    assert (after.state, len(stop.ticks)) == (BroadcastState.CANCELLED, 10)
    assert tally_of(database, broadcast.id).cancelled == 3


def test_without_a_grace_period_nothing_waits(tmp_path: Path) -> None:
    config, carrier = load_config(write_workspace(tmp_path)), Carrier()
    with open_test_database(config.database) as database:
        add_people(database, 3)
        broadcast = freeze_at(config, database, carrier, at=None)
        stop = Countdown()

        await_grace(database, broadcast.id, on_tick=stop.ticks.append, stop=stop, clock=stop.clock)
        hand_over(config, database, broadcast, carrier, SetClock(NOW))

    assert (broadcast.grace_until, stop.ticks, len(carrier.taken)) == (None, [], 3)
