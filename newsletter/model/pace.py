"""How fast, and when, mail is handed to a provider."""

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
    """At most so many deliveries within any span of so many seconds."""

    deliveries: int
    seconds: int


class SendingWindow(Struct, frozen=True, kw_only=True):
    """The hours and weekdays in which mail is handed over."""

    opens: time
    closes: time  # later than `opens`, the same day; midnight is the end of the day
    weekdays: frozenset[Weekday]  # every day where it is empty
    zone: ZoneInfo


class WarmUp(Struct, frozen=True, kw_only=True):
    """A ramp: so many deliveries on the first day, and each day so many times the day before."""

    starts: date  # what is sent before counts as the first day does
    first_day: int
    growth: float
    zone: ZoneInfo  # whose midnight begins a day


class Pace(Struct, frozen=True, kw_only=True):
    """All that limits how fast a provider is handed mail; nothing does where it is empty."""

    rates: tuple[Rate, ...] = ()
    window: SendingWindow | None = None
    warm_up: WarmUp | None = None
    setting: str = "the pace"  # where a person changes it: `[provider.smtp.pace]`


class Allowance(Struct, frozen=True, kw_only=True):
    """At most so many deliveries since a moment, whichever broadcast and process hands them over.

    What was claimed in the very second of `since` counts.
    """

    deliveries: int
    since: datetime
    frees: datetime  # when, at the latest, deliveries of before do not count any more
    reason: str = ""  # which limit it is, for people: `at most 500 an hour, as [provider.smtp.pace] says`
