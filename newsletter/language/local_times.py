"""The times of an event on the clock of a reader: `17:00–20:00 (Berlin)`, in the language of the email.

The city stands in parentheses after the times, because "in Berlin" would need another form of the name in Polish, and
be written as one word in Arabic. The day is said if it is another one than the event's own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from msgspec.structs import replace

from newsletter.language.dates import (
    ONE_EVENING,
    clock_in_words,
    clocks_in_words,
    format_when,
    short_days,
    short_weekday,
)
from newsletter.language.words import (
    clock_range_sign,
    colon_after,
    has_half_days,
    locale_of,
    semicolon_between,
    short_clock_pattern,
)
from newsletter.language.zone_labels import is_labeled_by_place, place_label, territory_of
from newsletter.model.issue import Item
from newsletter.model.slots import LocalTimes
from newsletter.model.told import ToldEvent

# Returns the difference from UTC in a zone at each of some moments, in seconds, or None if the zone is not known.
Clock = Callable[[str, tuple[int, ...]], tuple[int, ...] | None]

SEPARATOR = " · "
_MOST_GROUPS = 3  # different local times of one series; more cannot be read in a line
_MOST_RUNS = 3  # and the runs of dates that are named for them
_WEEK = timedelta(weeks=1)


def local_times_of(item: Item, language: str) -> LocalTimes | None:
    """Return the times of an event, to be told in a language, or None if it has no time of day."""
    times = item.times()
    if not times:
        return None
    told = [moment for occurrence in times for moment in occurrence if moment is not None]
    return LocalTimes(
        language=language,
        occurrences=tuple((seconds_of(starts), None if ends is None else seconds_of(ends)) for starts, ends in times),
        own_offsets=tuple(_offset_of(moment) for moment in told),
    )


def told_event(item: Item, language: str) -> ToldEvent | None:
    """Return what an email in a language tells about an event, or None if it has no date."""
    fields, times = item.fields, item.times()
    if fields.first_day is None or fields.last_day is None:
        return None
    moments = [moment for occurrence in times for moment in occurrence if moment is not None]
    return ToldEvent(
        event=item.uid,
        title=str(fields.title),
        language=language,
        shown=format_when(item, language),
        zone=item.zone.key,
        first_day=fields.first_day,
        last_day=fields.last_day,
        times=local_times_of(item, language),
        is_place=bool(moments) and is_labeled_by_place(item.zone, moments, locale_of(language) or Locale("en")),
        location=str(fields.location or ""),
        status=fields.status or "",
    )


def as_of_today(told: ToldEvent) -> ToldEvent:
    """Return an event as it is by the time zone database in use: the clocks of its zone show the same as before."""
    times = told.times
    if times is None:
        return told
    own = ZoneInfo(told.zone)
    moments = iter([_moment_now(wall, own, offset) for wall, offset in zip(told.walls, times.own_offsets, strict=True)])
    occurrences = [tuple(None if each is None else next(moments) for each in pair) for pair in times.occurrences]
    told_now = [moment for pair in occurrences for moment in pair if moment is not None]
    return replace(
        told,
        times=LocalTimes(
            language=times.language,
            occurrences=tuple(
                (seconds_of(starts), None if ends is None else seconds_of(ends))
                for starts, ends in occurrences
                if starts is not None
            ),
            own_offsets=tuple(_offset_of(moment) for moment in told_now),
        ),
    )


def _moment_now(wall: datetime, zone: ZoneInfo, offset: int) -> datetime:
    """Return when clocks show a time. Of two times at which they do, it is the one with the difference from UTC."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return second if _offset_of(second) == offset != _offset_of(first) else first


def seconds_of(moment: datetime) -> int:
    """Return a time in seconds since 1970 in UTC."""
    return int(moment.timestamp())


