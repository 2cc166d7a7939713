"""When a broadcast is to reach people: by one clock, or by everybody's own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A time on the clock, and whose clock that is."""

    wall_time: datetime  # without a zone
    zone: str  # an IANA name; in local time, the clock of those whose own zone is not known
    is_local_time: bool = False  # everybody by the clock of their own zone

    def moment_in(self, zone: str) -> datetime:
        """The moment at which the clocks of a zone show the time; in the schedule's zone where no such zone is known.

        A time that a zone skips in spring is taken as if it were not skipped: 2:30 becomes 3:30. Of a time that comes
        twice in autumn the first counts (PEP 495).
        """
        return self.wall_time.replace(tzinfo=ZoneInfo(self.clock_of(zone))).astimezone(UTC)

    def clock_of(self, zone: str) -> str:
        """The zone by whose clocks somebody goes: their own, or the schedule's where no such zone is known."""
        try:
            return ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: `Europe` is a folder of zones
            return self.zone
