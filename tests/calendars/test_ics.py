"""Calendar files: what RFC 5545 demands, what programs of others need, and bytes that only change with the events."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar, Event
from msgspec.structs import replace

from newsletter.calendars.announcing import announced, facts_of
from newsletter.calendars.ics import CalendarFeed, calendar_file, calendar_part
from newsletter.model.announced import CalendarEvent
from tests.language.clocks import zone_names
from tests.language.items import item

NOW = datetime(2026, 2, 19, 8, tzinfo=UTC)
PAGE = "https://www.example.org/events/one/"
FEED = CalendarFeed("Small Letter: events", "https://www.example.org/calendar.ics")
WEEKLY = {"starts": "2026-02-25 09:00", "ends": "2026-04-01 10:00", "repeats": "weekly"}


def event_of(language: str = "en", **fields: object) -> CalendarEvent:
    event = item(**fields)
    return CalendarEvent(item=event, announced=announced(facts_of(event), None, NOW), page=PAGE, language=language)


def lines_of(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


def written(**fields: object) -> list[str]:
    return lines_of(calendar_file(map(calendar_part, [event_of(**fields)])))


def read(content: bytes) -> Iterator[Event]:
    yield from Calendar.from_ical(content).walk("VEVENT")


def test_an_event_keeps_its_wall_clock_and_zone() -> None:
    lines = written(starts="2026-02-25 08:00", ends="2026-02-25 11:00")
    assert "DTSTART;TZID=America/Los_Angeles:20260225T080000" in lines
    assert "DTEND;TZID=America/Los_Angeles:20260225T110000" in lines
    assert "BEGIN:VTIMEZONE" in lines


def test_a_series_has_a_rule_in_its_zone_that_ends_in_utc() -> None:
    lines = written(**WEEKLY)
    assert "DTSTART;TZID=America/Los_Angeles:20260225T090000" in lines
    assert "DTEND;TZID=America/Los_Angeles:20260225T100000" in lines
    assert "RRULE:FREQ=WEEKLY;UNTIL=20260401T160000Z" in lines
    assert lines.count("BEGIN:VEVENT") == 1


def test_whole_days_end_on_the_day_after_the_last() -> None:
    lines = written(starts="2026-03-22", ends="2026-03-27")
    assert {"DTSTART;VALUE=DATE:20260322", "DTEND;VALUE=DATE:20260328"} <= set(lines)
    one = written(starts="2026-12-31")
    assert {"DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270101"} <= set(one)
    assert "BEGIN:VTIMEZONE" not in one


def test_an_event_without_an_end_lasts_an_hour() -> None:
    assert "DTEND;TZID=America/Los_Angeles:20260225T090000" in written(starts="2026-02-25 08:00")


@pytest.mark.parametrize("zone", ["GMT", "UTC", "Etc/GMT+5"])
def test_a_zone_that_is_no_place_is_never_named(zone: str) -> None:
    lines = written(starts="2026-07-01 08:00", timezone=zone)
    assert not any("TZID" in line for line in lines)
    assert any(line.startswith("DTSTART:20260701T") and line.endswith("Z") for line in lines)


def test_the_second_of_two_times_on_the_clocks_is_given_in_utc() -> None:
    lines = written(starts="2027-11-07 01:30", ends="2027-11-07 04:00", offset="-08:00")
    assert "DTSTART:20271107T093000Z" in lines


def test_the_same_events_give_the_same_bytes() -> None:
    events = [event_of(title="One", **WEEKLY), event_of(title="Two", starts="2026-03-22")]
    assert calendar_file(map(calendar_part, events), FEED) == calendar_file(map(calendar_part, events), FEED)


def test_only_the_time_of_publishing_is_in_a_file() -> None:
    lines = written(starts="2026-02-25 08:00")
    assert {"DTSTAMP:20260219T080000Z", "LAST-MODIFIED:20260219T080000Z", "SEQUENCE:0"} <= set(lines)


def test_every_language_has_the_same_uid_and_its_own_words() -> None:
    for language, title in (("en", "Tea"), ("ja", "お茶")):
        lines = lines_of(calendar_file(map(calendar_part, [event_of(language, title=title, starts="2026-02-25")])))
        assert "UID:2026-02-event@example.org" in lines
        assert f"SUMMARY;LANGUAGE={language}:{title}" in lines


def test_a_canceled_event_stays_in_the_file_and_says_so() -> None:
    event = event_of(title="Tea", starts="2026-02-25", status="canceled")
    lines = lines_of(
        calendar_file(map(calendar_part, [replace(event, announced=replace(event.announced, sequence=3))]))
    )
    assert {"STATUS:CANCELLED", "SEQUENCE:3", "SUMMARY;LANGUAGE=en:Canceled: Tea"} <= set(lines)
    assert "STATUS:TENTATIVE" in written(starts="2026-02-25", status="postponed")
    assert "STATUS:CONFIRMED" in written(starts="2026-02-25")


def test_a_feed_says_its_name_and_when_to_ask_again() -> None:
    lines = lines_of(calendar_file(map(calendar_part, [event_of(starts="2026-02-25")]), FEED))
    assert {
        "X-WR-CALNAME:Small Letter: events",
        "NAME:Small Letter: events",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
        "SOURCE;VALUE=URI:https://www.example.org/calendar.ics",
    } <= set(lines)


def test_nothing_is_in_a_file_that_makes_programs_ask_or_ring() -> None:
    lines = lines_of(calendar_file(map(calendar_part, [event_of(**WEEKLY)]), FEED))
    assert not any(line.startswith(("METHOD", "ATTENDEE", "ORGANIZER", "BEGIN:VALARM", "COMMENT")) for line in lines)


def test_lines_are_folded_at_75_bytes_and_end_in_crlf() -> None:
    content = calendar_file(map(calendar_part, [event_of(title="東京 " * 100, starts="2026-02-25")]), FEED)
    parts = content.split(b"\r\n")
    assert parts[-1] == b""
    assert max(map(len, parts)) <= 75
    assert b"\n" not in b"".join(parts)
    (event,) = read(content)
    assert event["SUMMARY"] == ("東京 " * 100).strip()


def test_texts_read_back_as_written_and_cannot_add_lines() -> None:
    hostile = "Tea\\n, cake; BEGIN:VALARM \\, x"
    event = event_of(title=hostile, starts="2026-02-25", subtitle=hostile, location=hostile)
    (found,) = read(calendar_file(map(calendar_part, [event])))
    assert (found["SUMMARY"], found["LOCATION"]) == (hostile, hostile)
    assert found["DESCRIPTION"] == f"{hostile}\n{PAGE}"
    assert "VALARM" not in {component.name for component in found.subcomponents}


def test_a_zone_has_a_short_definition_with_standard_time_in_it() -> None:
    step = int(os.environ.get("ZONE_STEP", "40"))  # every fortieth zone, other ones in each year
    for year in range(2026, 2031):
        for zone in zone_names()[year % step :: step]:
            lines = written(starts=f"{year}-09-15 08:00", timezone=zone)
            definition = (
                lines[lines.index("BEGIN:VTIMEZONE") : lines.index("END:VTIMEZONE")]
                if "BEGIN:VTIMEZONE" in lines
                else []
            )
            if definition:
                assert "BEGIN:STANDARD" in definition, (zone, year)
                assert len(definition) < 60, (zone, year)


def test_each_change_of_the_clocks_is_a_property_of_its_own() -> None:
    lines = written(starts="2027-11-01 12:45", ends="2028-05-29 22:45", repeats="weekly", timezone="Europe/Dublin")
    changes = [line for line in lines if line.startswith("RDATE")]
    assert "RDATE:20280326T020000" in changes
    assert not any("," in line for line in changes)


def test_events_of_several_zones_share_one_file() -> None:
    zones = ("Europe/Paris", "Asia/Tokyo", "Europe/Paris")
    events = [event_of(starts="2026-02-25 08:00", timezone=zone) for zone in zones]
    lines = lines_of(calendar_file(map(calendar_part, events)))
    assert lines.count("BEGIN:VTIMEZONE") == 2
    assert [found["DTSTART"].dt.utcoffset() for found in read(calendar_file(map(calendar_part, events)))] == [
        timedelta(hours=hours) for hours in (1, 9, 1)
    ]
