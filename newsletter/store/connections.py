"""One connection of a database for each thread that uses it."""

from collections.abc import Callable
from threading import Lock, Thread, current_thread
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A connection of whichever engine."""

    def close(self) -> None:
        """Close the connection; it is not used any more."""


C = TypeVar("C", bound=Closable)


class ThreadConnections(Generic[C]):
    """Connects each thread when it first asks, and closes what threads that have ended leave behind."""

    def __init__(self, connect: Callable[[], C], *, is_lost: Callable[[C], bool] = lambda _: False) -> None:
        self._connect = connect
        self._is_lost = is_lost
        self._of_thread: dict[Thread, C] = {}
        self._lock = Lock()

    def mine(self) -> C:
        """Return the connection of this thread; another one where it was lost."""
        thread = current_thread()
        connection = self._of_thread.get(thread)
        if connection is None or self._is_lost(connection):
            connection = self._connect()
            with self._lock:
                self._close_unused()
                self._of_thread[thread] = connection
        return connection

    def close(self) -> None:
        """Close the connections of all threads; none of them may be in use."""
        with self._lock:
            while self._of_thread:
                self._of_thread.popitem()[1].close()

    def _close_unused(self) -> None:
        for thread in [each for each in self._of_thread if not each.is_alive()]:
            self._of_thread.pop(thread).close()
