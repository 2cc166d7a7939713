"""Read the next events of a calendar, as far as a newsletter shows them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from html import escape
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from msgspec.structs import replace

from newsletter.errors import FaultError
from newsletter.incoming.entries import (
    YEARS,
    Incoming,
    IncomingEntry,
    is_place,
    key_of,
    markdown_of,
    one_line,
    web_link,
)

_MOST_EVENTS = 500  # that are looked at, of series without an end
_MOST_TIMES_A_DAY = 24
_MOST_TIMES_IN_ALL = 1_000  # a day, of all series
_MOST_WEEKS = 104
_HECTIC = {"SECONDLY", "MINUTELY", "HOURLY"}
_NO_EVENTS = "check that the address leads to an .ics file"
_UNLIKE = ("key", "starts", "ends")  # what may differ between the events of a series


def events_of_calendar(content: bytes, since: date, days: int, most: int) -> Incoming:
    """Return the next events of a calendar, from a day on, in order. Raise FaultError if it cannot be understood.

    A weekly series is one entry if that says the same. Of any other series, each event is an entry. Canceled events do
    not count among the `most`.
    """
    try:
        calendar = icalendar.Calendar.from_ical(content)
        _require_known_zones(calendar)
        _require_calm_series(calendar)
        series = _series_in(calendar)
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(since, since + timedelta(days=days))
        near = (event for event in found if event["DTSTART"].dt.year in YEARS)
        events = sorted((_entry_of(event, series) for event in islice(near, _MOST_EVENTS)), key=_by_start)
        return _as_series(calendar, events, series, most)
    except FaultError:
        raise
    except Exception as err:  # a hostile file makes the libraries raise anything
        raise FaultError("it is not a calendar that can be read", _NO_EVENTS) from err


def _series_in(calendar: icalendar.Calendar) -> Mapping[str, Any]:
    """Return the first event of each series, by its id."""
    return {
        str(event.get("UID", "")): event for event in calendar.walk("VEVENT") if "RRULE" in event or "RDATE" in event
    }


def _as_series(
    calendar: icalendar.Calendar, events: list[tuple[str, IncomingEntry]], series: Mapping[str, Any], most: int
) -> Incoming:
    """Return the first events, with each weekly series as one entry. Tell of all other series."""
    kept: dict[str, IncomingEntry] = {}
    notes: dict[str, str] = {}
    whole: dict[str, IncomingEntry | None] = {}
    for uid, event in events:
        if sum(not each.is_canceled for each in kept.values()) >= most:
            break
        if uid in series and uid not in whole:
            whole[uid] = _weekly(calendar, uid, series[uid])
            if whole[uid] is None:
                notes[uid] = f"“{event.title}” repeats in a way that one entry cannot say, so each date is an item"
        entry = whole.get(uid) or event
        kept.setdefault(entry.key, entry)
    return Incoming(entries=tuple(kept.values()), notes=tuple(notes.values()))


def _weekly(calendar: icalendar.Calendar, uid: str, first: Any) -> IncomingEntry | None:
    """Return a series as one weekly event, or None unless that means exactly the same events.

    All events of the series are looked at, with those that were moved, added or left out. In the zone of the entry they
    must begin and end at the same time on the clocks, a week apart.
    """
    rule = first.get("RRULE")
    if not isinstance(rule, icalendar.vRecur) or not {"COUNT", "UNTIL"} & set(rule):
        return None
    own = icalendar.Calendar()
    for component in (*calendar.walk("VTIMEZONE"), *calendar.walk("VEVENT")):
        if component.name == "VTIMEZONE" or str(component.get("UID", "")) == uid:
            own.add_component(component)
    day = first["DTSTART"].dt
    day = day.date() if isinstance(day, datetime) else day
    found = recurring_ical_events.of(own).between(day - timedelta(days=1), day + timedelta(weeks=_MOST_WEEKS + 1))
    events = sorted((_entry_of(each, {}) for each in islice(found, _MOST_WEEKS + 1)), key=_by_start)
    entries = [entry for _, entry in events]
    if not 2 <= len(entries) <= _MOST_WEEKS or any(_facts(each) != _facts(entries[0]) for each in entries):
        return None
    times = [_on_the_clock(each) for each in entries]
    if times[0] is None:
        return None
    zone, starts, ends = times[0]
    weekly = [(zone, starts + timedelta(weeks=week), ends + timedelta(weeks=week)) for week in range(len(entries))]
    if times != weekly or not timedelta() < ends - starts <= timedelta(days=1):
        return None
    return replace(entries[0], key=key_of(uid), ends=entries[-1].ends, repeats_weekly=True)


def _on_the_clock(entry: IncomingEntry) -> tuple[str, datetime, datetime] | None:
    """Return the time zone of an entry, and when it begins and ends there. Return None if it has no zone of a place."""
    starts, ends = entry.starts, entry.ends
    if not isinstance(starts, datetime) or not isinstance(ends, datetime) or not isinstance(starts.tzinfo, ZoneInfo):
        return None
    if ends.tzinfo != starts.tzinfo or not is_place(starts.tzinfo.key):
        return None
    return starts.tzinfo.key, starts.replace(tzinfo=None), ends.replace(tzinfo=None)


def _facts(entry: IncomingEntry) -> object:
    return tuple(getattr(entry, name) for name in entry.__struct_fields__ if name not in _UNLIKE)


def _entry_of(event: Any, series: Mapping[str, Any]) -> tuple[str, IncomingEntry]:
    """Return the id of an event or of its series, and the event as an entry."""
    uid = str(event.get("UID", ""))
    starts, ends = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    if not isinstance(starts, datetime) and ends is not None:
        ends = max(starts, ends - timedelta(days=1))  # the end of whole days is the day after (RFC 5545, 3.6.1)
    # An event that is moved stays the same event. One of a series is known by the time that it was to have at first.
    meant = event["RECURRENCE-ID"].dt.isoformat() if uid in series and "RECURRENCE-ID" in event else ""
    html = escape(str(event.get("DESCRIPTION", ""))).replace("\n", "<br>")
    entry = IncomingEntry(
        key=key_of(f"{uid} {meant}".strip() or f"{starts.isoformat()} {event.get('SUMMARY')}"),
        title=one_line(event.get("SUMMARY")) or "—",
        link=web_link(event.get("URL")),
        text=markdown_of(html),
        bare_text=markdown_of(html, is_bare=True),
        starts=starts,
        ends=None if ends is None or ends == starts or ends.year not in YEARS else ends,
        is_canceled=str(event.get("STATUS", "")).upper() == "CANCELLED",
        location=one_line(event.get("LOCATION")),
    )
    return uid, entry


def _by_start(event: tuple[str, IncomingEntry]) -> tuple[str, str]:
    return str(event[1].starts), event[1].key


def _require_known_zones(calendar: icalendar.Calendar) -> None:
    """Refuse a zone that is not known: icalendar reads its times as if they had no zone."""
    for event in calendar.walk("VEVENT"):
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            written = event.get(name)
            zone = getattr(written, "params", {}).get("TZID")
            if zone and isinstance(moment := written.dt, datetime) and moment.tzinfo is None:
                raise FaultError(
                    f"the time zone {str(zone)[:60]!r} is not known", "ask the calendar's owner to correct it"
                )


def _require_calm_series(calendar: icalendar.Calendar) -> None:
    """Refuse a series that repeats more than hourly, and too many series: expanding them would take minutes."""
    in_all = 0
    for event in calendar.walk("VEVENT"):
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            times = 1
            for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
                times *= max(1, len(rule.get(part, ())))
            if times > _MOST_TIMES_A_DAY or str(rule.get("FREQ", [""])[0]).upper() in _HECTIC:
                raise FaultError("it repeats an event several times a day", "use a calendar without such a series")
            in_all += times
    if in_all > _MOST_TIMES_IN_ALL:
        raise FaultError("it has too many events that repeat", "use a smaller calendar")
