"""How the effort of a function grows with its input, counted without a clock on the wall."""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls_of(work: Callable[[], object]) -> int:
    """Returns how many functions are called, in Python and in C."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def growth_of_calls(work: Callable[[str], object], unit: str, length: int) -> float:
    """Returns how many times as many functions are called when the input is twice as long."""
    once, twice = (calls_of(lambda size=size: work(unit * size)) for size in (length, 2 * length))
    return twice / once


def growth_of_processor_time(work: Callable[[str], object], unit: str, length: int, factor: int = 8) -> float:
    """Returns how many times the processor's time a longer input takes: for steps that are one long call in C."""
    times = []
    for size in (length, factor * length):
        text, fastest = unit * size, float("inf")
        for _ in range(3):
            start = time.thread_time()
            work(text)
            fastest = min(fastest, time.thread_time() - start)
        times.append(max(fastest, 1e-3))
    return times[1] / times[0]
