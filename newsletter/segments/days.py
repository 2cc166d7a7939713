"""The days that an expression names: `2025-06-01`, `today`, `90 days ago`."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_YEARS = range(1900, 2200)  # far from where a calendar ends in any zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What day it is, and when days begin."""

    now: datetime
    zone: str  # of the newsletter

    @property
    def today(self) -> date:
        """The day on which `now` falls."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def beginning_of(self, day: date) -> datetime:
        """The first moment of a day."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def beginning_after(self, day: date) -> datetime:
        """The first moment after a day."""
        return self.beginning_of(day + timedelta(days=1))

    def day_ago(self, number: int, unit: str) -> date | None:
        """The day so many days, weeks, months or years ago, or the last one of a shorter month; None if too long ago.

        `unit` may be in any case, singular or plural.
        """
        match unit.lower().removesuffix("s"):
            case "day":
                return _days_before(self.today, number)
            case "week":
                return _days_before(self.today, 7 * number)
            case "month":
                return _months_before(self.today, number)
            case _:
                return _months_before(self.today, 12 * number)


def read_day(text: str) -> date | None:
    """The day that is written as in ISO 8601; None where there is no such day, or not in our times."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _days_before(today: date, days: int) -> date | None:
    return today - timedelta(days=days) if days <= (today - date(_YEARS[0], 1, 1)).days else None


def _months_before(today: date, months: int) -> date | None:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year not in _YEARS:
        return None
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
