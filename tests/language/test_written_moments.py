"""Moments in the forms that tools and people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.language.written_moments import moment_span, moment_text, moments, our_moments, written_day_or_moment


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


AFTER_NULL = datetime(1971, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@given(st.lists(st.datetimes(AFTER_NULL)))
def test_column_in_our_form_is_taken_as_it_is(times: list[datetime]) -> None:
    cells = [f"{time:%Y}".zfill(4) + f"{time:-%m-%dT%H:%M:%SZ}" for time in times]

    assert our_moments([*cells, ""]) == [*cells, ""]
    assert our_moments([cell.replace("T", " ").removesuffix("Z") for cell in cells]) == cells


@given(st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z", fullmatch=True))
def test_column_is_taken_as_a_whole_only_where_each_cell_would_be(cell: str) -> None:
    (read,), faults = moments([cell])

    assert (our_moments([cell]) is None) == (bool(faults) or read == "")


def test_every_day_of_four_centuries_is_a_day() -> None:
    days = [f"{date(1970, 1, 2) + timedelta(days=number)}T00:00:01Z" for number in range(365 * 400)]

    assert our_moments(days) == days
    assert our_moments(["1900-02-29T00:00:00Z"]) is None
    assert moment_text(days[0]) == datetime(1970, 1, 2, 0, 0, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "cell",
    [
        "0000-00-00",
        "0001-01-01 00:00:00 +0000 UTC",
        "0001-01-01T00:00:00Z",
        "1899-12-30",
        "1899-12-30 00:00:00",
        "1900-01-00",
        "1970-01-01",
        "1970-01-01 00:00:00",
        "1970-01-01T00:00:00.000Z",
        *("00/00/0000", "0000/00/00", "00.00.0000", "0/0/0000", "00-00-0000 00:00:00", "00/00/00", "00000000"),
        *("1/0/1900", "0/1/1900", "00.01.1900", "1/0/1900 12:00:00 AM", "0-Jan-00", "1900-01-00 00:00"),
        *("01/01/0001 00:00:00", "1/1/0001", "0001-01-01T00:00:00+01:00", "Jan 1, 0001", "1/1/1900", "01.01.1900"),
        *("1970-01-01 01:00:00", "1969-12-31 19:00:00", "1/1/1970", "1970-01-01T00:00:00-08:00", "0000000000"),
        *("12/30/1899", "30.12.1899", "Dec 30, 1899", "1/1/1904", "1753-01-01", "1601-01-01 00:00:00"),
        "NULL",
        "\\N",
        "#N/A",
        "nil",
    ],
)
def test_moment_that_stands_for_none_is_none(cell: str) -> None:
    assert moment_text(cell) == ""
    assert our_moments([cell]) is None


@pytest.mark.parametrize(
    "cell", ["2025-00-00", "00/00/2025", "2025-01-00", "00/00/0000 but she left", "1/0/2000", "0000-01-01"]
)
def test_part_of_a_date_is_not_none(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        moment_text(cell)


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("31-Dec-99", "1999-12-31T00:00:00Z"),
        ("12/31/68", "1968-12-31T00:00:00Z"),
        ("31.12.70 10:00", "1970-12-31T10:00:00Z"),
        ("31-Dec-05", "2005-12-31T00:00:00Z"),
    ],
)
def test_year_of_two_digits_is_the_last_one_that_has_begun(cell: str, moment: str) -> None:
    assert moment_text(cell) == moment


def test_year_of_two_digits_may_be_this_year() -> None:
    this_year = datetime.now(UTC).year

    assert moment_text(f"31-Dec-{this_year % 100:02}") == f"{this_year}-12-31T00:00:00Z"
    assert moment_text(f"31-Dec-{(this_year + 1) % 100:02}") == f"{this_year - 99}-12-31T00:00:00Z"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026/01/31", "2026-01-31T00:00:00Z"),
        ("2026/1/5 10:00", "2026-01-05T10:00:00Z"),
        ("2026.1.31", "2026-01-31T00:00:00Z"),
        ("31-Jan-26", "2026-01-31T00:00:00Z"),
        ("31 January 26", "2026-01-31T00:00:00Z"),
        ("1/31/26", "2026-01-31T00:00:00Z"),
        ("31.1.26", "2026-01-31T00:00:00Z"),
    ],
)
def test_date_that_can_be_only_one_day_is_read(cell: str, moment: str) -> None:
    assert moment_text(cell) == moment


@pytest.mark.parametrize(
    ("cell", "last"),
    [
        ("2026-01-31", "2026-02-01T11:59:59Z"),
        ("31.01.2026", "2026-02-01T11:59:59Z"),
        ("2026-01-31 10:00", "2026-01-31T22:00:00Z"),
        ("Jan 31, 2026, 10:00 AM", "2026-01-31T22:00:00Z"),
        ("2026-01-31T10:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31 10:00:00 UTC", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00-08:00", "2026-01-31T18:00:00Z"),
        ("1769853600", "2026-01-31T10:00:00Z"),
    ],
)
def test_span_ends_at_the_latest_moment_that_a_cell_can_mean(cell: str, last: str) -> None:
    assert moment_span(cell)[1] == last


def test_long_cell_is_refused_without_being_read() -> None:
    for cell in ("2026-01-31 " + " " * 100_000 + "x", " " * 100_000, "2026-01-31" * 10_000):
        with pytest.raises(ValueError, match="is not a date"):
            moment_text(cell)


@pytest.mark.parametrize(
    "text", ["2026-01-31", "20260131", "Jan 31, 2026", "31 January 2026", "31.01.2026", "1/31/2026"]
)
def test_day_without_a_time_is_a_day(text: str) -> None:
    assert written_day_or_moment(text) == date(2026, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-31T10:00Z", "2026-01-31T00:00:00Z", "2026-01-31 10", "20260131T1000", "2026-01-31 00:00 UTC"),
        *("Jan 31, 2026, 10:00 AM", "31.01.2026 10:00", "2026-01-31 10:00:01 +0000 UTC", "1769853600", "1769853600123"),
    ],
)
def test_day_with_a_time_is_not_a_day(text: str) -> None:
    assert isinstance(written_day_or_moment(text), datetime)


def test_what_is_no_date_is_no_day() -> None:
    with pytest.raises(ValueError, match="'May' is not a date"):
        written_day_or_moment("May")


@pytest.mark.parametrize("day", ["1970-01-01", "1900-01-01", "1899-12-30", "0001-01-01"])
def test_day_by_which_programs_mean_none_is_a_day_where_someone_writes_it(day: str) -> None:
    assert written_day_or_moment(day) == date.fromisoformat(day)
