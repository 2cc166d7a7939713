"""Work that a service does beside its pages, again and again, in threads of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from newsletter.system.signals import Interruption


@contextmanager
def in_background(
    look: Callable[[Event], timedelta],
    *,
    name: str,
    interruption: Interruption,
    seconds_to_end: float | None = None,
) -> Iterator[None]:
    """Call `look` again and again in a thread while the block runs. It returns how long to wait until the next time.

    After `interruption` or at the end of the block, the event that `look` gets is set, and `look` is not called again.
    The end of the block waits for it, but not longer than `seconds_to_end`.
    """
    is_over = interruption.new_stop()

    def work() -> None:
        while not is_over.is_set():
            is_over.wait(look(is_over).total_seconds())

    thread = Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        interruption.ask()
        thread.join(seconds_to_end)
