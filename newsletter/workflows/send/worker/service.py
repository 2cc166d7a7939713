"""The worker's process: takes jobs, looks after the ledger, outlives the database's absence, and ends when asked."""

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event
from typing import TypeVar

from msgspec import Struct, field
from procrastinate import App

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.providers.base import Provider
from newsletter.providers.headers import one_line
from newsletter.system.log import Log
from newsletter.workflows.send.worker.drains import Drains
from newsletter.workflows.send.worker.queue import (
    QUEUE_LOST,
    clear_stalled,
    prepare_queue,
    put_job,
    queue_of,
    work_through,
)

LOOK_SECONDS = 10.0  # between two looks at the ledger
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0  # while the database cannot be reached
_AFTER_NOTHING_SECONDS, _AFTER_FAILURE_SECONDS = 1.0, 5.0  # so that jobs do not follow each other in a circle

_T = TypeVar("_T")


def run_worker(config: Config, url: str, provider: Provider, *, concurrency: int, log: Log) -> signal.Signals:
    """Hand over what the ledger says is due until a signal asks for the end; return which one that was.

    At the first signal the requests in hand are finished and recorded; a second one ends the process as it stands.
    Raise StoreError where the database cannot be used from the start.
    """
    drains = Drains(config, provider, log)
    drains.due()  # a wrong address must end the command now, not be tried for ever
    return asyncio.run(_Service(url, drains, concurrency, log).run())


class _Service(Struct):
    """What the worker's process is doing."""

    url: str
    drains: Drains
    concurrency: int
    log: Log
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _asked_by: signal.Signals = signal.SIGTERM
    _fault: Exception | None = None  # a mistake of ours in a job; it ends the process
    _failures: int = 0  # to reach the database, one after the other
    _threads: ThreadPoolExecutor | None = None

    async def run(self) -> signal.Signals:
        """Serve until a signal comes, and again after each loss of the database."""
        self._prepare_loop()
        with ThreadPoolExecutor(self.concurrency + 1, thread_name_prefix="worker") as self._threads:
            while not self._stopping.is_set():
                try:
                    await self._serve()
                except (StoreError, *QUEUE_LOST) as err:
                    await self._wait_for_database(err)
        if self._fault is not None:
            raise self._fault
        return self._asked_by

    async def _serve(self) -> None:
        """Take jobs and looks after the ledger until one of both fails, or the end is asked for."""
        await self._in_thread(self.drains.due)  # says more clearly than the queue why the database cannot be used
        queue = queue_of(self.url, lambda broadcast: self._drain(queue, broadcast))
        async with queue.open_async():
            await prepare_queue(queue)
            self._is_connected()
            tasks = [
                asyncio.create_task(work_through(queue, concurrency=self.concurrency)),
                asyncio.create_task(self._look_after(queue)),
                asyncio.create_task(self._stopping.wait()),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
        if not self._stopping.is_set():
            raise StoreError("the connection to the queue was lost")

    async def _look_after(self, queue: App) -> None:
        """Put a job for each broadcast that is due, now and then: a queue that lost its jobs loses nothing."""
        while True:
            for broadcast_id in await self._in_thread(self.drains.due):
                await put_job(queue, broadcast_id)
            await clear_stalled(queue)
            await asyncio.sleep(LOOK_SECONDS)

    async def _drain(self, queue: App, broadcast_id: int) -> None:
        """Work on one job; where it is cancelled, first finish and record what it has in hand."""
        stop = Event()
        work = asyncio.create_task(self._work(queue, broadcast_id, stop))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await work
            raise

    async def _work(self, queue: App, broadcast_id: int, stop: Event) -> None:
        loop = asyncio.get_running_loop()

        def call_others() -> None:
            asyncio.run_coroutine_threadsafe(put_job(queue, broadcast_id), loop)

        work_on = partial(self.drains.work_on, broadcast_id, call_others=call_others, stop=stop)
        try:
            if not await self._in_thread(work_on):
                await self._pause(_AFTER_NOTHING_SECONDS)
        except StoreError as err:
            self.log(f"broadcast {broadcast_id}: {err}", broadcast=broadcast_id)
            await self._pause(_AFTER_FAILURE_SECONDS)
        except Exception as err:
            self._fault = err
            self._stopping.set()

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _is_connected(self) -> None:
        self.log("the database is back" if self._failures else "ready; what is due is handed over")
        self._failures = 0

    async def _wait_for_database(self, error: Exception) -> None:
        seconds = min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
        self._failures += 1
        # What procrastinate raises says nothing by itself.
        cause = error if isinstance(error, StoreError) else error.__cause__ or error
        self.log(f"the database cannot be used ({one_line(str(cause))}); trying again in {seconds:.0f} s")
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not where the end is asked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _prepare_loop(self) -> None:
        loop = asyncio.get_running_loop()
        # A job whose end could not be written, because the database was away, is nobody's to await.
        loop.set_exception_handler(lambda _loop, context: self.log(f"{context['message']}: {context.get('exception')}"))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        """Ask for the end, and leave a second signal to the system, which does not wait."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self.log("stopping: the requests in hand are finished and recorded first")
        self._asked_by = number
        self._stopping.set()
