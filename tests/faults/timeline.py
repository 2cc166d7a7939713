"""The clock of a run: all of its processes share it, and a run may have it go fast or jump ahead."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClock:
    """Shows a time that depends on the real one alone, so that processes agree on it."""

    start: datetime
    ahead: timedelta = timedelta()
    speed: float = 1.0

    def now(self) -> datetime:
        """The time in the run, in UTC."""
        return self.start + (datetime.now(UTC) - self.start) * self.speed + self.ahead
