"""Every calendar gets the same instants: the `.ics` file, the links of all services, the structured data, the label.

The events are on the days around each change of the clocks from 2026 to 2030, and around the ends of years and of
February, in zones drawn from all. `CALENDAR_EVENTS=10000` draws that many events, and `ZONE_SEED` repeats a draw. The
judge of what the clocks show is the C library; the label is held to it in `tests/language/test_every_zone.py`.
"""

import json
import os
import random
import subprocess
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from newsletter.calendars.announcing import announced, facts_of
from newsletter.calendars.ics import calendar_file, calendar_part
from newsletter.calendars.structured_data import structured_data
from newsletter.language.calendar_links import OFFICE_365, google_url, outlook_url, yahoo_url
from newsletter.language.zone_labels import is_skipped
from newsletter.model.announced import CalendarEvent
from newsletter.model.issue import Item
from tests.calendars.readers import Span, in_data, in_file, in_google, in_outlook, in_yahoo
from tests.judges import require_judge
from tests.language.clocks import clocks_in, wall_clock, zone_names
from tests.language.items import item
from tests.language.test_every_zone import edge_days

NOW = datetime(2026, 2, 19, 8, tzinfo=UTC)
EVENTS = int(os.environ.get("CALENDAR_EVENTS", "200"))
ODD_ZONES = ("America/Vancouver", "Australia/Lord_Howe", "Africa/Casablanca", "Europe/Dublin", "EST5EDT", "Etc/GMT+5")


def drawn_events() -> list[Item]:
    """Events of all kinds: with and without an end, past midnight, weekly, of whole days, with an offset."""
    draw = random.Random(os.environ.get("ZONE_SEED", "calendars"))
    names = zone_names()
    zones = [*ODD_ZONES, *draw.sample(names, min(len(names), max(12, EVENTS // 12)))]
    days = {zone: edge_days(zone) for zone in zones}
    drawn = [_drawn(draw, zone := zones[number % len(zones)], draw.choice(days[zone])) for number in range(EVENTS)]
    # Cuba keeps its clocks in 2027, so only the first date of a part of its definition says what they show then.
    begins = datetime.combine(date(2027, 2, 28), time(12, 59))
    fixed = item(starts=begins, ends=begins + timedelta(hours=1), timezone="Cuba")
    return [fixed, *(event for event in drawn if not has_skipped_time(event))]


def has_skipped_time(event: Item) -> bool:
    """Whether the clocks skip a time. E4 refuses such an event, and each library reads it in its own way."""
    moments = (moment for time in event.times() for moment in time if moment is not None)
    return any(map(is_skipped, moments))


def _drawn(draw: random.Random, zone: str, day: date) -> Item:
    kind = draw.randrange(8)
    weeks = draw.choice((1, 2, 5, 30))
    if kind == 0:
        return item(starts=day, timezone=zone)
    if kind == 1:
        return item(starts=day, ends=day + timedelta(days=draw.randrange(1, 9)), timezone=zone)
    if kind == 2:
        return item(starts=day, ends=day + timedelta(weeks=weeks), repeats="weekly", timezone=zone)
    starts = datetime.combine(day, time(draw.choice((0, 1, 2, 3, 8, 12, 23)), draw.choice((0, 15, 30, 45, 59))))
    if kind == 3:
        return item(starts=starts, timezone=zone)
    ends = starts + timedelta(minutes=draw.choice((15, 60, 90, 180, 600)))
    if kind in (4, 5):
        offset = starts.replace(tzinfo=item(timezone=zone).zone, fold=kind - 4).isoformat()[-6:]
        return item(starts=starts, ends=ends, timezone=zone, offset=offset)
    return item(starts=starts, ends=ends + timedelta(weeks=weeks), repeats="weekly", timezone=zone)


def expected_times(event: Item) -> list[Span]:
    """Each time of an event from its fields. Its instants are held to the clocks of the C library."""
    fields = event.fields
    first, last = fields.first_day, fields.last_day
    assert first is not None
    assert last is not None
    if not isinstance(fields.starts, datetime):
        if fields.repeats is None:
            return [(first, last + timedelta(days=1))]
        starts = [first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]
        return [(day, day + timedelta(days=1)) for day in starts]
    spans: list[Span] = []
    with clocks_in(event.zone.key):
        for begins, ends in event.times():
            for moment in (begins, ends):
                if moment is not None:
                    assert wall_clock(int(moment.timestamp()))[0] == moment.replace(tzinfo=None, fold=0)
            instant = int(begins.timestamp())
            spans.append((instant, instant + 3600 if ends is None else int(ends.timestamp())))
    return spans


def calendar_event(event: Item) -> CalendarEvent:
    told = announced(facts_of(event), None, NOW)
    return CalendarEvent(item=event, announced=told, page="https://www.example.org/e/", language="en")


def test_files_links_and_data_mean_the_same_instants() -> None:
    kinds: set[tuple[bool, bool]] = set()
    for event in drawn_events():
        times = expected_times(event)
        told = calendar_event(event)
        where = f"{event.zone.key} {event.fields.starts} {event.fields.ends}"
        assert in_file(calendar_file(map(calendar_part, [told]))) == times, where
        assert in_data(structured_data(told, "Small Press", "https://www.example.org")) == times, where
        links = {"google": in_google(google_url(event, told.page) or ""), "yahoo": in_yahoo(yahoo_url(event) or "")}
        for host in ("outlook.live.com", OFFICE_365):
            for on_phone in (False, True):
                links[f"{host} {on_phone}"] = in_outlook(outlook_url(event, host=host, on_phone=on_phone) or "")
        assert links == dict.fromkeys(links, times[0]), where
        kinds.add((isinstance(times[0][0], int), len(times) > 1))
    assert len(kinds) == 4


def test_ical_js_reads_the_same_instants_from_the_zones_in_the_files(tmp_path: Path) -> None:
    folder = require_judge("ical.js")
    events = drawn_events()
    paths = [tmp_path / f"{number}.ics" for number in range(len(events))]
    for path, event in zip(paths, events, strict=True):
        path.write_bytes(calendar_file(map(calendar_part, [calendar_event(event)])))
    script = folder.parent.parent / "read_calendars.mjs"
    ran = subprocess.run(["node", script], input="\n".join(map(str, paths)), capture_output=True, text=True, check=True)
    for line, event in zip(ran.stdout.splitlines(), events, strict=True):
        spans = json.loads(line)
        read = sorted([each if isinstance(each, int) else date.fromisoformat(each) for each in span] for span in spans)
        where = f"{event.zone.key} {event.fields.starts} {event.fields.ends}"
        assert read == [list(span) for span in expected_times(event)], where
