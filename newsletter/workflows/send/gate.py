"""The gate at which all workers of a drain wait for the provider, the pace or the sending window."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

from msgspec import Struct, field

from newsletter.providers.base import Clock

OnWait = Callable[[datetime, str], None]  # called with the end of the wait and its reason

_NAP_SECONDS = 60.0  # how often the clock is checked during a wait, because machines sleep and clocks are corrected
_SAME = timedelta(minutes=1)  # a wait that is extended by no more than this is not reported again
_PAST = datetime.min.replace(tzinfo=UTC)


class Gate(Struct):
    """A gate that is closed for all workers until a given time.

    A wait is reported when it begins, when its reason changes, and when it is extended.
    """

    clock: Clock
    halt: Event  # when it is set, all waits end immediately
    on_wait: OnWait
    _until: datetime = _PAST
    _reason: str = ""
    _lock: Lock = field(default_factory=Lock)

    def close(self, until: datetime, reason: str) -> None:
        """Close the gate until a given time, unless it is already closed until later."""
        with self._lock:
            if until <= max(self._until, self.clock()):
                return
            # Several workers are asked to wait at nearly the same time. That is reported as one wait.
            is_waiting = self.clock() < self._until
            is_reported = is_waiting and self._reason == reason and until - self._until <= _SAME
            self._until, self._reason = until, reason
            if not is_reported:
                self.on_wait(until, reason)

    @property
    def is_open(self) -> bool:
        """Whether a worker can pass now."""
        return not self.halt.is_set() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether workers must wait."""
        return self._until > self.clock()

    def opens(self, *, is_worth_it: Callable[[], bool]) -> bool:
        """Wait until the gate is open. Return False if the work was halted or `is_worth_it` returned False."""
        while (seconds := (self._until - self.clock()).total_seconds()) > 0:
            if self.halt.wait(min(seconds, _NAP_SECONDS)) or not is_worth_it():
                return False
        return not self.halt.is_set()
