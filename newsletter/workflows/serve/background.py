"""Work that a service does beside its pages, again and again, in threads of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from newsletter.system.signals import Interruption

_SECONDS_AFTER_A_LOOK = 1.0  # at least, however many people ask
_SECONDS_BETWEEN_GLANCES = 0.25  # at whether someone on a page is waiting for an email


@contextmanager
def in_background(
    look: Callable[[Event], timedelta],
    *,
    name: str,
    interruption: Interruption,
    seconds_to_end: float | None = None,
    wanted: Event | None = None,
) -> Iterator[None]:
    """Call `look` again and again in a thread while the block runs. It returns how long to wait until the next time.

    If `wanted` is set, the next time is at once.

    After `interruption` or at the end of the block, the event that `look` gets is set, and `look` is not called again.
    The end of the block waits for it, but not longer than `seconds_to_end`.
    """
    is_over, asked = interruption.new_stop(), wanted or Event()

    def work() -> None:
        while not is_over.is_set():
            asked.clear()
            ends = time.monotonic() + look(is_over).total_seconds()
            is_over.wait(_SECONDS_AFTER_A_LOOK)
            while not asked.is_set() and time.monotonic() < ends and not is_over.wait(_SECONDS_BETWEEN_GLANCES):
                pass

    thread = Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        interruption.ask()
        thread.join(seconds_to_end)
