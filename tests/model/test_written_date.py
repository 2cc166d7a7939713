"""Dates as people write them, shown in the form that a file needs."""

import pytest

from newsletter.model.written_date import date_as_needed


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ("2026-2-9", "2026-02-09"),
        ("2026/02/19", "2026-02-19"),
        ("2026.2.19", "2026-02-19"),
        ("19.2.2026", "2026-02-19"),
        ("19. 02. 2026", "2026-02-19"),
        ("Feb 19, 2026", "2026-02-19"),
        ("February 19th 2026", "2026-02-19"),
        ("19 February 2026", "2026-02-19"),
        ("19th of Feb. 2026", "2026-02-19"),
        ("20-Dec-2026", "2026-12-20"),
        ("2026-12-20 8:30", "2026-12-20 08:30"),
        ("2026-12-20T8:30:00", "2026-12-20 08:30"),
        ("2026-12-20, 8.30", "2026-12-20 08:30"),
        ("20 December 2026, 8 am", "2026-12-20 08:00"),
        ("December 20, 2026 at 8:30 PM", "2026-12-20 20:30"),
        ("2026-12-20 12 am", "2026-12-20 00:00"),
        ("2026-12-20 12:15 p.m.", "2026-12-20 12:15"),
    ],
)
def test_a_date_is_shown_in_the_form_that_is_needed(written: str, needed: str) -> None:
    assert date_as_needed(written) == needed


@pytest.mark.parametrize(
    "written",
    [
        *("2/3/2026", "02/19/2026", "tomorrow", "12:30", "2026", "2026-02", "2026-02-30", "31 April 2026", ""),
        *("2026-02-19 25:00", "2026-02-19 8", "2026-02-19 13 pm", "2026-02-19Z", "May I, 2026", "1" * 10_000),
    ],
)
def test_no_date_is_made_up(written: str) -> None:
    assert date_as_needed(written) is None
