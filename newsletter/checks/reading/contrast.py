"""The contrast of two colors, and the nearest shade of a color that has enough contrast."""

from collections.abc import Iterable

from msgspec import Struct

READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of normal size
_STEPS = 500  # steps of lightness from black to white


class SrgbColor(Struct, frozen=True):
    """An opaque sRGB color: three numbers from 0 to 1."""

    red: float
    green: float
    blue: float

    def __str__(self) -> str:
        return "#" + "".join(f"{round(channel * 255):02X}" for channel in (self.red, self.green, self.blue))

    @property
    def luminance(self) -> float:
        """Relative luminance, from 0 for black to 1 for white: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
        red, green, blue = (_linear(channel) for channel in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


BLACK, WHITE = SrgbColor(0, 0, 0), SrgbColor(1, 1, 1)


def color_of(written: str) -> SrgbColor:
    """Return a color written as `#RRGGBB`."""
    red, green, blue = (channel / 255 for channel in bytes.fromhex(written.removeprefix("#")))
    return SrgbColor(red, green, blue)


def over(color: SrgbColor, opacity: float, ground: SrgbColor) -> SrgbColor:
    """Return how a partly transparent color appears on a background."""
    if opacity >= 1:
        return color
    pairs = ((color.red, ground.red), (color.green, ground.green), (color.blue, ground.blue))
    return SrgbColor(*(opacity * front + (1 - opacity) * back for front, back in pairs))


def contrast(first: SrgbColor, second: SrgbColor) -> float:
    """Return the contrast ratio as WCAG 2.2 defines it, from 1 (equal colors) to 21 (black on white)."""
    lighter, darker = sorted((first.luminance, second.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def nearest_readable(color: SrgbColor, others: Iterable[SrgbColor]) -> SrgbColor | None:
    """Return the nearest shade of a color with enough contrast to all the others, or None if there is none.

    A shade differs only in lightness, in the Oklab color space, where equal steps look equal.
    """
    # Loading coloraide takes longer than running all checks, and only the remedy for bad contrast needs it. That is one
    # reason why `contrast` is computed in this module. The other is that coloraide's luminance has more digits than
    # WCAG's, so results at the threshold could differ.
    from coloraide import Color

    others = tuple(others)
    shade = Color(str(color)).convert("oklab")
    lightness, *hue = shade.coords()
    for step in sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness)):
        hue_there = hue if 0 < step < _STEPS else (0, 0)  # black and white have no hue
        written = Color("oklab", [step / _STEPS, *hue_there]).convert("srgb").to_string(hex=True, fit="clip")
        found = color_of(written)
        if all(contrast(found, other) >= READABLE for other in others):
            return found
    return None


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
