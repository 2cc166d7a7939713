"""Time passes only while everyone waits, and in the same way each time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from newsletter.workflows.rehearse.virtual_time import VirtualTime

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
NAPS = st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=4)


def slept(naps: Sequence[Sequence[int]]) -> list[tuple[datetime, int]]:
    """When each thread woke up, in the order in which it did."""
    time, woken = VirtualTime(NOW), []

    def work(number: int) -> None:
        with time.turns(len(naps)):
            for seconds in naps[number]:
                time.sleep(seconds)
                woken.append((time(), number))

    threads = [Thread(target=work, args=(number,)) for number in range(len(naps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return woken


@given(NAPS)
def test_each_thread_wakes_up_after_exactly_its_naps(naps: list[list[int]]) -> None:
    woken = slept(naps)
    assert [at for at, _ in woken] == sorted(at for at, _ in woken)
    for number, own in enumerate(naps):
        ends = [NOW + timedelta(seconds=sum(own[: place + 1])) for place in range(len(own))]
        assert [at for at, who in woken if who == number] == ends


def test_an_event_ends_the_waits_for_it_at_once() -> None:
    time, woken = VirtualTime(NOW), []
    event = time.new_event()

    def await_it() -> None:
        with time.turns(2):
            woken.append((event.wait(3600), time()))

    def set_it() -> None:
        with time.turns(2):
            time.sleep(10)
            event.set()

    threads = [Thread(target=await_it), Thread(target=set_it)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert woken == [(True, NOW + timedelta(seconds=10))]


def test_a_wait_outside_any_thread_passes_at_once() -> None:
    time = VirtualTime(NOW)
    assert not time.new_event().wait(86400)
    assert time() == NOW + timedelta(days=1)
    time.move_to(NOW)
    assert time() == NOW + timedelta(days=1), "it never goes back"
