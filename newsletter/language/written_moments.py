"""Read dates and times in the formats that tools and people write.

The formats are ISO 8601 in all its forms (`2026-01-31`, `2026-01-31 10:00:01`, `2026-01-31T10:00-08:00`), also with
slashes or dots (`2026/1/31`), Go's format (`2026-01-31 10:00:01.5 +0000 UTC`), an English month
(`Jan 31, 2026, 10:00 AM`, `31 January 2026`, `31-Jan-26`), three numbers (`31.01.2026`, `1/31/2026 10:00 PM`,
`1/31/26`), and seconds or milliseconds since 1970. A time without a zone is in UTC, as the tools document. An ambiguous
date of three numbers is refused, not guessed. Every cell is read in linear time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from newsletter.errors import FaultError
from newsletter.language.clock import MONTHS
from newsletter.system.moments import text_of

_MONTHS = [month[:3].lower() for month in MONTHS]
_TIME = (
    r"(?:(?:,|\sat)?\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?\s*(?P<half>[ap]\.?m\.?)?)?"
)
_ZONE = r"(?P<zone>\s*(?:UTC|GMT|Z))?"
_YEAR = r"(?P<year>\d{4}|\d\d)"
_MONTH_FIRST = re.compile(
    rf"(?P<month>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}{_ZONE}", re.I
)
_DAY_FIRST = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+(?P<month>[a-z]{{3,9}})\.?,?[\s-]+{_YEAR}{_TIME}{_ZONE}", re.I
)
_NUMBERS = re.compile(rf"(?P<one>\d{{1,2}})(?P<mark>[./-])(?P<two>\d{{1,2}})(?P=mark){_YEAR}{_TIME}{_ZONE}", re.I)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[./-])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}{_ZONE}", re.I
)
_GO = re.compile(r"(?P<moment>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? (?P<offset>[+-]\d\d)(?P<minutes>\d\d) \S+")
_NAMED_UTC = re.compile(r"\s*(?:UTC|GMT)$")
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d(?:[T ].+)?")
_SINCE_1970 = re.compile(r"\d{10}(?:\d{3})?")
_LONGEST = 60  # characters; no date is longer
# Dates by which programs write that there is none: MySQL, Go and .NET, spreadsheets, SQL Server, Unix.
_NO_DAYS = frozenset({"0000-00-00", "0001-01-01", "1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "1970-01-01"})
_MIDNIGHT = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?)?\s*(?:Z|UTC|GMT|\+00:?00(?: UTC)?)?")
_NO_TEXTS = frozenset({"null", "nil", "none", "\\n", "n/a", "#n/a", "nan", "nat", "0"})
NO_MOMENT = ("", "")  # the span of a cell that says that there is no date
# The earliest and the latest time zones in use are 14 hours ahead of UTC and 12 hours behind it.
_BEHIND_UTC = timedelta(hours=12)

# These patterns match a whole column at once, in our form, or with a space and no zone. They accept valid days only.
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?!0000)(?:[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    rf"|(?:0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_SOME_MOMENT = r"(?!(?:0001-01-01|1899-12-3[01]|19[07]0-01-01).00:00:00)"  # not one of _NO_DAYS
_ALL_OURS = re.compile(rf"(?:(?:{_SOME_MOMENT}{_DAY}T{_CLOCK}Z)?\n)*+")
_ALL_WITH_SPACE = re.compile(rf"(?:{_SOME_MOMENT}{_DAY} {_CLOCK}\n)*+")


def our_moments(cells: Sequence[str]) -> Sequence[str] | None:
    """Return the times of a column in our form, or None if it needs more than a change of separators."""
    lines = "\n".join([*cells, ""])
    if _ALL_OURS.fullmatch(lines):
        return cells
    if _ALL_WITH_SPACE.fullmatch(lines):
        return lines.replace(" ", "T").replace("\n", "Z\n").split("\n")[:-1]
    return None


def moments(cells: Sequence[str], *, is_day_first: bool | None = None) -> tuple[Sequence[str], dict[int, str]]:
    """Return a column of times in the form that the database stores, and what is wrong with cells, by place."""
    read, faults = [], {}
    for place, cell in enumerate(cells):
        try:
            read.append(moment_text(cell, is_day_first=is_day_first) if cell else "")
        except ValueError as err:
            read.append("")
            faults[place] = str(err)
    return read, faults


@lru_cache(maxsize=4096)
def moment_text(cell: str, *, is_day_first: bool | None = None) -> str:
    """Return a time in the form that the database stores, or an empty string if the cell says that there is none.

    Raise FaultError if the cell is not a date.
    """
    return moment_span(cell, is_day_first=is_day_first)[0]


@lru_cache(maxsize=4096)
def moment_span(cell: str, *, is_day_first: bool | None = None) -> tuple[str, str]:
    """Return a time as `moment_text` does, and the latest time that the cell can mean.

    A day can end 12 hours after it ends in UTC, and a time without a zone can be as much later. Raise FaultError
    if the cell is not a date.
    """
    if _says_none(cell):
        return NO_MOMENT
    try:
        if len(cell) > _LONGEST:
            raise ValueError(cell)
        read = _read(cell, is_day_first)
        last = read.moment + (timedelta() if read.has_time else timedelta(days=1, seconds=-1))
        return text_of(read.moment), text_of(last if read.has_zone else last + _BEHIND_UTC)
    except _AmbiguousError:
        raise
    except (ValueError, OverflowError, OSError):
        raise FaultError(f"{cell[:40]!r} is not a date", "write it as 2026-01-31 or 2026-01-31T08:00Z") from None


def written_day(text: str) -> date | None:
    """Return the day that a string names, or None if it names a time of day too, or no date.

    Raise FaultError if it is not a date.
    """
    if not moment_text(text):
        return None
    read = _read(text, None)
    return None if read.has_time else read.moment.date()


def _says_none(cell: str) -> bool:
    if cell.lower() in _NO_TEXTS:
        return True
    found = _MIDNIGHT.fullmatch(cell) if len(cell) <= _LONGEST else None
    return found is not None and found["day"] in _NO_DAYS


class _AmbiguousError(FaultError):
    """A date that could mean two days."""


class _Read(NamedTuple):
    """A time, and whether the cell gives the time of day and the zone."""

    moment: datetime
    has_time: bool
    has_zone: bool


def _read(cell: str, is_day_first: bool | None) -> _Read:
    if _SINCE_1970.fullmatch(cell):
        return _Read(datetime.fromtimestamp(int(cell[:10]), UTC), has_time=True, has_zone=True)
    is_utc = False
    if found := _GO.fullmatch(cell):
        cell = f"{found['moment']}{found['offset']}:{found['minutes']}"
    elif cell[:4].isdecimal() and (named := _NAMED_UTC.search(cell)):
        cell, is_utc = cell[: named.start()], True
    if _ISO.fullmatch(cell):
        moment = datetime.fromisoformat(cell)
        has_zone = is_utc or moment.tzinfo is not None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return _Read(moment.replace(microsecond=0), has_time="T" in cell or " " in cell, has_zone=has_zone)
    if found := _YEAR_FIRST.fullmatch(cell):
        read = _at(found, int(found["day"]), int(found["month"]))
        return read._replace(has_zone=is_utc or read.has_zone)
    if found := _NUMBERS.fullmatch(cell):
        return _of_numbers(found, is_day_first)
    if found := _MONTH_FIRST.fullmatch(cell) or _DAY_FIRST.fullmatch(cell):
        return _at(found, int(found["day"]), 1 + _MONTHS.index(found["month"][:3].lower()))
    raise ValueError(cell)


def _of_numbers(found: re.Match[str], is_day_first: bool | None) -> _Read:
    """Return the time. The day is first in dates with dots. In others, a number above 12 must be the day."""
    one, two = int(found["one"]), int(found["two"])
    if is_day_first or found["mark"] == "." or one > 12:
        return _at(found, one, two)
    if two > 12 or one == two or is_day_first is False:
        return _at(found, two, one)
    first, second = _at(found, one, two).moment.date(), _at(found, two, one).moment.date()
    raise _AmbiguousError(f"{found[0]!r} could be {first:%-d %B} or {second:%-d %B}", f"write it as {first}")


def _at(found: re.Match[str], day: int, month: int) -> _Read:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return _Read(moment, has_time=found["hour"] is not None, has_zone=found["zone"] is not None)
