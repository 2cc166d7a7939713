"""Moments in the forms that tools and people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.list_moments import moment_text, moments, our_moments


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("20260131", "2026-01-31T00:00:00Z"),
        ("2026-01-31T10:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31 10:00:01", "2026-01-31T10:00:01Z"),
        ("2026-01-31T10:00:01.5Z", "2026-01-31T10:00:01Z"),
        ("2026-01-31T10:00:01.123456+00:00", "2026-01-31T10:00:01Z"),
        ("2026-01-31 10:00-08:00", "2026-01-31T18:00:00Z"),
        ("2026-01-31 10:00:00 UTC", "2026-01-31T10:00:00Z"),
        ("2026-01-31 10:00:01.789 +0530 IST", "2026-01-31T04:30:01Z"),
        ("Jan 31, 2026", "2026-01-31T00:00:00Z"),
        ("Jan 31, 2026, 10:00 PM", "2026-01-31T22:00:00Z"),
        ("January 31st, 2026 at 12:05 a.m.", "2026-01-31T00:05:00Z"),
        ("31 January 2026", "2026-01-31T00:00:00Z"),
        ("31-Jan-2026 10:00", "2026-01-31T10:00:00Z"),
        ("31.01.2026 10:00", "2026-01-31T10:00:00Z"),
        ("01.02.2026", "2026-02-01T00:00:00Z"),
        ("1/31/2026 10:00 PM", "2026-01-31T22:00:00Z"),
        ("31/1/2026", "2026-01-31T00:00:00Z"),
        ("5/5/2026", "2026-05-05T00:00:00Z"),
        ("1769853600", "2026-01-31T10:00:00Z"),
        ("1769853600123", "2026-01-31T10:00:00Z"),
        ("0000-00-00 00:00:00", ""),
    ],
)
def test_moment_is_utc_unless_it_says_otherwise(cell: str, moment: str) -> None:
    assert moment_text(cell) == moment


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday",
        "2026",
        "2026-02-30",
        "0000-01-01",
        "31/31/2026",
        "13:00",
        "Smarch 13, 2026",
        "Jan 32, 2026",
        "1/31/2026 13:00 PM",
        "1/31/2026 24:00",
        "45322",
        "2026-01-31T10:00:00Z; DROP",
        "٢٠٢٦-٠١-٣١",
        "-",
    ],
)
def test_what_is_no_moment_is_refused_with_the_form_to_write(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a date; write it as 2026-01-31 or"):
        moment_text(cell)


def test_date_that_could_be_two_days_is_not_guessed_unless_the_format_says() -> None:
    with pytest.raises(ValueError, match="could be 3 April or 4 March; write it as 2026-04-03"):
        moment_text("03/04/2026")
    assert moment_text("03/04/2026", is_day_first=True) == "2026-04-03T00:00:00Z"
    assert moment_text("03/04/2026", is_day_first=False) == "2026-03-04T00:00:00Z"


@given(st.lists(st.datetimes()))
def test_column_in_our_form_is_taken_as_it_is(times: list[datetime]) -> None:
    cells = [f"{time:%Y}".zfill(4) + f"{time:-%m-%dT%H:%M:%SZ}" for time in times]

    assert our_moments([*cells, ""]) == [*cells, ""]
    assert our_moments([cell.replace("T", " ").removesuffix("Z") for cell in cells]) == cells


@given(st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z", fullmatch=True))
def test_column_is_taken_as_a_whole_only_where_each_cell_would_be(cell: str) -> None:
    _, faults = moments([cell])

    assert (our_moments([cell]) is None) == bool(faults)


def test_every_day_of_four_centuries_is_a_day() -> None:
    days = [f"{date(1900, 1, 1) + timedelta(days=number)}T00:00:00Z" for number in range(365 * 400)]

    assert our_moments(days) == days
    assert our_moments(["1900-02-29T00:00:00Z"]) is None
    assert moment_text(days[0]) == datetime(1900, 1, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
