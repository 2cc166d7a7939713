"""Bars, and what stands for them where there are none."""

import io

import pytest

from newsletter.cli.bars import aligned, bar, can_draw, in_ascii, share, shortened
from newsletter.cli.output import display_width


def test_the_largest_fills_its_columns_and_nothing_is_nothing() -> None:
    assert bar(8, largest=8, columns=4) == "████"
    assert bar(5, largest=8, columns=4) == "██▌"
    assert bar(0, largest=8, columns=4) == ""
    assert bar(0, largest=0, columns=4) == ""


def test_whatever_is_not_nothing_shows() -> None:
    assert bar(1, largest=1_000_000, columns=4) == "▏"


def test_a_line_in_ascii_is_as_wide_and_stays_ascii() -> None:
    line = f"  Bokmål  12  {bar(5, largest=8, columns=4)}  −3 …"

    assert in_ascii(line) == "  Bokm?l  12  ###  -3 ."
    assert in_ascii(bar(1, largest=100, columns=4)) == "."


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("cp1252", False), ("latin-1", False)]
)
def test_a_stream_is_asked_whether_it_takes_bars(encoding: str, can: bool) -> None:
    with io.TextIOWrapper(io.BytesIO(), encoding=encoding) as stream:
        assert can_draw(stream) is can


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    assert aligned([("日本", "1"), ("a", "10")], right=frozenset({1})) == ["  日本   1", "  a     10"]


def test_long_and_unprintable_text_is_shortened() -> None:
    assert shortened("a source of consent", 9) == "a source…"
    assert shortened("a\x1b[31m\nb", 20) == "a…[31m…b"
    assert display_width(shortened("日本" * 9, 9)) <= 9


@pytest.mark.parametrize(
    ("part", "words"),
    [(0, "0 %"), (1, "<1 %"), (49, "5 %"), (500, "50 %"), (999, ">99 %"), (1000, "100 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(part: int, words: str) -> None:
    assert share(part, 1000) == words


def test_a_share_of_nobody_is_nothing() -> None:
    assert share(0, 0) == "0 %"
