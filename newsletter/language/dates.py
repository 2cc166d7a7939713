"""Days, times and zones of an event, in words. They are made from the event's fields, so they cannot be wrong.

American English follows the forms a newsletter uses ("Wednesday, February 25, 2026 | 8:00–11:00 am PT"). Every other
language takes its words and their order from CLDR through Babel. Ranges are put together here, because CLDR spaces and
joins them differently from one form to the next, and a block of dates should look as if one person had written it.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from newsletter.language.clock import say_clock
from newsletter.language.words import (
    after_clock,
    clock_range_sign,
    comma_between,
    from_day,
    locale_of,
    range_sign,
    weekly,
)
from newsletter.language.zone_labels import is_twice, offset_label, zone_label
from newsletter.model.issue import Item, Occurrence

# An evening event that ends after midnight still counts as one day.
ONE_EVENING = timedelta(hours=18)
_NARROW_SPACES = re.compile(r"[\u00a0\u2009\u202f]")  # CLDR's; they are boxes in old fonts
_BETWEEN_NUMBERS = re.compile(r"(?:(?<=\d)|(?<=\d\.)) – (?=\d)")
_DOT_OF_MONTH = re.compile(r"(?<=[^\W\d])\.")
_FIRST_DAY = re.compile(r"d+\.?")


class DateTile(NamedTuple):
    """The date of an event in a small space: its first day, its last day if it has several, and both in one phrase."""

    month: str
    day: str
    weekday: str
    last_month: str = ""  # empty if the event has one day
    last_day: str = ""
    last_weekday: str = ""
    first: str = ""  # the month and the day in the order of the language: `Dec 30`, `30. Dez`
    sign: str = ""  # what joins them, without the space after it: ` –`, `～`
    last: str = ""
    days: str = ""  # all days: `Dec 30`, `Dec 14–19`, `30. Dez – 2. Jan`
    series: str = ""  # the weekday of a weekly event: `Wednesdays`; empty for all others
    since: str = ""  # and its first day: `from Jan 13`


def format_when(item: Item, language: str) -> str:
    """Return the days and times of an event, with ` | ` between them, or an empty string if it has no date."""
    days = _days_of(item)
    if days is None:
        return ""
    locale = _locale(language)
    shown = _days(item, *days, locale)
    times = item.times()
    if not times:
        return shown
    told = [moment for occurrence in times for moment in occurrence if moment is not None]
    clock = _clocks(item, times[0], locale)
    return f"{shown} | {clock} {zone_label(item.zone, told, locale)}"


def format_deadline(item: Item, language: str) -> str:
    """Return a deadline's label and date: `Early bird price ends February 22`."""
    deadline = item.fields.deadline
    if deadline is None:
        return ""
    return f"{deadline.label} {format_skeleton('MMMMd', deadline.date, locale=_locale(language))}"


def date_tile(item: Item, language: str) -> DateTile | None:
    """Return an event's date tile, or None if it has no date."""
    days = _days_of(item)
    if days is None:
        return None
    locale = _locale(language)
    first, last = days
    is_weekly = item.fields.repeats == "weekly" and first != last
    begins = _short_day(first, locale)
    return DateTile(
        *_tile_parts(first, locale),
        *(_tile_parts(last, locale) if first != last else ("", "", "")),
        first=begins,
        sign=range_sign(locale).rstrip(" ") if first != last else "",
        last=_short_day(last, locale) if first != last else "",
        days=_short(_range(first, last, "MMMd", locale)) if first != last else begins,
        series=weekly(format_date(first, "EEEE", locale=locale), locale) if is_weekly else "",
        since=from_day(begins, locale) if is_weekly else "",
    )


@lru_cache(maxsize=4096)  # a list of issues asks for the same months again and again
def format_month(day: date, language: str) -> str:
    """Return the month and year of a day: `February 2026`."""
    return format_skeleton("yMMMM", day, locale=_locale(language))


