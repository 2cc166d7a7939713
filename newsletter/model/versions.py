"""The versions of an issue that are compared before most people get it: `versions:` in `issue.yaml`."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from newsletter.errors import FaultError
from newsletter.model.values import Fields

OTHER_VERSIONS = {"b": "B", "c": "C", "d": "D"}  # the letter in the names of files and keys → the version
_SHARE = re.compile(r"(\d{1,3}) ?%?")
_SHARES = range(1, 91)
_WAIT = re.compile(r"(\d{1,4}) ?(m|h|d|minutes?|hours?|days?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WAITS = timedelta(minutes=10), timedelta(days=7)


def _share(value: object) -> object:
    """Return a share in percent, from a text such as `20 %`."""
    match = _SHARE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise FaultError(f"{value!r} is not a share", "write a whole number of percent, for example: 20 %")
    if int(match[1]) not in _SHARES:
        what = f"{value!r} leaves too few people, either in the test or for the better version"
        raise FaultError(what, f"write {_SHARES[0]} % to {_SHARES[-1]} %")
    return int(match[1])


def _wait(value: object) -> object:
    """Return the time span that a text such as `4 hours` means."""
    if isinstance(value, timedelta):
        return value
    match = _WAIT.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise FaultError(f"{value!r} is not a time span", "write a number and its unit, for example: 4 hours")
    span = timedelta(**{_UNITS[match[2][0]]: int(match[1])})
    if not _WAITS[0] <= span <= _WAITS[1]:
        raise FaultError(f"{value!r} is too short or too long to wait", "write 10 minutes to 7 days")
    return span


class VersionTest(Fields):
    """How the versions are compared: who gets them first, for how long, and what decides."""

    share: Annotated[int, BeforeValidator(_share)] = Field(
        default=20, description="the share of recipients who get the versions first, in percent"
    )
    wait: Annotated[timedelta, BeforeValidator(_wait)] = Field(
        default=timedelta(hours=4), description="how long to wait for their clicks or opens at most"
    )
    winner: Literal["clicks", "opens", "me"] | None = Field(
        default=None, description="what decides which version all others get; the default is clicks if they are known"
    )
    unclear: Literal["A", "B", "C", "D", "me"] = Field(
        default="A", description="the version that all others get if no version is clearly better, or who decides then"
    )
