"""The worker's process. It runs jobs, watches the ledger, survives database outages, and stops on a signal."""

import asyncio
import os
import signal
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event, Timer
from typing import TypeVar

from msgspec import Struct, field
from procrastinate import App

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.providers.base import Provider
from newsletter.providers.headers import one_line
from newsletter.system.log import Log
from newsletter.system.signals import ending_signals, leave_terminal
from newsletter.workflows.send import recall_due
from newsletter.workflows.send.worker.drains import Drains
from newsletter.workflows.send.worker.queue import (
    QUEUE_LOST,
    clear_stalled,
    prepare_queue,
    put_job,
    queue_of,
    work_through,
)

LOOK_SECONDS = 10.0  # between two checks of the ledger
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0  # between attempts to reach the database
_AFTER_NOTHING_SECONDS, _AFTER_FAILURE_SECONDS = 1.0, 5.0  # pauses, so that a job is not repeated in a busy loop

_CANCEL_AGAIN_SECONDS = 15.0  # longer than a canceled job waits for replies
_STOP_SECONDS = 60.0  # after a signal; then the process ends as if by a second one

_BESIDE = 3  # threads for what is done beside the jobs: looking, recalling, telling the reviewers

_T = TypeVar("_T")


def run_worker(config: Config, url: str, provider: Provider, *, concurrency: int, log: Log) -> signal.Signals:
    """Send what is due according to the ledger until a signal stops the worker. Return that signal.

    After the first signal, no email is begun, and replies are awaited for at most ten seconds. A second signal ends the
    process immediately, and so does the end of one minute.
    Raise StoreError if the database cannot be used at the start.
    """
    drains = Drains(config, provider, log)
    drains.due()  # fails now if the address is wrong, instead of retrying forever
    worker = _Service(url, drains, concurrency, log)
    try:
        return asyncio.run(worker.run())
    finally:
        worker.has_stopped()


class _Service(Struct):
    """The state of the worker's process."""

    url: str
    drains: Drains
    concurrency: int
    log: Log
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _asked_by: signal.Signals = signal.SIGTERM
    _fault: Exception | None = None  # a bug that showed up in a job; it ends the process
    _failures: int = 0  # failed attempts in a row to reach the database
    _threads: ThreadPoolExecutor | None = None
    _deadline: Timer | None = None  # ends a process that a signal does not

    async def run(self) -> signal.Signals:
        """Serve until a signal arrives. Start again after each loss of the connection to the database."""
        self._prepare_loop()
        with ThreadPoolExecutor(self.concurrency + _BESIDE, thread_name_prefix="worker") as self._threads:
            while not self._stopping.is_set():
                try:
                    await self._serve()
                except (StoreError, *QUEUE_LOST) as err:
                    await self._wait_for_database(err)
        if self._fault is not None:
            raise self._fault
        return self._asked_by

    def has_stopped(self) -> None:
        """Forget the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()

    async def _serve(self) -> None:
        """Run jobs and watch the ledger until either fails or a stop is requested."""
        await self._in_thread(self.drains.due)  # raises a clearer error than the queue if there is no database
        queue = queue_of(self.url, lambda broadcast: self._drain(queue, broadcast))
        async with queue.open_async():
            await prepare_queue(queue)
            self._is_connected()
            tasks = [
                asyncio.create_task(work_through(queue, concurrency=self.concurrency)),
                asyncio.create_task(self._look_after(queue)),
                asyncio.create_task(self._repeat(self.drains.tell, every_seconds=LOOK_SECONDS)),
                asyncio.create_task(self._repeat(self._recall, every_seconds=recall_due.LOOK_SECONDS)),
                asyncio.create_task(self._stopping.wait()),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await _end(tasks)
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
        if not self._stopping.is_set():
            raise StoreError("the connection to the queue was lost")

    async def _look_after(self, queue: App) -> None:
        """Add a job for each broadcast that is due, every few seconds. This also replaces lost jobs."""
        while True:
            for broadcast_id in await self._in_thread(self.drains.due):
                await put_job(queue, broadcast_id)
            await clear_stalled(queue)
            await asyncio.sleep(LOOK_SECONDS)

    async def _repeat(self, call: Callable[[], None], *, every_seconds: float) -> None:
        """Call what must not wait for the jobs, nor for a provider that is slow to answer something else."""
        while True:
            await self._in_thread(call)
            await asyncio.sleep(every_seconds)

    def _recall(self) -> None:
        self.drains.recall(is_asked=self._stopping.is_set)

    async def _drain(self, queue: App, broadcast_id: int) -> None:
        """Run one job. If it is canceled, finish and record its requests in progress first."""
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

        is_asked = self._stopping.is_set
        work_on = partial(self.drains.work_on, broadcast_id, call_others=call_others, stop=stop, is_asked=is_asked)
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
        self.log("the database is available again" if self._failures else "ready to send what is due")
        self._failures = 0

    async def _wait_for_database(self, error: Exception) -> None:
        seconds = min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
        self._failures += 1
        # The messages of procrastinate's exceptions are not useful, but those of their causes are.
        cause = error if isinstance(error, StoreError) else error.__cause__ or error
        self.log(f"the database cannot be used ({one_line(str(cause))}); trying again in {seconds:.0f} s")
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait, or return early if a stop is requested."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _prepare_loop(self) -> None:
        loop = asyncio.get_running_loop()
        # If the end of a job could not be stored during an outage, no task awaits its error, so it is logged here.
        loop.set_exception_handler(lambda _loop, context: self.log(f"{context['message']}: {context.get('exception')}"))
        for number in ending_signals():
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        """Request a stop. A second signal is handled by the system and ends the process immediately."""
        if number == signal.SIGHUP:
            leave_terminal()
        loop = asyncio.get_running_loop()
        for each in ending_signals():
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self.log("stopping; waiting up to 10 seconds for replies to emails on their way")
        self._asked_by = number
        self._stopping.set()
        self._deadline = Timer(_STOP_SECONDS, os.kill, (os.getpid(), number))
        self._deadline.daemon = True
        self._deadline.start()


async def _end(tasks: Collection[asyncio.Task[object]]) -> None:
    """Cancel tasks until all have ended.

    Once is not always enough: before Python 3.12, `asyncio.wait_for` loses a cancellation that arrives at the same time
    as what it waits for, and the connection pool uses it.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)