@lru_cache(maxsize=8192)
def clock_today(zone: str, moments: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the difference from UTC in a zone at each moment, by the time zone database in use: a `Clock`."""
    try:
        own = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: `Europe` is a folder of zones
        return None
    return tuple(_offset_of(datetime.fromtimestamp(moment, own)) for moment in moments)


class LocalTextsBy:
    """The text after the times of an event, by a clock, with the separator before it: a `LocalTexts`.

    Each text is written once, because every chunk of a broadcast has readers in the same zones.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written: dict[LocalTimes, _TextsByZone] = {}

    def __call__(self, times: LocalTimes) -> Mapping[str, str | None]:
        """Return the text for each zone. It is written when it is first asked for."""
        return self._written.setdefault(times, _TextsByZone(self._clock, times))


class _TextsByZone(dict[str, str | None]):
    def __init__(self, clock: Clock, times: LocalTimes) -> None:
        super().__init__()
        self._clock, self._times = clock, times

    def __missing__(self, zone: str) -> str | None:
        offsets, times = self._clock(zone, self._times.moments), self._times
        text = None if offsets is None else "" if offsets == times.own_offsets else local_time_in(times, zone, offsets)
        self[zone] = text and f"{SEPARATOR}{text}"
        return self[zone]


def local_time_in(times: LocalTimes, zone: str, offsets: tuple[int, ...]) -> str | None:
    """Return the times on clocks that differ from UTC by these offsets, and the city of their zone.

    For a series, the dates with the same local time are one group. The largest one is said first, and the others are
    named: `18:00–19:00 (Berlin; Mar 11–25: 17:00–18:00)`. Return None if there are too many groups or dates to name.
    """
    locale = locale_of(times.language) or Locale("en")
    writer = _Writer(locale, zone, is_series=len(times.occurrences) > 1)
    groups: defaultdict[str, list[date]] = defaultdict(list)
    for own, local in zip(_clocks(times, times.own_offsets), _clocks(times, offsets), strict=True):
        groups[writer.text(own, local)].append(local[0].date())
    first, *others = sorted(groups, key=lambda text: -len(groups[text]))
    if len(groups) > _MOST_GROUPS or sum(len(_runs(groups[text])) for text in others) > _MOST_RUNS:
        return None
    colon = colon_after("x", times.language)
    rest = [f"{short_days(_runs(groups[text]), locale)}{colon}{text}" for text in others]
    place = place_label(zone, _some(times, offsets), locale)
    return f"{first} ({semicolon_between(times.language).join((place, *rest))})"


class _Writer:
    """Writes the times of one occurrence in a zone."""

    def __init__(self, locale: Locale, zone: str, *, is_series: bool) -> None:
        self._locale, self._is_series = locale, is_series
        # A language with am and pm is read in many countries. The country of the zone says which clock people use.
        self._pattern = "" if _uses_half_days(locale, zone) else short_clock_pattern(locale)

    def text(self, own: Sequence[datetime], local: Sequence[datetime]) -> str:
        """Return the local times, given the times on the event's own clock."""
        starts, ends = local[0], local[-1]
        begins, closes = (clock_in_words(moment, self._locale, self._pattern) for moment in (starts, ends))
        lasts_days = ends - starts >= ONE_EVENING
        is_other_day = starts.date() != own[0].date() or not (starts.hour or starts.minute)
        if is_other_day:
            begins = self._with_day(starts, begins)
        elif lasts_days:
            begins = f"{short_weekday(starts, self._locale)} {begins}"
        if len(local) == 1:
            return begins
        if starts.date() == ends.date():
            return clocks_in_words(begins, closes, self._locale)
        if lasts_days or closes != "midnight":
            closes = f"{short_weekday(ends, self._locale)} {closes}"
        return clock_range_sign(self._locale).join((begins, closes))

    def _with_day(self, moment: datetime, clock: str) -> str:
        """Return a time with its day before it. A series has only the weekday, because it has several dates."""
        if self._is_series:
            return f"{short_weekday(moment, self._locale)} {clock}"
        day = format_skeleton("MMMEd", moment, locale=self._locale)
        pattern = str(self._locale.datetime_formats["medium"])
        return pattern.replace("{1}", day).replace("{0}", clock)


def _clocks(times: LocalTimes, offsets: Sequence[int]) -> Iterable[tuple[datetime, ...]]:
    """Yield what the clocks show at the start and the end of each occurrence, without a zone."""
    left = iter(offsets)
    for occurrence in times.occurrences:
        told = (moment for moment in occurrence if moment is not None)
        yield tuple(datetime.fromtimestamp(moment + next(left), UTC).replace(tzinfo=None) for moment in told)


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the first and the last day of each run of days that are a week apart."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == _WEEK:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _some(times: LocalTimes, offsets: Sequence[int]) -> list[timedelta]:
    return [timedelta(seconds=offset) for offset in offsets[: len(times.moments)]]


def _offset_of(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds())


def _uses_half_days(locale: Locale, zone: str) -> bool:
    """Return whether the language has am and pm, and the country of a zone uses them."""
    if not has_half_days(locale):
        return True  # the language has one way to write the time, so nothing is to be changed
    territory = territory_of(zone)
    try:
        return territory is None or has_half_days(Locale.parse(f"und_{territory}"))
    except (UnknownLocaleError, ValueError):
        return True
