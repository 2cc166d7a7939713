"""Calls that run at the same time, in threads that never hold the process.

The threads of `concurrent.futures` are awaited at the end of the process, so Ctrl-C would wait for every server that
is slow to answer. Daemon threads end with the process, wherever they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread, current_thread
from typing import TypeVar

from newsletter.system.stream import TimeLimit

_MOMENT_SECONDS = 2.0
Result = TypeVar("Result")
_with_files: set[Thread] = set()


def results_of(
    calls: Sequence[Callable[[], Result]], *, threads: int, deadline: TimeLimit | None = None
) -> Iterator[Result]:
    """Run the calls, and yield each result as soon as it is known. At the deadline, stop without the missing ones.

    Raise the first error of a call.
    """
    waiting: SimpleQueue[Callable[[], Result]] = SimpleQueue()
    ended: SimpleQueue[Callable[[], Result]] = SimpleQueue()
    for call in calls:
        waiting.put(call)

    def work() -> None:
        while True:
            try:
                call = waiting.get_nowait()
            except Empty:
                return
            ended.put(_outcome_of(call))

    try:
        for _ in range(min(threads, len(calls))):
            Thread(target=work, daemon=True).start()
        for _ in calls:
            try:
                outcome = ended.get(timeout=None if deadline is None else deadline.left())
            except (Empty, TimeoutError):
                return
            yield outcome()
    except BaseException:
        _let_end()
        raise


def begun(call: Callable[[], Result]) -> Callable[[], Result]:
    """Start a call in the background. Return what waits for its end, and returns its result or raises its error."""
    ended: SimpleQueue[Callable[[], Result]] = SimpleQueue()
    Thread(target=lambda: ended.put(_outcome_of(call)), daemon=True).start()

    def result() -> Result:
        try:
            outcome = ended.get()
        except BaseException:
            _let_end()
            raise
        return outcome()

    return result


@contextmanager
def removing_files() -> Iterator[None]:
    """Mark this thread as one that has files to remove. An interrupted process waits a moment until the block ends."""
    _with_files.add(current_thread())
    try:
        yield
    finally:
        _with_files.discard(current_thread())


def _let_end() -> None:
    """Wait a moment for the threads that have files to remove."""
    ends = TimeLimit(_MOMENT_SECONDS)
    with suppress(TimeoutError):
        for thread in tuple(_with_files):
            thread.join(ends.left())


def _outcome_of(call: Callable[[], Result]) -> Callable[[], Result]:
    """Run a call. Return a function that returns its result or raises its error, for another thread."""
    try:
        result = call()
    except BaseException as err:
        caught = err

        def fail() -> Result:
            raise caught

        return fail
    return lambda: result
