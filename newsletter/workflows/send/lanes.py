"""The threads of a drain, each with one chunk at a time, and how long they are awaited at the end."""

from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Thread, current_thread
from time import monotonic

from msgspec import Struct, field

from newsletter.errors import StoreError
from newsletter.model.broadcast import BroadcastState, Outcome
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast

REPLY_SECONDS = 10.0  # how long a reply is awaited after someone asked for the end
_LOOK_SECONDS = 0.05  # between two looks at whether someone asked, or canceled the broadcast elsewhere
_HALTED = frozenset({BroadcastState.PAUSED, BroadcastState.STOPPED})
_CANCELED = frozenset({BroadcastState.CANCELLING, BroadcastState.CANCELLED})


class LeftBehindError(Exception):
    """Ends a thread whose chunk has been settled without it."""


class Lanes(Struct):
    """Threads that send the chunks of a broadcast. `halt` keeps them from beginning anything new."""

    database: Database
    broadcast: int
    halt: Event
    is_asked: Callable[[], bool]  # whether someone asked for the end
    left: list[ClaimedChunk] = field(default_factory=list)  # the chunks whose replies are no longer awaited
    _submitted: dict[Thread, ClaimedChunk] = field(default_factory=dict)  # what each thread awaits replies for
    _running: set[Thread] = field(default_factory=set)
    _faults: list[BaseException] = field(default_factory=list)
    _changed: Condition = field(default_factory=Condition)

    def run(self, work: Callable[[], None], *, count: int) -> None:
        """Run `work` in `count` threads until all have ended. If one raises an error, raise it at the end.

        Once someone asks for the end, replies are awaited for at most REPLY_SECONDS. After KeyboardInterrupt, which the
        second Ctrl-C raises, they are not awaited at all. The chunks of the threads that are left behind are in `left`.
        """
        threads = [Thread(target=self._run_one, args=(work,), name="deliver", daemon=True) for _ in range(count)]
        self._running.update(threads)
        for thread in threads:
            thread.start()
        try:
            self._await_all()
        except BaseException:
            self.halt.set()
            while not self._leave():
                self._wait()
            raise
        if self._faults:
            raise self._faults[0]

    def submit(self, chunk: ClaimedChunk, call: Callable[[], Outcome]) -> Outcome:
        """Return the outcome of `call`, which may take as long as the provider does.

        Raise LeftBehindError if the chunk has been settled in the meantime.
        """
        thread = current_thread()
        with self._changed:
            self._submitted[thread] = chunk
        try:
            return call()
        finally:
            with self._changed:
                del self._submitted[thread]
                self._changed.notify_all()
                if thread not in self._running:
                    raise LeftBehindError

    def _await_all(self) -> None:
        until: float | None = None
        while self._running:
            self._wait()
            if until is None and self._is_to_end():
                self.halt.set()
                until = monotonic() + REPLY_SECONDS
            if until is not None and monotonic() >= until and self._leave():
                return

    def _is_to_end(self) -> bool:
        """Return whether someone asked for the end or canceled the broadcast. Halt the work if it is paused."""
        if self.is_asked():
            return True
        with suppress(StoreError):  # the threads that use the ledger report it
            state = require_broadcast(self.database, self.broadcast).state
            if state in _HALTED:
                self.halt.set()
            return state in _CANCELED
        return False

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=_LOOK_SECONDS)

    def _leave(self) -> bool:
        """Leave all threads behind, unless one is using the ledger. That takes only a moment."""
        with self._changed:
            if self._running - self._submitted.keys():
                return False
            self.left += [self._submitted[thread] for thread in self._running]
            self._running.clear()
            return True

    def _run_one(self, work: Callable[[], None]) -> None:
        fault: BaseException | None = None
        try:
            work()
        except BaseException as err:
            fault = err
        with self._changed:
            if current_thread() in self._running:
                self._running.discard(current_thread())
                self._faults += [fault] if fault is not None else []
                self._changed.notify_all()
