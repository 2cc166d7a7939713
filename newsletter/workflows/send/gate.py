"""Where the workers of a drain wait together: for a provider, for the pace, for the hours of the sending window."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

from msgspec import Struct, field

from newsletter.providers.base import Clock

OnWait = Callable[[datetime, str], None]  # until when nothing leaves, and why

_NAP_SECONDS = 60.0  # after which a waiter looks at the clock again, for a machine may sleep and clocks are put right
_SAME = timedelta(minutes=1)  # a wait that grows by no more is not told again
_PAST = datetime.min.replace(tzinfo=UTC)


class Gate(Struct):
    """Closed until a moment, for every worker at once; a wait is told when it begins, changes its reason or grows."""

    clock: Clock
    halt: Event  # whoever waits goes on at once when it is set
    on_wait: OnWait
    _until: datetime = _PAST
    _reason: str = ""
    _lock: Lock = field(default_factory=Lock)

    def close(self, until: datetime, reason: str) -> None:
        """Let nobody through until then; a later moment that was set before stands."""
        with self._lock:
            if until <= max(self._until, self.clock()):
                return
            # Several workers are asked to wait at nearly the same moment; that is one wait.
            is_waiting = self.clock() < self._until
            is_told = is_waiting and self._reason == reason and until - self._until <= _SAME
            self._until, self._reason = until, reason
            if not is_told:
                self.on_wait(until, reason)

    @property
    def is_open(self) -> bool:
        """Whether whoever comes now may go through."""
        return not self.halt.is_set() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether everybody is asked to wait."""
        return self._until > self.clock()

    def opens(self, *, is_worth_it: Callable[[], bool]) -> bool:
        """Wait until the gate is open; return False where that is of no use any more: halted, or not worth it."""
        while (seconds := (self._until - self.clock()).total_seconds()) > 0:
            if self.halt.wait(min(seconds, _NAP_SECONDS)) or not is_worth_it():
                return False
        return not self.halt.is_set()
