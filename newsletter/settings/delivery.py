"""What a broadcast needs before it is sent, and when it is sent: `[delivery]`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from newsletter.errors import FaultError
from newsletter.model.values import Fields

_SPAN = re.compile(r"(\d{1,5}) ?([smh])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_LONGEST_GRACE = timedelta(days=1)


def span_from(value: object) -> object:
    """Return the time span that a text such as `5m` means. `0` needs no unit."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if text == "0":
        return timedelta()
    match = _SPAN.fullmatch(text)
    if match is None or isinstance(value, bool):
        raise FaultError(f"{value!r} is not a time span", 'write a number with s, m or h, for example "5m"')
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST_GRACE:
        raise FaultError(
            f"{value!r} is more than a day", "write at most 24h; to send later, use `newsletter send --at`"
        )
    return span


class DeliverySettings(Fields):
    """`[delivery]`: what a broadcast needs before it is sent, and how closely a schedule is kept."""

    require_approval: bool = Field(default=False, description="send only content that was approved")
    require_test: bool = Field(default=False, description="send only content that went out as a test email")
    lead_minutes: int = Field(
        default=60,
        ge=11,
        le=71 * 60,  # SendGrid's limit is an hour more
        description="how many minutes before its scheduled time an email is sent to a provider that holds it",
    )
    lateness_minutes: int = Field(default=360, ge=1, description="how late email may still be sent automatically")
    grace: Annotated[timedelta, BeforeValidator(span_from)] = Field(
        default=timedelta(), description="how long emails wait after you confirm, for example 5m"
    )
