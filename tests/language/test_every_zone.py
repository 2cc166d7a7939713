"""What an email says of an event's time, and the link to the calendar, mean the same instant, in every zone.

The days are those around each change of the clocks from 2026 to 2030, and those around the ends of years and of
February. The judge is the C library (`clocks.py`). A few zones are drawn for each run; `ALL_ZONES=1` takes them all,
which needs some minutes, and `ZONE_SEED` repeats a draw.
"""

import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from newsletter.language.calendar_links import google_url
from newsletter.language.clock import MONTHS, WEEKDAYS
from newsletter.language.dates import format_when
from newsletter.language.zone_labels import is_skipped, is_twice
from newsletter.model.issue import Item
from tests.language.clocks import changes, clocks_in, wall_clock, zone_names
from tests.language.items import item

OTHERS = ("de", "es", "fr", "it", "nl", "pt", "sv", "ar", "he", "ja", "zh", "en-GB")
CLOCKS = (time(0, 0), time(1, 30), time(2, 30), time(12, 0), time(23, 30))
LENGTH = timedelta(minutes=90)
SAMPLE = 12  # zones
# Their names once were an hour off for half the year, or are off in the system's database of 2025.
KNOWN = (
    *("America/Phoenix", "America/Mexico_City", "America/Vancouver", "America/Edmonton", "America/Winnipeg"),
    *("America/Havana", "America/Los_Angeles", "Europe/Berlin", "Europe/Dublin", "Africa/Casablanca", "Asia/Beirut"),
    *("Australia/Lord_Howe", "America/Santiago", "EST5EDT", "Etc/GMT+5", "UTC", "America/Indiana/Indianapolis"),
)
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2026, 2031))
_CLOCK = r"(?:[^\d|–～]*\d{1,2}:\d\d(?: (?:am|pm|ص|م)\b)?|(?:\w+ )?(?:midnight|noon))"
_WHICH = r"(?: \((?P<{}>UTC[^)]*)\))?"  # of two times on the clocks
_SAID = re.compile(
    rf"(?P<days>.+) \| (?P<starts>{_CLOCK}){_WHICH.format('first')} ?[–～] ?(?P<ends>{_CLOCK}){_WHICH.format('last')}"
    r"(?: Uhr)? (?P<zone>.+)"
)


def zones() -> list[str]:
    names = zone_names()
    if os.environ.get("ALL_ZONES"):
        return names
    drawn = random.Random(os.environ.get("ZONE_SEED", "times")).sample(names, SAMPLE)
    return sorted({*KNOWN, *drawn})


def edge_days(zone: str) -> list[date]:
    with clocks_in(zone):
        changed = [wall_clock(instant)[0].date() for instant in changes(_FIRST, _LAST)]
    days = {day + timedelta(days=off) for day in changed for off in (-1, 0, 1)}
    for year in range(2026, 2031):
        days |= {date(year, 1, 1), date(year, 12, 31), date(year, 2, 28), date(year, 3, 1)}
    days |= {date(2028, 2, 29)}
    return sorted(day for day in days if 2026 <= day.year <= 2030)


def events_in(zone: str) -> Iterator[Item]:
    for day in edge_days(zone):
        for clock in CLOCKS:
            starts = datetime.combine(day, clock)
            yield item(starts=starts, ends=starts + LENGTH, timezone=zone)
        starts = datetime.combine(day - timedelta(days=7), CLOCKS[day.toordinal() % len(CLOCKS)])
        yield item(starts=starts, ends=starts + LENGTH + timedelta(days=14), timezone=zone, repeats="weekly")


def instants_of(event: Item) -> tuple[int, int]:
    """The start and the end that the link to the calendar states."""
    url = google_url(event)
    assert url is not None
    starts, ends = parse_qs(urlsplit(url).query)["dates"][0].split("/")
    zone = UTC if starts.endswith("Z") else ZoneInfo(parse_qs(urlsplit(url).query)["ctz"][0])
    stamps = [datetime.strptime(each.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=zone) for each in (starts, ends)]
    return int(stamps[0].timestamp()), int(stamps[1].timestamp())


def shows(wall_time: datetime, instant: int) -> bool:
    return wall_clock(instant)[0] == wall_time


