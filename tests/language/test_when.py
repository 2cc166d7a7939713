"""Times as people type them."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.language.when import clock_note, read_when

ZONE = "America/Los_Angeles"
NOW = datetime(2026, 2, 17, 13, 0, 30, tzinfo=UTC)  # a Tuesday, 5:00 am in Los Angeles


def moment(text: str, now: datetime = NOW) -> str:
    return read_when(text, zone=ZONE, now=now).moment.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-02-19 08:00", "2026-02-19 16:00"),
        ("2026-02-19T08:00", "2026-02-19 16:00"),
        ("2026-02-19  8:00 am", "2026-02-19 16:00"),
        ("2026-02-19 08:00 America/Los_Angeles", "2026-02-19 16:00"),
        ("2026-02-19 08:00 Europe/Berlin", "2026-02-19 07:00"),
        ("2026-02-19 08:00 UTC", "2026-02-19 08:00"),
        ("2026-02-19T08:00:00Z", "2026-02-19 08:00"),
        ("2026-02-19 08:00+01:00", "2026-02-19 07:00"),
        ("2026-02-19 08:00 -0530", "2026-02-19 13:30"),
        ("today 6pm", "2026-02-18 02:00"),
        ("tomorrow 08:00", "2026-02-18 16:00"),
        ("tomorrow at 12 am", "2026-02-18 08:00"),
        ("tomorrow 12pm", "2026-02-18 20:00"),
        ("Thursday 08:00", "2026-02-19 16:00"),
        ("thu 08:00 Asia/Tokyo", "2026-02-18 23:00"),
        ("tuesday 08:00", "2026-02-17 16:00"),
        ("tuesday 04:00", "2026-02-24 12:00"),
        ("in 2 hours", "2026-02-17 15:01"),
        ("in 45 minutes", "2026-02-17 13:46"),
        ("in 2 days", "2026-02-19 13:01"),
        ("in 1 day and 3 hours", "2026-02-18 16:01"),
        ("in 3h20m", "2026-02-17 16:21"),
        ("in 1 hour and 30 minutes", "2026-02-17 14:31"),
    ],
)
def test_a_time_means_what_a_person_means_by_it(typed: str, utc: str) -> None:
    assert moment(typed) == utc


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "is not a time; write it as 2026-02-19 08:00"),
        ("soon", "is not a time"),
        ("2026-02-19", "is not a time"),
        ("2026-02-19 8", "an hour without minutes; write 08:00 or 8am"),
        ("2026-02-19 25:00", "there is no 25:00"),
        ("tomorrow 13pm", "there is no 13 pm"),
        ("2026-02-30 08:00", "2026-02-30 does not exist"),
        ("someday 08:00", "'someday' is not a day"),
        ("t 08:00", "'t' is not a day"),
        ("2016-02-19 08:00", "2016-02-19 is in the past"),
        ("2062-02-19 08:00", "more than a year ahead"),
        ("tomorrow 08:00 PT", "'PT' is not the full name of a time zone; write a name such as America/Los_Angeles"),
        ("tomorrow 08:00 EST", "'EST' is not the full name of a time zone"),
        ("tomorrow 08:00 Mars/Olympus", "'Mars/Olympus' is not the full name of a time zone"),
        ("tomorrow 08:00 ../../etc/passwd", "is not a time"),
        ("tomorrow 08:00 +15:00", "no time zone is +15:00 from UTC"),
    ],
)
def test_what_is_no_time_is_refused_with_words_that_help(typed: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        read_when(typed, zone=ZONE, now=NOW)
    assert told in str(refused.value)


def test_a_weekday_is_one_of_the_zone_that_was_typed() -> None:
    late = datetime(2026, 2, 19, 2, 0, tzinfo=UTC)  # Wednesday evening in Los Angeles, Thursday morning in Tokyo
    assert moment("thursday 12:00 Asia/Tokyo", late) == "2026-02-19 03:00"
    assert moment("thursday 12:00", late) == "2026-02-19 20:00"


def test_a_time_that_the_clocks_skip_is_taken_as_the_one_after_and_said() -> None:
    when = read_when("2026-03-08 02:30", zone=ZONE, now=NOW)
    assert when.moment == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)
    assert clock_note(when.wall_time, ZONE).endswith("skip 2:30 am that day; 3:30 am is used")


def test_a_time_that_comes_twice_is_the_first_of_both_and_said() -> None:
    when = read_when("2026-11-01 01:30", zone=ZONE, now=NOW)
    assert when.moment == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert clock_note(when.wall_time, ZONE).endswith("show 1:30 am twice that day; the first is used")


def test_an_offset_or_a_span_reaches_the_second_of_two_times() -> None:
    for typed, now in [("2026-11-01 01:30-08:00", NOW), ("in 2 hours", datetime(2026, 11, 1, 7, 30, tzinfo=UTC))]:
        when = read_when(typed, zone=ZONE, now=now)
        assert when.moment == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
        assert clock_note(when.wall_time, ZONE).endswith("the second is used")


def test_a_plain_time_has_nothing_odd() -> None:
    assert clock_note(datetime(2026, 2, 19, 8, 0), ZONE) == ""  # noqa: DTZ001 - a time on a clock


@given(
    day=st.dates(date(2026, 2, 17), date(2027, 2, 17)),
    clock=st.times(),
    zone=st.sampled_from([ZONE, "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
)
def test_the_clocks_of_a_zone_show_what_was_typed_unless_they_skip_it(day: date, clock: time, zone: str) -> None:
    when = read_when(f"{day} {clock:%H:%M}", zone=zone, now=NOW)
    shown = when.moment.astimezone(ZoneInfo(zone))
    is_as_typed = (shown.date(), f"{shown:%H:%M}") == (day, f"{clock:%H:%M}")
    assert is_as_typed == ("skip" not in clock_note(when.wall_time, zone))


# On November 1, 2026, the clocks in Los Angeles show 1:00 to 2:00 twice: first at 8:00 UTC, then at 9:00 UTC.
FIRST, SECOND = "2026-11-01 08:30", "2026-11-01 09:30"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("07:10", FIRST),  # neither has come
        ("08:29", FIRST),
        ("08:30", SECOND),  # the first is now
        ("08:45", SECOND),  # 1:45 am, for the first time
        ("09:10", SECOND),  # 1:10 am, for the second time
    ],
)
@pytest.mark.parametrize("day", ["today", "2026-11-01", "sunday", "Sun"])
def test_in_the_hour_that_comes_twice_the_time_that_is_still_ahead_is_meant(day: str, now: str, expected: str) -> None:
    assert moment(f"{day} 01:30", datetime.fromisoformat(f"2026-11-01T{now}:00Z")) == expected


def test_after_the_hour_that_comes_twice_a_weekday_is_in_a_week() -> None:
    now = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    assert moment("sunday 01:30", now) == "2026-11-08 09:30"
    assert moment("today 01:30", now) == FIRST  # both are past
    assert moment("sunday 01:45", now) == "2026-11-01 09:45"


def test_the_hour_that_comes_twice_is_that_of_the_zone_that_was_typed() -> None:
    now = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 1:45 am in London, for the first time
    assert moment("2026-10-25 01:30 Europe/London", now) == "2026-10-25 01:30"
    assert moment("today 01:30 Europe/London", now) == "2026-10-25 01:30"


def test_a_skipped_time_is_never_taken_for_one_that_comes_twice() -> None:
    now = datetime(2026, 3, 8, 9, 45, tzinfo=UTC)  # 1:45 am in Los Angeles; 2:00 to 3:00 is skipped
    assert moment("today 02:30", now) == "2026-03-08 10:30"
