"""Moments as the program shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.language.clock import (
    say_distance,
    say_moment,
    say_time_span,
    show_day,
    show_minute,
    show_second,
    show_utc,
    show_zoned_from,
)

ZONE = "America/Los_Angeles"
NOW = datetime(2026, 2, 17, 13, 0, 30, tzinfo=UTC)  # a Tuesday, 5:00 am in Los Angeles


def test_tables_and_messages_show_moments_in_one_form() -> None:
    assert (show_day(NOW), show_day(NOW.date())) == ("2026-02-17", "2026-02-17")
    assert (show_minute(NOW), show_second(NOW)) == ("2026-02-17 13:00", "2026-02-17 13:00:30")
    assert show_utc(NOW) == "2026-02-17 13:00 UTC"
    assert show_zoned_from(NOW, "America/Los_Angeles", NOW + timedelta(hours=2)) == "2026-02-17 05:00 PST · 2 hours ago"


def test_a_moment_is_read_back_with_weekday_zone_utc_and_distance() -> None:
    at = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
    assert say_moment(at, ZONE, now=NOW) == (
        "Thursday, February 19, 2026, 8:00 am PST (America/Los_Angeles) · 16:00 UTC · in 2 days 3 hours"
    )
    assert say_moment(at, "UTC", now=at) == "Thursday, February 19, 2026, 4:00 pm UTC · now"


def test_a_zone_without_letters_is_read_back_with_its_offset_and_another_day_of_utc_is_named() -> None:
    at = datetime(2026, 2, 20, 1, 30, tzinfo=UTC)
    said = say_moment(at, "America/Sao_Paulo", now=at + timedelta(minutes=1))
    assert said == (
        "Thursday, February 19, 2026, 10:30 pm UTC-03:00 (America/Sao_Paulo) · February 20, 01:30 UTC · 1 minute ago"
    )


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(hours=2, minutes=5), "in 2 hours 5 minutes"),
        (timedelta(days=2, hours=3, minutes=5), "in 2 days 3 hours"),
        (timedelta(days=2, minutes=5), "in 2 days"),
        (-timedelta(minutes=90), "1 hour 30 minutes ago"),
    ],
)
def test_a_distance_is_said_in_its_two_largest_units(span: timedelta, said: str) -> None:
    assert say_distance(span) == said


def test_a_span_names_its_day_once() -> None:
    begin = datetime(2026, 2, 19, 23, 0, tzinfo=UTC)
    assert say_time_span(begin, begin + timedelta(minutes=30)) == (
        "from 11:00 pm to 11:30 pm on Thursday, February 19, 2026"
    )
    assert say_time_span(begin, begin + timedelta(hours=2)) == (
        "from Thursday, February 19, 2026, 11:00 pm to Friday, February 20, 2026, 1:00 am"
    )
