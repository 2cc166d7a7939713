"""Read the values of an expression: days, moments, numbers, and texts in the form in which the list keeps a field.

The list's own functions read languages, time zones, addresses and moments, so a value may be written as in a list.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.language.codes import language_of, time_zone_of
from newsletter.language.written_moments import written_day_or_moment
from newsletter.model.address import person_of
from newsletter.model.columns import COLUMNS, ColumnType
from newsletter.model.segment import Operator

_DAYS_OF = {"day": 1, "week": 7}
_YEARS = range(1900, 2200)  # far enough from the limits of Python's dates to be safe in every time zone
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_MOST_DIGITS = 100  # a longer number may not fit a double
_MOST_EXACT_DIGITS = 15  # two longer numbers, such as the numbers of customers, may be the same double


class Value(Struct, frozen=True):
    """A value that a field is compared with: its text, its day if it is written as one, and whether it has quotes."""

    position: int
    text: str
    day: date | None = None
    is_quoted: bool = True


class Span(NamedTuple):
    """A day or a second: the time from `first` until just before `after`."""

    first: datetime
    after: datetime


class Calendar(Struct, frozen=True, kw_only=True):
    """The current date, and the times at which days begin in the newsletter's time zone."""

    now: datetime
    zone: str  # the newsletter's

    @property
    def today(self) -> date:
        """The date on which `now` falls."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def beginning_of(self, day: date) -> datetime:
        """Return the time at which a day begins, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def span_of(self, value: Value) -> Span:
        """Return the day or the second that a value names.

        The database keeps times to the second. Raise ValueError with the remedy if the value is not a date.
        """
        named = value.day or written_day_or_moment(value.text)
        if named.year not in _YEARS:
            years = f"write one from {_YEARS[0]} to {_YEARS[-1]}"
            raise FaultError(f"the year of {value.text} is not possible", years)
        if isinstance(named, datetime):
            return Span(named, named + timedelta(seconds=1))
        return Span(self.beginning_of(named), self.beginning_of(named + timedelta(days=1)))

    def day_ago(self, number: int, unit: str) -> date | None:
        """Return the date `number` days, weeks, months or years ago, or None if it is too long ago.

        If a month has no such day, return its last day. `unit` may be in any case, singular or plural.
        """
        singular = unit.lower().removesuffix("s")
        if singular in _DAYS_OF:
            return _days_before(self.today, _DAYS_OF[singular] * number)
        return _months_before(self.today, number if singular == "month" else 12 * number)


def _days_before(today: date, days: int) -> date | None:
    return today - timedelta(days=days) if days <= (today - date(_YEARS[0], 1, 1)).days else None


def _months_before(today: date, months: int) -> date | None:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year not in _YEARS:
        return None
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def unquoted(literal: str) -> str:
    """Return the text of a value in quotes. Inside it, two quotes stand for one."""
    quote = literal[0]
    return literal[1:-1].replace(2 * quote, quote)


def number_in(value: Value, operator: Operator) -> float | None:
    """Return the number that a field is compared with, or None if it is compared with a text.

    `=` and `!=` compare with a text if the value is in quotes, because "02134" is not the number 2134.
    """
    is_exact = operator in {Operator.EQUAL, Operator.UNEQUAL}
    if not _NUMBER.fullmatch(value.text) or (is_exact and value.is_quoted):
        return None
    digits = sum(map(str.isdigit, value.text))
    return float(value.text) if digits <= (_MOST_EXACT_DIGITS if is_exact else _MOST_DIGITS) else None


def has_codes(field: str) -> bool:
    """Return whether the values of a field are addresses, languages or time zones, so never numbers."""
    return field in _READERS


def stored_form(field: str, text: str) -> str:
    """Return a text as the list stores it in this field. Raise ValueError with the remedy if it cannot contain it."""
    read = _READERS.get(field)
    return read(text) if read and text else text


def _person_or_part(text: str) -> str:
    return person_of(text) if "@" in text else text.casefold()


_READERS_OF_TYPES: Mapping[ColumnType, Callable[[str], str]] = {
    ColumnType.ADDRESS: _person_or_part,
    ColumnType.LANGUAGE: language_of,
    ColumnType.ZONE: time_zone_of,
}
_READERS: Mapping[str, Callable[[str], str]] = {
    column.name: _READERS_OF_TYPES[column.type] for column in COLUMNS if column.type in _READERS_OF_TYPES
}
