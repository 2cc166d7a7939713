"""How well two colours can be told apart, and the nearest shade of one that can.

Contrast is as WCAG 2.2 defines it. A shade differs in lightness alone, in OKLCH, where equal steps look equal:
https://bottosson.github.io/posts/oklab/.
"""

from collections.abc import Iterable
from dataclasses import dataclass

READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of a usual size
_STEPS = 500  # of lightness, between black and white


@dataclass(frozen=True, slots=True)
class Colour:
    """An opaque colour of sRGB: three numbers from 0 to 1."""

    red: float
    green: float
    blue: float

    def __str__(self) -> str:
        return "#" + "".join(f"{round(channel * 255):02X}" for channel in (self.red, self.green, self.blue))

    @property
    def luminance(self) -> float:
        """Relative luminance: 0 for black, 1 for white."""
        red, green, blue = (_linear(channel) for channel in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


BLACK, WHITE = Colour(0, 0, 0), Colour(1, 1, 1)


def colour_of(written: str) -> Colour:
    """A colour written as `#RRGGBB`."""
    red, green, blue = (int(written[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return Colour(red, green, blue)


def over(colour: Colour, opacity: float, ground: Colour) -> Colour:
    """What is seen of a colour that lets some of its ground through."""
    if opacity >= 1:
        return colour
    pairs = ((colour.red, ground.red), (colour.green, ground.green), (colour.blue, ground.blue))
    red, green, blue = (opacity * front + (1 - opacity) * back for front, back in pairs)
    return Colour(red, green, blue)


def contrast(first: Colour, second: Colour) -> float:
    """From 1, for equal colours, to 21, for black on white."""
    lighter, darker = sorted((first.luminance, second.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def nearest_readable(colour: Colour, others: Iterable[Colour]) -> Colour | None:
    """The nearest shade of a colour with enough contrast to all the others; None where no shade has."""
    others = tuple(others)
    lightness, a, b = _to_oklab(colour)
    extremes = {0: BLACK, _STEPS: WHITE}  # which have no hue
    shades = (extremes.get(step) or _from_oklab(step / _STEPS, a, b) for step in _nearest_first(lightness))
    return next((shade for shade in shades if all(contrast(shade, other) >= READABLE for other in others)), None)


def _nearest_first(lightness: float) -> list[int]:
    return sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness))


def _to_oklab(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (_linear(channel) for channel in (colour.red, colour.green, colour.blue))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> Colour:
    """The colour as a screen can show it, and as `#RRGGBB` can say it."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    red, green, blue = (round(_curved(min(max(channel, 0.0), 1.0)) * 255) / 255 for channel in channels)
    return Colour(red, green, blue)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _curved(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