def format_day(day: date, language: str) -> str:
    """Return a day with its weekday: `Wednesday, February 25, 2026`."""
    return _full_day(day, _locale(language))


def format_typed(days: Sequence[date], language: str, *, has_year: bool, has_weekday: bool) -> str:
    """Return one day, or the first and last of several in a month, with as much of a date as people typed."""
    locale = _locale(language)
    if len(days) > 1:
        text = _range(days[0], days[-1], "yMMMMd" if has_year else "MMMMd", locale)
    elif has_weekday and has_year:
        text = _full_day(days[0], locale)
    elif has_weekday:
        day = format_date(days[0], _pattern("MMMMd", locale), locale=locale)
        weekday = format_date(days[0], "EEEE", locale=locale)
        text = (
            f"{day}{weekday}" if locale.language in {"ja", "zh"} else f"{weekday}{comma_between(locale.language)}{day}"
        )
    else:
        text = format_date(days[0], _pattern("yMMMMd" if has_year else "MMMMd", locale), locale=locale)
    return _NARROW_SPACES.sub(" ", text)


def _locale(language: str) -> Locale:
    return locale_of(language) or Locale("en")


def _is_house(locale: Locale) -> bool:
    """Return whether dates are in the house form. Other English is in CLDR's: British dates begin with the day."""
    return locale.language == "en" and locale.territory in {None, "US"}


def _days_of(item: Item) -> tuple[date, date] | None:
    """Return the first and the last day of an event."""
    first, last, times = item.fields.first_day, item.fields.last_day, item.times()
    if first is None or last is None:
        return None
    is_evening = item.fields.repeats is None and bool(times) and times[0].length < ONE_EVENING
    return first, first if is_evening else last


def _days(item: Item, first: date, last: date, locale: Locale) -> str:
    if first == last:
        return _full_day(first, locale)
    days = _range(first, last, "yMMMMd", locale)
    weekdays = [format_date(day, "EEEE", locale=locale) for day in (first, last)]
    if item.fields.repeats == "weekly":
        return f"{weekly(weekdays[0], locale)}{comma_between(locale.language)}{days}"
    if item.fields.weekdays:
        return f"{range_sign(locale).join(weekdays)}{comma_between(locale.language)}{days}"
    return days


def _full_day(day: date, locale: Locale) -> str:
    return format_date(day, "EEEE, MMMM d, y" if _is_house(locale) else "full", locale=locale)


def _range(first: date, last: date, skeleton: str, locale: Locale) -> str:
    """Return two days. What they share is said once: `14–19. Dez.`, `December 30, 2026 – January 2, 2027`.

    `skeleton` names the parts of a date: `yMMMMd` or `MMMd`. The year is said once if it is the same.
    """
    pattern = _pattern(skeleton, locale)
    yearless = _pattern(skeleton.lstrip("y"), locale)
    is_same_year = first.year == last.year
    is_same_month = is_same_year and first.month == last.month
    begins, ends = pattern, pattern
    if yearless.startswith("d"):  # 14–19 December 2026
        day = _FIRST_DAY.match(yearless)
        begins = day[0] if is_same_month and day else yearless if is_same_year else pattern
    elif pattern.startswith("M"):  # December 14–19, 2026
        begins = yearless if is_same_year else pattern
        ends = pattern.replace(pattern[: pattern.index("d")], "") if is_same_month else pattern
    else:  # 2026年12月14日～19日
        ends = _pattern("d", locale) if is_same_month else yearless if is_same_year else pattern
    texts = [format_date(day, form, locale=locale) for day, form in ((first, begins), (last, ends))]
    days = range_sign(locale).join(texts)
    return _bound(days) if is_same_month else days


def _pattern(skeleton: str, locale: Locale) -> str:
    """Return CLDR's pattern for the parts of a date, with the house's order in American English."""
    if _is_house(locale):
        return {"yMMMMd": "MMMM d, y", "MMMMd": "MMMM d", "MMMd": "MMM d", "d": "d"}[skeleton]
    if skeleton == "yMMMMd":
        return str(locale.date_formats["long"].pattern)
    return str(locale.datetime_skeletons[skeleton].pattern)


