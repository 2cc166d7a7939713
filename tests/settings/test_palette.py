"""The theme's colors, each beside every other that the email shows it with."""

from itertools import product

import pytest

from newsletter.checks.reading.contrast import color_of, contrast
from newsletter.settings.workspace import Brand, DarkPalette, Palette

PALETTES = pytest.mark.parametrize("palette", [Palette(), DarkPalette()], ids=["light", "dark"])


def ratio(palette: Palette, one: str, other: str) -> float:
    return contrast(color_of(getattr(palette, one)), color_of(getattr(palette, other)))


@PALETTES
def test_all_words_can_be_read_on_every_ground(palette: Palette) -> None:
    pairs = [*product(("ink", "quiet", "accent"), ("inside", "outside", "wash")), ("on_accent", "solid")]
    assert {pair: ratio(palette, *pair) for pair in pairs if ratio(palette, *pair) < 4.5} == {}


@PALETTES
@pytest.mark.parametrize("ground", ["inside", "wash"])
def test_a_hairline_is_seen_on_the_page_and_on_a_panel(palette: Palette, ground: str) -> None:
    assert ratio(palette, "hairline", ground) >= 1.4


def test_a_panel_is_seen_by_night() -> None:
    assert ratio(DarkPalette(), "wash", "inside") >= 1.25


def test_a_solid_button_is_calm_by_night() -> None:
    assert 6 <= ratio(DarkPalette(), "solid", "inside") <= 7


def test_your_own_accent_is_the_color_of_the_buttons_too() -> None:
    brand = Brand.model_validate(
        {"light": {"accent": "#005577"}, "dark": {"accent": "#88CCEE", "solid": "#77BBDD"}},
    )
    assert (brand.light.accent, brand.light.solid) == ("#005577", "#005577")
    assert (brand.dark.accent, brand.dark.solid) == ("#88CCEE", "#77BBDD")
