"""A clock that moves only while everyone waits, so that a week of sending passes in seconds.

The threads of a drain work one at a time. When one waits, the clock jumps to the earliest end of a wait, and that
thread continues. Waits that end at the same time end in the order in which they began, so a run is repeatable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from threading import Event, Lock, Thread, current_thread

from msgspec import Struct, field

_STUCK_SECONDS = 600.0  # of real time; then the rehearsal is reported as broken instead of hanging


class VirtualTime:
    """The current time of a rehearsal, as a `Clock`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = Lock()
        self._numbers = count()
        self._waits: list[_Wait] = []
        self._threads: set[Thread] = set()  # those that work in turns
        self._missing = 0  # how many threads must still join before the first may begin

    def __call__(self) -> datetime:
        """Return the current time."""
        return self._now

    def new_event(self) -> "VirtualEvent":
        """Return an event whose waits take place on this clock."""
        return VirtualEvent(self)

    def move_to(self, moment: datetime) -> None:
        """Let the time pass while no thread works."""
        self._now = max(self._now, moment)

    @contextmanager
    def turns(self, threads: int) -> Iterator[None]:
        """Work in turns with the others until the block ends. `threads` is how many begin together."""
        with self._lock:
            self._missing = (self._missing or threads) - 1
            self._threads.add(current_thread())
            wait = self._begin_wait(0.0, None)
        try:
            wait.await_turn()
            yield
        finally:
            with self._lock:
                self._threads.discard(current_thread())
                self._pass_on()

    def sleep(self, seconds: float, *, event: "VirtualEvent | None" = None) -> None:
        """Wait until the time has passed, or until the event is set."""
        with self._lock:
            if current_thread() not in self._threads:
                self._now += timedelta(seconds=seconds)
                return
            wait = self._begin_wait(seconds, event)
        wait.await_turn()

    def end_waits(self, event: "VirtualEvent") -> None:
        """End the waits for an event now."""
        with self._lock:
            for wait in self._waits:
                if wait.event is event:
                    wait.until = self._now

    def _begin_wait(self, seconds: float, event: "VirtualEvent | None") -> "_Wait":
        wait = _Wait(self._now + timedelta(seconds=seconds), next(self._numbers), event)
        self._waits.append(wait)
        self._pass_on()
        return wait

    def _pass_on(self) -> None:
        """Let the thread continue whose wait ends first."""
        if self._missing or not self._waits:
            return
        first = min(self._waits, key=lambda wait: (wait.until, wait.number))
        self._waits.remove(first)
        self._now = max(self._now, first.until)
        first.turn.set()


class _Wait(Struct):
    """A wait of one thread."""

    until: datetime
    number: int
    event: "VirtualEvent | None"
    turn: Event = field(default_factory=Event)

    def await_turn(self) -> None:
        if not self.turn.wait(_STUCK_SECONDS):
            raise RuntimeError("the threads of a rehearsal wait for each other")


class VirtualEvent(Event):
    """An event that is awaited on a virtual clock."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time

    def set(self) -> None:
        """Set the event, which ends all waits for it."""
        super().set()
        self._time.end_waits(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the event for at most so many seconds of the virtual clock. Return whether it is set."""
        if not self.is_set():
            self._time.sleep(timeout or 0.0, event=self)
        return self.is_set()
