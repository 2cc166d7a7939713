"""Save the changes of many requests in one transaction, because each commit waits for the disk."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from newsletter.errors import StoreError
from newsletter.store.database import Connection, Database

T = TypeVar("T")
_MOST_AT_ONCE = 500
_MOST_WAITING = 10_000
# If changes follow each other faster than this, a short wait lets more of them share a commit.
_BUSY_SECONDS, _GATHERING_SECONDS = 0.02, 0.004


class _Job:
    """A change that waits, and what its caller waits for."""

    def __init__(self, change: Callable[[Connection], object], done: "Future[object]") -> None:
        self.change = change
        self.done = done
        self.result: object = None
        self.error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        """Carry out the change. If it raises, nothing of it remains."""
        connection.execute("SAVEPOINT job")
        try:
            self.result = self.change(connection)
        except Exception as err:
            connection.execute("ROLLBACK TO SAVEPOINT job")
            self.error = err
        connection.execute("RELEASE SAVEPOINT job")

    def settle(self) -> None:
        """Tell the caller the result."""
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)


class GroupWriter:
    """A thread that carries out changes. All changes that wait while it saves are saved together afterwards.

    A result is given out only when the change is on disk.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.Queue[_Job | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many changes wait."""
        return self._waiting.qsize()

    def close(self) -> None:
        """Carry out all changes that wait, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, change: Callable[[Connection], T]) -> "Future[T]":
        """Return the result of a change that will be saved. `change` runs in the writer's thread, in a transaction.

        If it raises, its caller gets the exception, and the other changes are saved all the same. Raise StoreError if
        too many changes wait.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # it cannot be canceled: the change may be on disk already
        try:
            self._waiting.put_nowait(_Job(change, done))  # type: ignore[arg-type]
        except queue.Full as err:
            raise StoreError("too many changes are waiting to be saved; try again in a minute") from err
        return done

    def _work(self) -> None:
        saved_at = 0.0
        while (first := self._waiting.get()) is not None:
            if time.monotonic() - saved_at < _BUSY_SECONDS:
                time.sleep(_GATHERING_SECONDS)
            jobs = [first]
            is_last = False
            while len(jobs) < _MOST_AT_ONCE and not self._waiting.empty():
                job = self._waiting.get()
                if job is None:
                    is_last = True
                    break
                jobs.append(job)
            self._save(jobs)
            saved_at = time.monotonic()
            if is_last:
                return

    def _save(self, jobs: list[_Job]) -> None:
        try:
            with self._database.transaction() as connection:
                for job in jobs:
                    job.run(connection)
        except Exception as err:
            for job in jobs:
                job.error = err
        for job in jobs:
            job.settle()
