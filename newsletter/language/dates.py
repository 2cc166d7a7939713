"""Dates, ranges and zone labels of an event, in words. They are made from the event's fields, so they cannot be wrong.

English follows the forms a newsletter uses ("Wednesday, February 25, 2026 | 8:00 am – 11:00 am PT"). Every other
language takes its forms from CLDR through Babel.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from babel import Locale
from babel.dates import (
    format_date,
    format_interval,
    format_skeleton,
    format_time,
    get_timezone_location,
    get_timezone_name,
)
from msgspec import Struct

from newsletter.language.clock import say_clock
from newsletter.language.words import comma_of, locale_of, weekly
from newsletter.model.issue import Item
from newsletter.model.issue_fields import Moment

_OFFSET = re.compile(r"\d\d:?\d\d$")  # what CLDR writes for a time zone without a name
_DASH = "\N{EN DASH}"


class DateTile(NamedTuple):
    """The date tile of an event: one day, or the first and last day of a range."""

    month: str
    day: str
    weekday: str
    last_month: str = ""  # empty if the event has one day
    last_day: str = ""
    last_weekday: str = ""


class _Span(Struct, frozen=True, kw_only=True):
    """An event's days, and its times if it has any."""

    first: date
    last: date
    starts: datetime | None
    ends: datetime | None


def format_when(item: Item, language: str) -> str:
    """Return the days and times of an event on one line, or an empty string if it has no date."""
    span = _span(item)
    if span is None:
        return ""
    locale = _locale(language)
    days = _days(item, span, locale)
    times = _times(span, locale)
    return f"{days} | {times}" if times else days


def format_deadline(item: Item, language: str) -> str:
    """Return a deadline's label and date: `Early bird price ends February 22`."""
    deadline = item.fields.deadline
    if deadline is None:
        return ""
    locale = _locale(language)
    day = format_skeleton("MMMMd", deadline.date, locale=locale)
    return f"{deadline.label} {day}"


def format_series(item: Item, language: str) -> str:
    """Return the weekday of a weekly event as a phrase, `Wednesdays`, or an empty string for any other event."""
    span = _span(item)
    if span is None or span.first == span.last or item.fields.repeats != "weekly":
        return ""
    locale = _locale(language)
    return weekly(format_date(span.first, "EEEE", locale=locale), locale)


def date_tile(item: Item, language: str) -> DateTile | None:
    """Return an event's date tile, or None if it has no date."""
    span = _span(item)
    if span is None:
        return None
    locale = _locale(language)
    last = _tile_parts(span.last, locale) if span.first != span.last else ()
    return DateTile(*_tile_parts(span.first, locale), *last)


def format_month(day: date, language: str) -> str:
    """Return the month and year of a day: `February 2026`."""
    return format_skeleton("yMMMM", day, locale=_locale(language))


def _locale(language: str) -> Locale:
    return locale_of(language) or Locale("en")


def _span(item: Item) -> _Span | None:
    starts = item.fields.starts
    if starts is None:
        return None
    ends = item.fields.ends if item.fields.ends is not None else starts
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        return _Span(first=starts, last=ends, starts=None, ends=None)
    last = ends.date()
    # An evening event that ends at or after midnight still counts as one day.
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
        return f"{weekly(weekday, locale)}{comma_of(locale)}{days}"
    if item.fields.weekdays:
        first, last = (format_date(day, "EEEE", locale=locale) for day in (span.first, span.last))
        return f"{first} {_DASH} {last}{comma_of(locale)}{days}"
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
    zone = _zone_label(span.starts, locale)
    begin = _clock(span.starts, locale)
    if span.ends is None:
        return f"{begin} {zone}"
    return f"{begin} {_DASH} {_clock(span.ends, locale)} {zone}"


def _zone_label(moment: datetime, locale: Locale) -> str:
    """Return a zone's short name such as `PT` if the language has one, else the zone's long name or its city.

    A bare offset from UTC is never returned.
    """
    if moment.tzname() == "UTC":
        return "UTC"
    name = get_timezone_name(moment, width="short", zone_variant="generic", locale=locale)
    if name == get_timezone_name(moment, width="short", zone_variant="standard", locale=locale):
        # The language has no name that is valid all year. The winter name would be an hour off in summer.
        name = get_timezone_name(moment, width="short", locale=locale)
    if name.startswith(("+", "-")):
        name = get_timezone_name(moment, width="long", zone_variant="generic", locale=locale)
    if _OFFSET.search(name):
        city = get_timezone_location(moment, locale=locale, return_city=True)
        return f"{city} time" if locale.language == "en" else f"({city})"
    return name


def _clock(moment: datetime, locale: Locale) -> str:
    if locale.language == "en":
        return say_clock(moment)
    return format_time(moment.time(), "short", locale=locale)


def _tile_parts(day: date, locale: Locale) -> tuple[str, str, str]:
    """Return the short month, the day and the short weekday.

    The pattern is `MMM`, because Babel's stand-alone months (`LLL`) leak from one language into the next.
    """
    month, weekday = (format_date(day, pattern, locale=locale).rstrip(".") for pattern in ("MMM", "EEE"))
    return month, str(day.day), weekday


_GOOGLE = "https://calendar.google.com/calendar/render"
_USUAL_LENGTH = timedelta(hours=1)
_STAMP = "%Y%m%dT%H%M%SZ"


def google_calendar_url(item: Item) -> str | None:
    """Return the address of Google Calendar's page with the event filled in, or None if it has no date.

    A repeated event is given as its first occurrence with a weekly rule. The end of an all-day event is exclusive. An
    event with a start time but no end lasts one hour, as if the reader had entered it. The calendar hides an event
    without a duration.
    """
    starts = item.fields.starts
    if starts is None:
        return None
    ends = _end(starts, item.fields.ends)
    query = {"action": "TEMPLATE", "text": item.fields.title, "dates": _dates(starts, ends, item), "ctz": item.zone.key}
    if item.fields.subtitle:
        query["details"] = item.fields.subtitle
    if item.fields.location:
        query["location"] = item.fields.location
    if item.fields.repeats == "weekly":
        times = (_day(ends) - _day(starts)).days // 7 + 1
        query["recur"] = f"RRULE:FREQ=WEEKLY;COUNT={times}"
    return f"{_GOOGLE}?{urlencode(query)}"


def _end(starts: Moment, ends: Moment | None) -> Moment:
    if ends is not None and ends != starts:
        return ends
    return starts + _USUAL_LENGTH if isinstance(starts, datetime) else starts


def _dates(starts: Moment, ends: Moment, item: Item) -> str:
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        if item.fields.repeats == "weekly":
            ends = datetime.combine(starts.date(), ends.time())
            ends += timedelta(days=1) if ends <= starts else timedelta()
        return f"{_stamp(starts, item)}/{_stamp(ends, item)}"
    return f"{_day(starts):%Y%m%d}/{_day(ends) + timedelta(days=1):%Y%m%d}"


def _stamp(moment: datetime, item: Item) -> str:
    return moment.replace(tzinfo=item.zone).astimezone(UTC).strftime(_STAMP)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
