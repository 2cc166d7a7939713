"""What is read of calendars. A series becomes a weekly event only if that says exactly the same."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from newsletter.errors import FaultError
from newsletter.incoming.calendar_entries import events_of_calendar
from newsletter.incoming.entries import IncomingEntry

PARIS = ZoneInfo("Europe/Paris")
SINCE = date(2026, 2, 20)


def ics(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:walk", "DTSTAMP:20260101T000000Z", "SUMMARY:Walk", *lines, "END:VEVENT")


def read(*lines: str, since: date = SINCE, most: int = 5) -> tuple[IncomingEntry, ...]:
    return events_of_calendar(ics(*lines), since, 60, most).entries


RULE = "RRULE:FREQ=DAILY;BYHOUR=1,2,3"
WEEKLY = ("DTSTART;TZID=Europe/Paris:20260301T190000", "DTEND;TZID=Europe/Paris:20260301T210000")


def test_the_next_events_of_a_series_are_read_in_order() -> None:
    content = ics(*event("DTSTART;TZID=America/Los_Angeles:20260105T090000", "RRULE:FREQ=WEEKLY", "LOCATION:Park"))
    found = events_of_calendar(content, date(2026, 2, 25), 60, 3).entries
    zone = ZoneInfo("America/Los_Angeles")
    assert [each.starts for each in found] == [datetime(2026, 3, day, 9, tzinfo=zone) for day in (2, 9, 16)]
    assert {each.location for each in found} == {"Park"}
    assert len({each.key for each in found}) == 3


def test_whole_days_end_on_their_last_day() -> None:
    content = ics(*event("DTSTART;VALUE=DATE:20260322", "DTEND;VALUE=DATE:20260328"))
    (found,) = events_of_calendar(content, date(2026, 3, 1), 60, 3).entries
    assert (found.starts, found.ends) == (date(2026, 3, 22), date(2026, 3, 27))


def test_a_zone_that_is_not_known_is_refused() -> None:
    content = ics(*event("DTSTART;TZID=Mars/Olympus:20260305T090000"))
    with pytest.raises(FaultError, match="the time zone 'Mars/Olympus' is not known"):
        events_of_calendar(content, date(2026, 3, 1), 60, 3)


def test_a_name_of_windows_is_understood() -> None:
    content = ics(*event("DTSTART;TZID=Eastern Standard Time:20260305T090000"))
    (found,) = events_of_calendar(content, date(2026, 3, 1), 60, 3).entries
    assert isinstance(found.starts, datetime)
    assert found.starts.astimezone(UTC).hour == 14


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;BYMINUTE=0,1,2,3,4,5;BYSECOND=0,1,2,3,4,5"]
)
def test_a_series_that_would_take_minutes_is_refused(rule: str) -> None:
    with pytest.raises(FaultError, match="several times a day"):
        events_of_calendar(ics(*event("DTSTART:20260101T000000Z", f"RRULE:{rule}")), date(2026, 3, 1), 60, 3)


def test_too_many_series_are_refused() -> None:
    lines = [line.replace("walk", str(n)) for n in range(400) for line in event("DTSTART:20260101T000000Z", RULE)]
    with pytest.raises(FaultError, match="too many events that repeat"):
        read(*lines)


def test_canceled_events_are_marked_and_do_not_count() -> None:
    canceled = event("DTSTART:20260305T090000Z", "STATUS:CANCELLED")
    other = tuple(line.replace("walk", "other") for line in event("DTSTART:20260306T090000Z"))
    assert [each.is_canceled for each in read(*canceled, *other, most=1)] == [True, False]


@pytest.mark.parametrize(
    "content", [b"", b"<rss/>", b"\0\xff", b"BEGIN:VCALENDAR\r\n", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"]
)
def test_what_is_no_calendar_is_told(content: bytes) -> None:
    with pytest.raises(FaultError, match="not a calendar"):
        events_of_calendar(content, date(2026, 3, 1), 60, 3)


@pytest.mark.parametrize("end", ["COUNT=6", "UNTIL=20260405T210000Z", "BYDAY=SU;COUNT=6"])
def test_a_weekly_series_with_an_end_is_one_event(end: str) -> None:
    (found,) = read(*event(*WEEKLY, f"RRULE:FREQ=WEEKLY;{end}"))
    assert found.repeats_weekly
    assert (found.starts, found.ends) == (
        datetime(2026, 3, 1, 19, tzinfo=PARIS),
        datetime(2026, 4, 5, 21, tzinfo=PARIS),
    )


def test_a_series_is_the_same_event_in_the_next_issue() -> None:
    lines = event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=12")
    assert read(*lines) == read(*lines, since=date(2026, 3, 20))


MOVED = event("RECURRENCE-ID;TZID=Europe/Paris:20260308T190000", *(line.replace("0301", "0309") for line in WEEKLY))
OTHER_WORDS = (
    *event("RECURRENCE-ID;TZID=Europe/Paris:20260308T190000", *(line.replace("0301", "0308") for line in WEEKLY)),
)


@pytest.mark.parametrize(
    "lines",
    [
        event(*WEEKLY, "RRULE:FREQ=WEEKLY"),  # without an end
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4"),
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;BYDAY=SU,TU;COUNT=4"),
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/Paris:20260308T190000"),
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=4", "RDATE;TZID=Europe/Paris:20260303T190000"),
        event(*WEEKLY, "RRULE:FREQ=MONTHLY;COUNT=4"),
        (*event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=4"), *MOVED),
        (*event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=4"), *(line.replace("Walk", "Talk") for line in OTHER_WORDS)),
        (*event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=4"), *OTHER_WORDS[:-1], "STATUS:CANCELLED", OTHER_WORDS[-1]),
        event("DTSTART:20260301T190000Z", "DTEND:20260301T210000Z", "RRULE:FREQ=WEEKLY;COUNT=6"),  # the hour changes
        event("DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=WEEKLY;COUNT=4"),
        event(*WEEKLY[:1], "RRULE:FREQ=WEEKLY;COUNT=4"),
        event(*WEEKLY[:1], "DTEND;TZID=Europe/Paris:20260303T210000", "RRULE:FREQ=WEEKLY;COUNT=4"),
    ],
)
def test_any_other_series_is_told_and_each_date_is_an_event(lines: tuple[str, ...]) -> None:
    found = events_of_calendar(ics(*lines), SINCE, 60, 5)
    assert not any(each.repeats_weekly for each in found.entries)
    assert len({each.key for each in found.entries}) == len(found.entries) > 1
    (note,) = found.notes
    assert "repeats in a way" in note


def test_an_event_that_is_moved_stays_the_same_event() -> None:
    keys = [read(*event(f"DTSTART:{start}T090000Z"))[0].key for start in ("20260301", "20260302")]
    assert keys[0] == keys[1]
    series = read(*event(*WEEKLY, "RRULE:FREQ=WEEKLY"))
    moved = read(*event(*WEEKLY, "RRULE:FREQ=WEEKLY"), *MOVED)
    assert [each.key for each in series] == [each.key for each in moved]
    assert moved[1].starts == datetime(2026, 3, 9, 19, tzinfo=PARIS)


def test_times_that_no_zone_can_tell_are_left_out() -> None:
    (found,) = read(*event("DTSTART:20260301T090000Z", "DTEND:23001231T235959Z"))
    assert found.ends is None
    assert read(*event("DTSTART:16010101T000000Z", "DTEND:23001231T235959Z")) == ()
