"""Where workers wait together: one wait is reported once, and a much longer one again."""

from datetime import datetime, timedelta
from threading import Event

from newsletter.workflows.send.gate import Gate
from tests.workflows.send.scheduled import NOW, SetClock

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def gate(told: list[tuple[datetime, str]], clock: SetClock) -> Gate:
    return Gate(clock=clock, halt=Event(), on_wait=lambda until, reason: told.append((until, reason)))


def test_workers_that_are_asked_to_wait_at_once_are_one_wait() -> None:
    told: list[tuple[datetime, str]] = []
    shared = gate(told, SetClock())
    for seconds in (20, 21, 5):
        shared.close(NOW + seconds * SECOND, "slow down")
    assert told == [(NOW + 20 * SECOND, "slow down")]


def test_a_wait_that_grows_long_is_told_again() -> None:
    told: list[tuple[datetime, str]] = []
    shared = gate(told, SetClock())
    shared.close(NOW + SECOND, "slow down")
    shared.close(NOW + HOUR, "slow down")
    assert told == [(NOW + SECOND, "slow down"), (NOW + HOUR, "slow down")]


def test_nobody_passes_while_it_is_closed_or_the_work_is_halted() -> None:
    clock = SetClock()
    shared = gate([], clock)
    shared.close(NOW + SECOND, "slow down")
    assert not shared.is_open
    clock.now = NOW + SECOND
    assert shared.is_open
    shared.halt.set()
    assert not shared.is_open
