"""Dates, ranges and zone labels of an event, in words: made from its fields, so that they cannot be wrong.

English follows the forms a newsletter uses ("Wednesday, February 25, 2026 | 8:00 am – 11:00 am PT"); every other
language takes its forms from CLDR through Babel.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_name

from newsletter.model.issue import Item

_DASH = "\N{EN DASH}"
# How a language says that something happens on that day each week; `{day}` is the weekday's name.
_WEEKLY = {
    "de": "jeden {day}",
    "es": "cada {day}",
    "fr": "chaque {day}",
    "it": "ogni {day}",
    "ja": "毎週{day}",
    "nl": "elke {day}",
    "pt": "cada {day}",
    "sv": "varje {day}",
    "zh": "每周{day}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTile:
    """The date tile of an event: one day, or the first and the last of a range."""

    month: str
    day: str
    weekday: str
    last_month: str = ""  # empty where the event has one day
    last_day: str = ""
    last_weekday: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """An event's days and, where it has times of day, its times."""

    first: date
    last: date
    starts: datetime | None
    ends: datetime | None


def format_when(item: Item, language: str) -> str:
    """Days and times of an event on one line; empty where it has no date."""
    span = _span(item)
    if span is None:
        return ""
    locale = Locale.parse(language, sep="-")
    days = _days(item, span, locale)
    times = _times(span, locale)
    return f"{days} | {times}" if times else days


def format_deadline(item: Item, language: str) -> str:
    """A deadline's label and date: `Early bird price ends February 22`."""
    deadline = item.fields.deadline
    if deadline is None:
        return ""
    locale = Locale.parse(language, sep="-")
    day = format_skeleton("MMMMd", deadline.date, locale=locale)
    return f"{deadline.label} {day}"


def date_tile(item: Item, language: str) -> DateTile | None:
    """The parts of an event's date tile; None where it has no date."""
    span = _span(item)
    if span is None:
        return None
    locale = Locale.parse(language, sep="-")
    first = (_short_month(span.first, locale), str(span.first.day), format_date(span.first, "EEE", locale=locale))
    if span.first == span.last:
        return DateTile(month=first[0], day=first[1], weekday=first[2])
    return DateTile(
        month=first[0],
        day=first[1],
        weekday=first[2],
        last_month=_short_month(span.last, locale),
        last_day=str(span.last.day),
        last_weekday=format_date(span.last, "EEE", locale=locale),
    )


def format_month(day: date, language: str) -> str:
    """Month and year: `February 2026`."""
    return format_skeleton("yMMMM", day, locale=Locale.parse(language, sep="-"))


def _span(item: Item) -> _Span | None:
    starts = item.fields.starts
    if starts is None:
        return None
    ends = item.fields.ends if item.fields.ends is not None else starts
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        return _Span(first=starts, last=ends, starts=None, ends=None)
    last = ends.date()
    # An evening that ends at or after midnight is still one day's event.
    if item.fields.repeats is None and ends - starts < timedelta(hours=18):
        last = starts.date()
    return _Span(
        first=starts.date(),
        last=last,
        starts=starts.replace(tzinfo=item.zone),
        ends=ends.replace(tzinfo=item.zone) if item.fields.ends is not None else None,
    )


def _days(item: Item, span: _Span, locale: Locale) -> str:
    if span.first == span.last:
        if locale.language == "en":
            return format_date(span.first, "EEEE, MMMM d, y", locale=locale)
        return format_date(span.first, "full", locale=locale)
    days = _day_range(span.first, span.last, locale)
    if item.fields.repeats == "weekly":
        weekday = format_date(span.first, "EEEE", locale=locale)
        if locale.language == "en":
            return f"{weekday}s, {days}"
        return f"{_WEEKLY.get(locale.language, '{day}').format(day=weekday)}, {days}"
    if item.fields.weekdays:
        weekdays = (
            f"{format_date(span.first, 'EEEE', locale=locale)} {_DASH} {format_date(span.last, 'EEEE', locale=locale)}"
        )
        return f"{weekdays}, {days}"
    return days


def _day_range(first: date, last: date, locale: Locale) -> str:
    if locale.language != "en":
        return format_interval(first, last, "yMMMMd", locale=locale)
    begin = format_date(first, "MMMM d", locale=locale)
    if first.year != last.year:
        begin += f", {first.year}"
    end_pattern = "d, y" if (first.year, first.month) == (last.year, last.month) else "MMMM d, y"
    return f"{begin} {_DASH} {format_date(last, end_pattern, locale=locale)}"


def _times(span: _Span, locale: Locale) -> str:
    if span.starts is None:
        return ""
    zone = get_timezone_name(span.starts, width="short", zone_variant="generic", locale=locale)
    begin = _clock(span.starts, locale)
    if span.ends is None:
        return f"{begin} {zone}"
    return f"{begin} {_DASH} {_clock(span.ends, locale)} {zone}"


def _clock(moment: datetime, locale: Locale) -> str:
    if locale.language == "en":
        return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"
    return format_time(moment.time(), "short", locale=locale)


def _short_month(day: date, locale: Locale) -> str:
    return format_date(day, "LLL", locale=locale).rstrip(".")