def _bound(text: str) -> str:
    """Return a range without spaces around a dash that is between two numbers."""
    return _BETWEEN_NUMBERS.sub("–", text)


def _clocks(item: Item, occurrence: Occurrence, locale: Locale) -> str:
    """Return the times of one occurrence. An end on another day has its weekday before it.

    A time that the clocks show twice that day has its offset, unless a series repeats it on other days.
    """
    starts, ends = occurrence.starts, occurrence.ends
    begins = f"{clock_in_words(starts, locale)}{_which(item, starts)}"
    if ends is None:
        return after_clock(begins, locale)
    closes = f"{clock_in_words(ends, locale)}{_which(item, ends)}"
    if starts.date() == ends.date():
        return after_clock(clocks_in_words(begins, closes, locale), locale)
    lasts_days = occurrence.length >= ONE_EVENING
    if _is_house(locale) and not lasts_days and closes == "midnight":
        return f"{begins} – {closes}"
    if lasts_days and not item.fields.weekdays:
        begins = f"{_weekday(starts, locale)} {begins}"
    if not (lasts_days and item.fields.weekdays):
        closes = f"{_weekday(ends, locale)} {closes}"
    return after_clock(_bound(clock_range_sign(locale).join((begins, closes))), locale)


def _which(item: Item, moment: datetime) -> str:
    """Return which of two times is meant, if the clocks show it twice: ` (UTC−7)`."""
    return f" ({offset_label(moment)})" if item.fields.repeats is None and is_twice(moment) else ""


def _weekday(moment: datetime, locale: Locale) -> str:
    return format_date(moment, "EEEE" if _is_house(locale) else "EEE", locale=locale)


def short_weekday(moment: datetime, locale: Locale) -> str:
    """Return the weekday of a time, for a small space: `Thu`."""
    return format_date(moment, "EEE", locale=locale)


def short_days(runs: Iterable[tuple[date, date]], locale: Locale) -> str:
    """Return runs of days, given the first and the last day of each: `Mar 11–25, Oct 28`."""
    return comma_between(locale.language).join(
        _short_day(first, locale) if first == last else _short(_range(first, last, "MMMd", locale))
        for first, last in runs
    )


def clocks_in_words(begins: str, closes: str, locale: Locale) -> str:
    """Return two times, with the half of the day once if both are in it: `8:00–11:00 am`, `오전 8:00~11:00`."""
    half, first = closes.rpartition(" ")[2], begins.partition(" ")[0]
    if half.isalpha() or half.endswith("m."):
        begins = begins.removesuffix(f" {half}")
    if first.isalpha():
        closes = closes.removeprefix(f"{first} ")
    return _bound(clock_range_sign(locale).join((begins, closes)))


def clock_in_words(moment: datetime, locale: Locale, pattern: str = "") -> str:
    """Return a time of day: `8:00 am`, `noon`. With a pattern of CLDR, it is written by that instead."""
    if pattern:
        return format_time(moment.time(), pattern, locale=locale)
    if _is_house(locale):
        name = {"12:00 am": "midnight", "12:00 pm": "noon"}
        return name.get(say_clock(moment), say_clock(moment))
    return _NARROW_SPACES.sub(" ", format_time(moment.time(), "short", locale=locale))


def _tile_parts(day: date, locale: Locale) -> tuple[str, str, str]:
    """Return the short month, the day and the short weekday."""
    month, weekday = (format_date(day, pattern, locale=locale).rstrip(".") for pattern in ("MMM", "EEE"))
    return month, str(day.day), weekday


def _short_day(day: date, locale: Locale) -> str:
    return _short(format_date(day, _pattern("MMMd", locale), locale=locale))


def _short(days: str) -> str:
    """Return days for a small space: months are without the dot of an abbreviation."""
    return _DOT_OF_MONTH.sub("", days)
