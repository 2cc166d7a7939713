"""Database connections, one for each thread."""

from collections.abc import Callable
from threading import Lock, Thread, current_thread
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A connection of either engine."""

    def close(self) -> None:
        """Close the connection. It must not be used afterward."""


C = TypeVar("C", bound=Closable)


class ThreadConnections(Generic[C]):
    """One connection per thread, opened on first use. Connections of threads that have ended are closed."""

    def __init__(self, connect: Callable[[], C], *, is_lost: Callable[[C], bool] = lambda _: False) -> None:
        self._connect = connect
        self._is_lost = is_lost
        self._of_thread: dict[Thread, C] = {}
        self._lock = Lock()

    def mine(self) -> C:
        """Return this thread's connection. Open a new one if the thread has none, or if its connection was lost."""
        thread = current_thread()
        connection = self._of_thread.get(thread)
        if connection is None or self._is_lost(connection):
            connection = self._connect()
            with self._lock:
                self._close_unused()
                self._of_thread[thread] = connection
        return connection

    def close(self) -> None:
        """Close the connections of all threads. None of them may be in use."""
        with self._lock:
            while self._of_thread:
                self._of_thread.popitem()[1].close()

    def _close_unused(self) -> None:
        for thread in [each for each in self._of_thread if not each.is_alive()]:
            self._of_thread.pop(thread).close()
