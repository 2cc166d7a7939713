"""How fast, and when, a provider is handed mail: `[provider.….pace]`."""

import re
from datetime import date, time

from pydantic import Field, field_validator

from newsletter.model.pace import Weekday
from newsletter.model.values import OneLine
from newsletter.settings.part import Part

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = time(0, 0)


class WarmUpSettings(Part):
    """`[provider.….pace.warm_up]`: a new sender begins with few, and sends more each day."""

    starts: date
    first_day: int = Field(default=500, ge=1, description="how many deliveries on the first day")
    growth: float = Field(default=1.5, gt=1, le=10, description="each day so many times the day before")


class PaceSettings(Part):
    """`[provider.….pace]`: what is left out limits nothing."""

    per_second: int | None = Field(default=None, ge=1)
    per_minute: int | None = Field(default=None, ge=1)
    per_hour: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    hours: OneLine | None = Field(default=None, description="as 08:00-20:00, in the newsletter's time zone")
    weekdays: tuple[Weekday, ...] = Field(default=(), description="as mon, tue; every day where it is left out")
    warm_up: WarmUpSettings | None = None

    @field_validator("hours")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        if value is not None:
            opens, closes = span_of(value)
            if opens >= closes != _MIDNIGHT:
                raise ValueError(f"{value!r} ends before it begins; write it as 08:00-20:00")
        return value


def span_of(hours: str) -> tuple[time, time]:
    """The two times of `08:00-20:00`, the second one midnight for `24:00`; raises ValueError where it is none."""
    match = _HOURS.fullmatch(hours.strip())
    if match is None:
        raise ValueError(f"{hours!r} is not a span of hours; write it as 08:00-20:00")
    first_hour, first_minute, last_hour, last_minute = (int(part or 0) for part in match.groups())
    return time(first_hour, first_minute), time(last_hour, last_minute)
