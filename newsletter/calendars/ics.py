"""Calendar files (RFC 5545, with the names and refresh times of RFC 7986).

The same events give the same bytes: no value comes from the clock. Programs treat calendar files differently, so a few
rules here are stricter than the standard. `docs/decisions/0061-one-event-in-every-calendar.md` names the reasons.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vDuration
from msgspec import Struct

from newsletter.language.calendar_links import USUAL_LENGTH, details_of, in_utc, summary_of
from newsletter.language.zone_labels import is_skipped, is_twice
from newsletter.model.announced import CalendarEvent
from newsletter.model.issue import Item, Occurrence

_STATUS = {"canceled": "CANCELLED", "postponed": "TENTATIVE"}
_REFRESH = timedelta(hours=6)
_END = b"END:VCALENDAR\r\n"


class CalendarFeed(Struct, frozen=True):
    """A calendar to subscribe to: its name, and its own address."""

    name: str
    address: str


class CalendarPart(Struct, frozen=True):
    """An event as it stands in a calendar file, and the zone whose definition the file needs for it."""

    lines: bytes
    zone: str = ""
    years: tuple[int, int] = (0, 0)  # those of its first and its last time


def calendar_part(event: CalendarEvent) -> CalendarPart:
    """Return what an event, which has a date, contributes to a calendar file."""
    item, times = event.item, event.item.times()
    lines = b"".join(bytes(component.to_ical()) for component in _components(event))
    if not times or is_fixed(item):
        return CalendarPart(lines)
    return CalendarPart(lines, item.zone.key, (times[0].starts.year, times[-1].starts.year))


def calendar_file(parts: Iterable[CalendarPart], feed: CalendarFeed | None = None) -> bytes:
    """Return a calendar file with these events."""
    calendar, parts = Calendar(), tuple(parts)
    calendar.add("prodid", "-//newsletter//events//EN")
    calendar.add("version", "2.0")
    if feed is not None:
        calendar.add("name", feed.name)
        calendar.add("x-wr-calname", feed.name)
        calendar.add("source", feed.address, parameters={"VALUE": "URI"})
        calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", vDuration(_REFRESH))
    head = bytes(calendar.to_ical()).removesuffix(_END)
    return b"".join((head, *_zones(parts), *(part.lines for part in parts), _END))


def _components(event: CalendarEvent) -> Iterable[Event]:
    """Yield an event, and below it each time that its rule does not give exactly."""
    item, times = event.item, event.item.times()
    if not times:
        yield _whole_days(event)
        return
    if len(times) == 1 or is_fixed(item):
        yield _timed(event, times[0], in_zone=not is_fixed(item) and _is_plain(times[0]), last=times[-1])
        return
    yield _timed(event, times[0], in_zone=True, last=times[-1])
    for time in times:
        if not _is_usual(time):
            moved = _timed(event, time, in_zone=False)
            moved.add("recurrence-id", time.starts.replace(fold=0))
            yield moved


def is_fixed(item: Item) -> bool:
    """Return whether the zone is a fixed difference from UTC. Calendars take only places as zones, so UTC is used."""
    name = item.zone.key
    return name.startswith("Etc/") or ("/" not in name and not _has_changes(item.zone))


@lru_cache(maxsize=64)
def _has_changes(zone: ZoneInfo) -> bool:
    return len({datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}) > 1


def _is_plain(time: Occurrence) -> bool:
    """Return whether the clocks show the start and the end exactly once. Programs read other times in two ways."""
    moments = time.starts, in_utc(time)[1].astimezone(time.starts.tzinfo)
    return not any(is_skipped(moment) or is_twice(moment) for moment in moments)


def _is_usual(time: Occurrence) -> bool:
    """Return whether the rule of a series gives this time exactly."""
    starts, ends = in_utc(time)
    return _is_plain(time) and ends - starts == _usual_length(time)


def _usual_length(time: Occurrence) -> timedelta:
    """Return how long it takes if the clocks do not change meanwhile: the same for each time of a series."""
    if time.ends is None:
        return USUAL_LENGTH
    return time.ends.replace(tzinfo=None) - time.starts.replace(tzinfo=None)


def _timed(event: CalendarEvent, time: Occurrence, *, in_zone: bool, last: Occurrence | None = None) -> Event:
    """Return an event with times: in its zone, or in UTC. With another `last` time, it is a weekly series."""
    component = _described(event)
    starts, ends = in_utc(time)
    is_series = last is not None and last.starts != time.starts
    component.add("dtstart", time.starts if in_zone else starts)
    if is_series and in_zone and not _is_usual(time):
        component.add("duration", _usual_length(time))
    else:
        component.add("dtend", ends.astimezone(time.starts.tzinfo) if in_zone else ends)
    if last is not None and is_series:
        component.add("rrule", {"FREQ": "WEEKLY", "UNTIL": last.starts.astimezone(UTC)})
    return component


def _whole_days(event: CalendarEvent) -> Event:
    component, fields = _described(event), event.item.fields
    first, last = _days_of(event.item)
    is_weekly = fields.repeats == "weekly"
    component.add("dtstart", first)
    component.add("dtend", (first if is_weekly else last) + timedelta(days=1))  # exclusive
    component.add("transp", "TRANSPARENT")
    if is_weekly and last != first:
        component.add("rrule", {"FREQ": "WEEKLY", "UNTIL": last})
    return component


def _days_of(item: Item) -> tuple[date, date]:
    first, last = item.fields.first_day, item.fields.last_day
    if first is None or last is None:
        raise ValueError(f"{item.source.path} has no date")  # a mistake of the caller
    return first, last


def _described(event: CalendarEvent) -> Event:
    """Return an event with everything but its times."""
    item, told, component = event.item, event.announced, Event()
    in_language = {"LANGUAGE": event.language}
    component.add("uid", item.uid)
    component.add("dtstamp", told.changed)
    component.add("last-modified", told.changed)
    component.add("sequence", told.sequence)
    component.add("summary", summary_of(item, event.language), parameters=in_language)
    if details := details_of(item, event.page):
        component.add("description", details, parameters=in_language)
    if item.fields.location:
        component.add("location", item.fields.location)
    if event.page:
        component.add("url", event.page)
    component.add("status", _STATUS.get(item.fields.status or "", "CONFIRMED"))
    return component


def _zones(parts: Sequence[CalendarPart]) -> Iterable[bytes]:
    """Yield the definition of each zone in use, with the changes of the clocks around its events only.

    Google reads other texts wrongly after a definition of some hundred lines, and Outlook refuses a zone without one.
    """
    years: dict[str, set[int]] = {}
    for part in parts:
        if part.zone:
            years.setdefault(part.zone, set()).update(part.years)
    for key, used in sorted(years.items()):
        yield _zone(key, min(used) - 1, max(used) + 2)


@lru_cache(maxsize=256)  # a definition takes 15 ms
def _zone(key: str, first: int, end: int) -> bytes:
    """Return the definition of a zone between two New Years. At least one of its parts is standard time.

    Some programs read a zone wrongly that only has summer time.
    """
    zone = Timezone.from_tzid(key, first_date=date(first, 1, 1), last_date=date(end, 1, 1))
    zone.pop("comment", None)
    parts = zone.subcomponents
    for part in parts:
        if (changes := part.pop("rdate", None)) is not None:
            # ical.js reads only the first value of a property, and skips the start of a part that has further dates.
            for change in (part["dtstart"], *changes.dts):
                part.add("rdate", [change.dt])
    if not any(isinstance(part, TimezoneStandard) for part in parts):
        standard = TimezoneStandard(parts[0])
        zone.subcomponents[0] = standard
    return bytes(zone.to_ical())
