"""Read the dates and times of a list in the formats that tools and people use.

The formats are ISO 8601 in all its forms (`2026-01-31`, `2026-01-31 10:00:01`, `2026-01-31T10:00-08:00`), Go's format
(`2026-01-31 10:00:01.5 +0000 UTC`), an English month (`Jan 31, 2026, 10:00 AM`, `31 January 2026`), three numbers
(`31.01.2026`, `1/31/2026 10:00 PM`), and seconds or milliseconds since 1970. A time without a zone is in UTC, as the
tools document. An ambiguous date of three numbers is refused, not guessed.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from newsletter.errors import FaultError
from newsletter.language.clock import MONTHS
from newsletter.system.moments import text_of

_MONTHS = [month[:3].lower() for month in MONTHS]
_TIME = (
    r"(?:(?:,|\sat)?\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?\s*(?P<half>[ap]\.?m\.?)?)?"
)
_ZONE = r"(?:\s*(?:UTC|GMT|Z))?"
_MONTH_FIRST = re.compile(
    rf"(?P<month>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}{_ZONE}", re.I
)
_DAY_FIRST = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+(?P<month>[a-z]{{3,9}})\.?,?[\s-]+(?P<year>\d{{4}}){_TIME}{_ZONE}",
    re.I,
)
_NUMBERS = re.compile(
    rf"(?P<one>\d{{1,2}})(?P<mark>[./-])(?P<two>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}{_ZONE}", re.I
)
_GO = re.compile(r"(?P<moment>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? (?P<offset>[+-]\d\d)(?P<minutes>\d\d) \S+")
_NAMED_UTC = re.compile(r"(?P<moment>\d{4}-\d\d-\d\d[ T].+?)\s*(?:UTC|GMT)")
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d(?:[T ].+)?")
_SINCE_1970 = re.compile(r"\d{10}(?:\d{3})?")
_NO_MOMENT = re.compile(r"0000-00-00(?:[T ]00:00(?::00)?)?")  # MySQL's way to write that there is no date

# These patterns match a whole column at once, in our form, or with a space and no zone. They accept valid days only.
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?!0000)(?:[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    rf"|(?:0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ALL_OURS = re.compile(rf"(?:(?:{_DAY}T{_CLOCK}Z)?\n)*+")
_ALL_WITH_SPACE = re.compile(rf"(?:{_DAY} {_CLOCK}\n)*+")


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
    """Return a time in the form that the database stores. Raise FaultError if it is invalid."""
    if _NO_MOMENT.fullmatch(cell):
        return ""
    try:
        return text_of(_moment(cell, is_day_first))
    except _AmbiguousError:
        raise
    except (ValueError, OverflowError, OSError):
        raise FaultError(f"{cell[:40]!r} is not a date", "write it as 2026-01-31 or 2026-01-31T08:00Z") from None


class _AmbiguousError(FaultError):
    """A date that could mean two days."""


def _moment(cell: str, is_day_first: bool | None) -> datetime:
    if _SINCE_1970.fullmatch(cell):
        return datetime.fromtimestamp(int(cell[:10]), UTC)
    if found := _GO.fullmatch(cell):
        cell = f"{found['moment']}{found['offset']}:{found['minutes']}"
    elif found := _NAMED_UTC.fullmatch(cell):
        cell = found["moment"]
    if _ISO.fullmatch(cell):
        moment = datetime.fromisoformat(cell)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).replace(microsecond=0)
    if found := _NUMBERS.fullmatch(cell):
        return _of_numbers(found, is_day_first)
    if found := _MONTH_FIRST.fullmatch(cell) or _DAY_FIRST.fullmatch(cell):
        return _at(found, int(found["day"]), 1 + _MONTHS.index(found["month"][:3].lower()))
    raise ValueError(cell)


def _of_numbers(found: re.Match[str], is_day_first: bool | None) -> datetime:
    """Return the time. The day is first in dates with dots. In others, a number above 12 must be the day."""
    one, two = int(found["one"]), int(found["two"])
    if is_day_first or found["mark"] == "." or one > 12:
        return _at(found, one, two)
    if two > 12 or one == two or is_day_first is False:
        return _at(found, two, one)
    first, second = _at(found, one, two).date(), _at(found, two, one).date()
    raise _AmbiguousError(f"{found[0]!r} could be {first:%-d %B} or {second:%-d %B}", f"write it as {first}")


def _at(found: re.Match[str], day: int, month: int) -> datetime:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    return datetime(int(found["year"]), month, day, hour, minute, second, tzinfo=UTC)