def clock_24(text: str) -> time:
    """A time of day that an email states, in any language."""
    named = {"midnight": time(0), "noon": time(12)}
    if (word := text.rpartition(" ")[2]) in named:
        return named[word]
    found = re.search(r"(\d{1,2}):(\d\d)", text)
    assert found, text
    hour = int(found[1])
    if re.search(r"[ap]m|[صم]$", text):
        hour = hour % 12 + 12 * bool(re.search(r"pm|م$", text))
    return time(hour, int(found[2]))


def check_text(event: Item, said: re.Match[str], language: str) -> None:
    """The days and the times in the text are those of the fields."""
    starts, ends = event.fields.starts, event.fields.ends
    assert isinstance(starts, datetime)
    assert isinstance(ends, datetime)
    begins, closes = said["starts"], said["ends"]
    half = re.search(r" ([ap]m|[صم])$", closes)
    if half and not re.search(r"[ap]m|noon|midnight|[صم]", begins):
        begins += half[0]
    assert clock_24(begins) == starts.time()
    assert clock_24(closes) == ends.time()
    if event.fields.repeats is None:
        first = event.times()[0]
        assert [said["first"] is not None, said["last"] is not None] == [
            is_twice(moment) for moment in first if moment is not None
        ]
    numbers = [int(number) for number in re.findall(r"\d+", said["days"])]
    assert starts.day in numbers
    assert starts.year in numbers
    if language == "en":
        assert MONTHS[starts.month - 1] in said["days"]
        assert WEEKDAYS[starts.weekday()] in said["days"]
        if event.fields.repeats is None:
            assert said["days"] == f"{starts:%A, %B} {starts.day}, {starts.year}"
        if ends.time() < starts.time() and ends.time() != time(0):
            assert WEEKDAYS[(starts.weekday() + 1) % 7] in closes


def check_instants(event: Item) -> bool:
    """The clocks show the event's times at the instants of the link. Return False if there is no such instant."""
    skipped = False
    for occurrence in event.times():
        for moment in (occurrence.starts, occurrence.ends):
            assert moment is not None
            instant = int(moment.timestamp())
            wall_time = moment.replace(tzinfo=None, fold=0)
            is_shown = shows(wall_time, instant)
            assert is_skipped(moment) is not is_shown
            others = [shows(wall_time, instant + shift * 1800) for shift in (1, 2, 4)]
            assert is_twice(moment) is any(others), (moment, others)
            skipped = skipped or not is_shown
    first = event.times()[0]
    assert first.ends is not None
    assert instants_of(event) == (int(first.starts.timestamp()), int(first.ends.timestamp()))
    return not skipped


def test_label_text_and_calendar_mean_the_same_instant_in_every_zone() -> None:
    told: dict[tuple[str, str, datetime], tuple[int, str]] = {}
    counted = 0
    for number, zone in enumerate(zones()):
        events = list(events_in(zone))
        with clocks_in(zone):
            kept = [event for event in events if check_instants(event)]
        counted += len(events)
        for event in kept:
            for language in ("en", OTHERS[number % len(OTHERS)]):
                said = _SAID.fullmatch(format_when(event, language))
                assert said, format_when(event, language)
                check_text(event, said, language)
                for moment in (moment for occurrence in event.times() for moment in occurrence if moment is not None):
                    instant = int(moment.timestamp())
                    key = (language, said["zone"], moment.replace(tzinfo=None, fold=0))
                    other, name = told.setdefault(key, (instant, zone))
                    assert other == instant, f"{key} is another instant in {zone} than in {name}"
    assert counted > len(told) / 10 > 1_000, f"{counted:,} events, {len(told):,} times with a label"


