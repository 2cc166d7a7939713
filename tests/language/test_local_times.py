"""Local times: which hour each reader sees, in which words, and that it is the same instant as the event's own."""

import os
import random
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.language.local_times import SEPARATOR, LocalTextsBy, clock_today, local_times_of
from newsletter.model.issue import Item, Source
from newsletter.model.issue_fields import EventFields
from newsletter.model.prose import Prose
from tests.language.clocks import clocks_in, wall_clock, zone_names

EVENTS = int(os.environ.get("NEWSLETTER_CLOCK_EVENTS", "300"))
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl", "sv", "pl", "ja", "zh", "ko", "ar", "he", "en-GB")
texts = LocalTextsBy(clock_today)


def event(*, zone: str = "America/Los_Angeles", **fields: object) -> Item:
    return Item(
        name="event",
        fields=EventFields.model_validate({"title": "Event", **fields}),
        prose=Prose(tokens=()),
        source=Source(path="event.md"),
        digest="",
        uid="event@example.org",
        zone=ZoneInfo(zone),
    )


def told(item: Item, zone: str, language: str = "en") -> str | None:
    times = local_times_of(item, language)
    assert times is not None
    return texts(times)[zone]


MORNING = event(starts="2026-02-25 08:00", ends="2026-02-25 11:00")
COURSE = event(starts="2026-02-25 09:00", ends="2026-04-01 10:00", repeats="weekly")


@pytest.mark.parametrize(
    ("zone", "language", "expected"),
    [
        ("Europe/Berlin", "en", " · 17:00–20:00 (Berlin)"),
        ("America/New_York", "en", " · 11:00 am – 2:00 pm (New York)"),
        ("Asia/Tokyo", "en", " · Thu, Feb 26, 01:00–04:00 (Tokyo)"),
        ("Asia/Kolkata", "en", " · 9:30 pm – Thu 12:30 am (Kolkata)"),
        ("America/New_York", "en-GB", " · 11:00–14:00 (New York)"),
        ("Europe/Berlin", "de", " · 17:00–20:00 (Berlin)"),
        ("Asia/Tokyo", "de", " · Do., 26. Feb., 01:00–04:00 (Tokio)"),
        ("Europe/Warsaw", "pl", " · 17:00–20:00 (Warszawa)"),
        ("Asia/Tokyo", "ja", " · 2月26日(木) 1:00～4:00 (東京)"),
        ("Europe/Berlin", "ko", " · 17:00~20:00 (베를린)"),
        ("Europe/Berlin", "ar", " · 17:00–20:00 (برلين)"),
        ("Etc/GMT+5", "de", " · 11:00–14:00 (UTC−5)"),
    ],
)
def test_the_local_time_has_its_day_and_its_clock(zone: str, language: str, expected: str) -> None:
    assert told(MORNING, zone, language) == expected


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "US/Pacific", "America/Vancouver", "America/Tijuana"])
def test_nothing_is_told_where_the_clocks_agree(zone: str) -> None:
    assert not told(MORNING, zone)
    assert told(MORNING, zone) is not None


@pytest.mark.parametrize("zone", ["", "Europe", "Mars/Base", "../etc/passwd", "a\0b"])
def test_an_unknown_zone_has_no_local_time(zone: str) -> None:
    assert told(MORNING, zone) is None


def test_a_series_across_a_change_of_clocks_names_the_smaller_group() -> None:
    assert told(COURSE, "Europe/Berlin") == " · 18:00–19:00 (Berlin; Mar 11–25: 17:00–18:00)"
    assert told(COURSE, "America/Phoenix") == " · 9:00–10:00 am (Phoenix; Feb 25 – Mar 4: 10:00–11:00 am)"
    assert told(COURSE, "America/New_York") == " · noon – 1:00 pm (New York)"


def test_a_series_with_too_many_local_times_has_none() -> None:
    year = event(starts="2026-01-07 23:30", ends="2027-12-22 23:45", repeats="weekly", zone="Europe/Berlin")
    found = {zone: told(year, zone) for zone in ("Africa/Casablanca", "Australia/Lord_Howe")}
    assert found["Australia/Lord_Howe"] is None  # three differences, and the day differs between them


def test_midnight_has_its_day_and_an_end_on_another_day_its_weekday() -> None:
    evening = event(starts="2026-03-06 15:00", ends="2026-03-06 16:00")
    assert told(evening, "Europe/Berlin") == " · Sat, Mar 7, 00:00–01:00 (Berlin)"
    assert told(evening, "Europe/London") == " · 23:00 – Sat 00:00 (London)"
    retreat = event(starts="2026-03-06 16:00", ends="2026-03-08 12:00")
    assert told(retreat, "America/New_York") == " · Fri 7:00 pm – Sun 3:00 pm (New York)"


def test_no_language_writes_a_sign_that_old_fonts_lack() -> None:
    for language in LANGUAGES:
        for zone in ("Europe/Berlin", "America/New_York", "Asia/Tokyo"):
            assert not re.search("[\u2009\u202f]", told(MORNING, zone, language) or ""), (language, zone)


def test_an_event_without_a_time_of_day_has_no_local_time() -> None:
    assert local_times_of(event(starts="2026-03-22", ends="2026-03-27"), "en") is None


# Days around which clocks change somewhere, and days on which a zone was moved for good.
EDGES = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-01", "2026-12-31", "2027-02-28", "2028-02-29"]
EDGES += ["2028-03-12", "2029-03-25", "2029-11-04", "2030-01-01", "2030-03-31", "2030-10-27", "2030-12-31"]


def test_random_events_are_told_at_the_same_instant() -> None:
    """Read the words and compare them with what the C library says the clocks show."""
    draw, zones = random.Random(2026), zone_names()
    for _ in range(EVENTS):
        own, theirs = draw.choice(zones), draw.choice(zones)
        day = datetime.fromisoformat(draw.choice(EDGES)) + timedelta(days=draw.randint(-1, 1))
        starts = day + timedelta(minutes=15 * draw.randrange(96))
        item = event(zone=own, starts=f"{starts:%Y-%m-%d %H:%M}")
        instant = int(item.times()[0].starts.timestamp())
        with clocks_in(own):
            here = wall_clock(instant)[0]
        with clocks_in(theirs):
            there = wall_clock(instant)[0]
        text = told(item, theirs, "de")
        if here == there:
            assert not text, (own, theirs, starts)
            continue
        assert text is not None
        assert text.startswith(SEPARATOR)
        assert f"{there:%H:%M}" in text, (own, theirs, starts, text)
        is_other_day = there.date() != here.date() or f"{there:%H:%M}" == "00:00"
        assert (f" {there.day}. " in text) is is_other_day, (own, theirs, starts, text)
