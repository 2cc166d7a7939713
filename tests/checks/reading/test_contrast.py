"""Contrast, and the nearest shade that can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.reading.contrast import (
    BLACK,
    READABLE,
    WHITE,
    SrgbColor,
    color_of,
    contrast,
    nearest_readable,
    over,
)

BYTES = st.integers(min_value=0, max_value=255)
COLORS = st.builds(lambda *channels: SrgbColor(*(channel / 255 for channel in channels)), BYTES, BYTES, BYTES)


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#FFFFFF", 21.0),
        ("#777777", "#FFFFFF", 4.48),
        ("#767676", "#FFFFFF", 4.54),
        ("#9C3353", "#F6ECE6", 6.0),
    ],
)
def test_contrast_is_reckoned_as_wcag_defines_it(first: str, second: str, ratio: float) -> None:
    assert contrast(color_of(first), color_of(second)) == pytest.approx(ratio, abs=0.01)


@given(COLORS, COLORS)
def test_contrast_is_the_same_both_ways(first: SrgbColor, second: SrgbColor) -> None:
    assert contrast(first, second) == contrast(second, first) >= 1


@given(COLORS, COLORS)
def test_a_readable_shade_can_be_read_and_keeps_its_hue(color: SrgbColor, ground: SrgbColor) -> None:
    shade = nearest_readable(color, [ground])

    assert shade is not None  # black or white can be read on everything
    assert contrast(shade, ground) >= READABLE
    assert color_of(str(shade)) == shade


def test_a_shade_that_can_be_read_already_hardly_changes() -> None:
    shade = nearest_readable(color_of("#9C3353"), [WHITE])

    assert shade is not None
    assert abs(shade.luminance - color_of("#9C3353").luminance) < 0.01


def test_the_nearest_shade_of_a_pale_rose_is_a_darker_rose() -> None:
    shade = nearest_readable(color_of("#D08A9A"), [WHITE])

    assert shade is not None
    assert shade.red > shade.blue > shade.green
    assert contrast(shade, WHITE) < 4.7


def test_there_is_no_shade_for_grounds_that_ask_for_opposites() -> None:
    assert nearest_readable(color_of("#9C3353"), [BLACK, WHITE, color_of("#777777")]) is None


def test_a_color_that_lets_its_ground_through_is_mixed_with_it() -> None:
    assert str(over(BLACK, 0.5, WHITE)) == "#808080"
    assert over(BLACK, 1, WHITE) == BLACK