@pytest.mark.parametrize(
    ("zone", "month", "label"),
    [
        ("America/Los_Angeles", 7, "PT"),
        ("US/Pacific", 1, "PT"),
        ("America/Vancouver", 7, "PT"),
        ("America/Vancouver", 12, "Vancouver time"),
        ("America/Edmonton", 12, "Edmonton time"),
        ("America/Winnipeg", 12, "Winnipeg time"),
        ("America/Phoenix", 1, "MT"),
        ("America/Phoenix", 7, "Phoenix time"),
        ("America/Mexico_City", 1, "CT"),
        ("America/Mexico_City", 7, "Mexico City time"),
        ("America/Indiana/Indianapolis", 7, "ET"),
        ("America/Indiana/Knox", 7, "CT"),
        ("America/Panama", 7, "Panama time"),
        ("Pacific/Honolulu", 7, "HST"),
        ("Africa/Accra", 7, "GMT"),
        ("Europe/London", 7, "London time"),
        ("Asia/Kolkata", 7, "Kolkata time"),
        ("EST5EDT", 7, "ET"),
        ("EST", 1, "ET"),
        ("Etc/GMT+5", 7, "UTC−5"),
        ("Etc/GMT-14", 7, "UTC+14"),
        ("Etc/Zulu", 7, "UTC"),
        ("GMT", 7, "GMT"),
    ],
)
def test_a_zone_has_a_name_that_is_true_else_its_city(zone: str, month: int, label: str) -> None:
    assert format_when(item(starts=f"2026-{month:02}-15 08:00", timezone=zone), "en").endswith(f"8:00 am {label}")


@pytest.mark.parametrize(
    ("language", "zone", "month", "label"),
    [
        ("de", "Europe/Berlin", 7, "Uhr MESZ"),
        ("de", "Europe/Berlin", 1, "Uhr MEZ"),
        ("de", "Africa/Algiers", 7, "Uhr (Algier)"),
        ("de", "America/Los_Angeles", 7, "Uhr (Los Angeles)"),
        ("sv", "Europe/Stockholm", 7, "CEST"),
        ("ja", "Asia/Tokyo", 7, "JST"),
        ("ja", "America/New_York", 7, "(ニューヨーク)"),
        ("pt-BR", "America/Sao_Paulo", 7, "BRT"),
        ("pt-BR", "America/Manaus", 7, "(Manaus)"),
        ("en-GB", "Europe/London", 7, "BST"),
        ("en-GB", "Europe/London", 1, "GMT"),
        ("ar", "Africa/Cairo", 7, "(القاهرة)"),
    ],
)
def test_other_languages_have_their_own_names(language: str, zone: str, month: int, label: str) -> None:
    assert format_when(item(starts=f"2026-{month:02}-15 08:00", timezone=zone), language).endswith(f" {label}")


def test_a_series_across_a_change_of_the_clocks_has_no_name_of_one_half_of_the_year() -> None:
    series = item(starts="2026-10-05 18:00", ends="2026-11-09 19:00", repeats="weekly", timezone="Europe/Berlin")
    assert format_when(series, "de").endswith("(Berlin)")
    phoenix = item(starts="2026-02-16 18:00", ends="2026-03-16 19:00", repeats="weekly", timezone="America/Phoenix")
    assert format_when(phoenix, "en").endswith("Phoenix time")


def test_a_time_that_comes_twice_says_its_offset() -> None:
    fields = {"starts": "2027-11-07 01:30", "ends": "2027-11-07 04:00", "timezone": "America/Los_Angeles"}
    said = format_when(item(**fields), "en")
    assert said == "Sunday, November 7, 2027 | 1:30 am (UTC−7) – 4:00 am PT"
    second = {**fields, "offset": "-08:00"}
    assert format_when(item(**second), "en") == "Sunday, November 7, 2027 | 1:30 am (UTC−8) – 4:00 am PT"
    assert format_when(item(**second), "de").endswith("01:30 (UTC−8) – 04:00 Uhr (Los Angeles)")
    until = {**fields, "starts": "2027-11-06 23:30", "ends": "2027-11-07 01:15"}
    assert format_when(item(**until), "en").endswith("11:30 pm – Sunday 1:15 am (UTC−7) PT")
    series = item(**{**fields, "ends": "2027-11-21 02:30"}, repeats="weekly")
    assert format_when(series, "en").endswith("1:30–2:30 am PT")  # on the other days, it is not UTC−7
    links = [google_url(item(**fields, offset=offset)) or "" for offset in ("-07:00", "-08:00")]
    assert ["20271107T083000Z" in links[0], "20271107T093000Z" in links[1]] == [True, True]
