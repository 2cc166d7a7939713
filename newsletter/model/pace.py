"""The limits on how fast and when email is sent to a provider."""

from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct


class Weekday(StrEnum):
    """A day of the week, in the order of `datetime.weekday()`."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Rate(Struct, frozen=True, kw_only=True):
    """The maximum number of deliveries in any period of this length."""

    deliveries: int
    seconds: int


class SendingWindow(Struct, frozen=True, kw_only=True):
    """The hours and weekdays during which email is sent."""

    opens: time
    closes: time  # later than `opens` on the same day; midnight means the end of the day
    weekdays: frozenset[Weekday]  # empty: every day
    zone: ZoneInfo


class WarmUp(Struct, frozen=True, kw_only=True):
    """A warm-up: the maximum number of deliveries on the first day, and its growth factor from day to day."""

    starts: date  # earlier days have the same limit as the first day
    first_day: int
    growth: float
    zone: ZoneInfo  # a day begins at midnight in this zone


class Pace(Struct, frozen=True, kw_only=True):
    """All limits on how fast email is sent to a provider. By default there are none."""

    rates: tuple[Rate, ...] = ()
    window: SendingWindow | None = None
    warm_up: WarmUp | None = None
    setting: str = "the pace"  # the table in which to change it: `[provider.smtp.pace]`


class Allowance(Struct, frozen=True, kw_only=True):
    """The maximum number of deliveries since a certain time, across all broadcasts and processes."""

    deliveries: int
    since: datetime
    frees: datetime | None = None  # when all of them stop counting; None: each one period after its claim
    reason: str = ""  # the limit, for people to read: `at most 500 an hour, as set in [provider.smtp.pace]`
