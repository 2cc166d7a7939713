"""Read dates and times in the formats that tools and people write.

The formats are ISO 8601 in all its forms (`2026-01-31`, `2026-01-31 10:00:01`, `2026-01-31T10:00-08:00`), also with
slashes or dots (`2026/1/31`), Go's format (`2026-01-31 10:00:01.5 +0000 UTC`), an English month
(`Jan 31, 2026, 10:00 AM`, `31 January 2026`, `31-Jan-26`), three numbers (`31.01.2026`, `1/31/2026 10:00 PM`,
`1/31/26`), and seconds or milliseconds since 1970. A time without a zone is in UTC, as the tools document. An ambiguous
date of three numbers is refused, not guessed. A year of two digits is the last such year that has begun. Every cell is
read in linear time.
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
_DAY_AND_CLOCK = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"\s*(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
# Days by which programs write that there is no date: Go and .NET, Windows, SQL Server, spreadsheets, Unix. In another
# time zone, their midnight is a different time or the day before.
_NO_DAYS = frozenset(
    [
        *(date(year, 1, 1) for year in (1, 1601, 1753, 1900, 1904, 1970)),
        *(date(1899, 12, 30), date(1899, 12, 31), date(1969, 12, 31)),
    ]
)
# The same in days that do not exist, in any order of the numbers: `0000-00-00` (MySQL), `1/0/1900` (Excel).
_ZERO, _ONE, _MARK = r"0?0", r"0?1", r"[./-]"
_NO_DAY = re.compile(
    rf"(?:0000{_MARK}{_ZERO}{_MARK}{_ZERO}|{_ZERO}{_MARK}{_ZERO}{_MARK}(?:0000|00)|0{{8}}"
    rf"|1900{_MARK}{_ONE}{_MARK}{_ZERO}|(?:{_ONE}{_MARK}{_ZERO}|{_ZERO}{_MARK}{_ONE}){_MARK}1900"
    rf"|{_ZERO}[ -]Jan[ -](?:1900|00))(?:,?[T ][\d:.TZUGMCAP +-]*)?",
    re.I,
)
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
_SOME_MOMENT = rf"(?!{'|'.join(map(str, sorted(_NO_DAYS)))})"
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
    read = _checked(cell, is_day_first)
    if not _NO_DAYS.isdisjoint({read.day, read.moment.date()}):
        return NO_MOMENT
    last = read.moment + (timedelta() if read.has_time else timedelta(days=1, seconds=-1))
    return text_of(read.moment), text_of(last if read.has_zone else last + _BEHIND_UTC)


def written_day_or_moment(text: str) -> date | datetime:
    """Return the day that a text names, or the moment if it names a time of day too. No day means that there is none.

    Raise FaultError if it is not a date.
    """
    read = _checked(text, None)
    return read.moment if read.has_time else read.day


def _says_none(cell: str) -> bool:
    return cell.lower() in _NO_TEXTS or (len(cell) <= _LONGEST and _NO_DAY.fullmatch(cell) is not None)


class _AmbiguousError(FaultError):
    """A date that could mean two days."""


class _Read(NamedTuple):
    """A time, its day as written, and whether the cell gives the time of day and the zone."""

    moment: datetime
    day: date
    has_time: bool
    has_zone: bool


def _checked(cell: str, is_day_first: bool | None) -> _Read:
    """Return the time that a cell names. Raise FaultError if it is not a date."""
    try:
        if len(cell) > _LONGEST:
            raise ValueError(cell)
        return _read(cell, is_day_first)
    except _AmbiguousError:
        raise
    except (ValueError, OverflowError, OSError):
        is_clock_wrong = len(cell) <= _LONGEST and _has_wrong_clock(cell)
        what = f"the time of day in {cell!r} is not valid" if is_clock_wrong else f"{cell[:40]!r} is not a date"
        raise FaultError(what, "write it as 2026-01-31 or 2026-01-31T08:00Z") from None


def _has_wrong_clock(cell: str) -> bool:
    """Return whether a cell has a day that exists, and after it a time of day that does not."""
    found = _DAY_AND_CLOCK.fullmatch(cell)
    if not found or all(int(found[part] or 0) <= most for part, most in (("hour", 23), ("minute", 59), ("second", 59))):
        return False
    try:
        date.fromisoformat(found["day"])
    except ValueError:
        return False
    return True


def _read(cell: str, is_day_first: bool | None) -> _Read:
    if _SINCE_1970.fullmatch(cell):
        moment = datetime.fromtimestamp(int(cell[:10]), UTC)
        return _Read(moment, moment.date(), has_time=True, has_zone=True)
    is_utc = False
    if found := _GO.fullmatch(cell):
        cell = f"{found['moment']}{found['offset']}:{found['minutes']}"
    elif cell[:4].isdecimal() and (named := _NAMED_UTC.search(cell)):
        cell, is_utc = cell[: named.start()], True
    if _ISO.fullmatch(cell):
        local = datetime.fromisoformat(cell)
        has_zone = is_utc or local.tzinfo is not None
        is_utc = local.tzinfo is None or local.date() == date.min  # the first day cannot be moved to another zone
        moment = local.replace(tzinfo=UTC) if is_utc else local.astimezone(UTC)
        has_time = "T" in cell or " " in cell
        return _Read(moment.replace(microsecond=0), local.date(), has_time=has_time, has_zone=has_zone)
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
    first, second = _at(found, one, two).day, _at(found, two, one).day
    raise _AmbiguousError(f"{found[0]!r} could be {first:%-d %B} or {second:%-d %B}", f"write it as {first}")


def _at(found: re.Match[str], day: int, month: int) -> _Read:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    moment = datetime(_year(found["year"]), month, day, hour, minute, second, tzinfo=UTC)
    return _Read(moment, moment.date(), has_time=found["hour"] is not None, has_zone=found["zone"] is not None)


def _year(digits: str) -> int:
    """Return a year. Two digits mean the last such year that has begun."""
    if len(digits) > 2:
        return int(digits)
    year = 2000 + int(digits)
    return year if year <= datetime.now(UTC).year else year - 100
