"""What follows from the shape and the colors of a logo: its width in the email, and whether dark mode hides it."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from newsletter.checks.reading.contrast import SrgbColor, color_of, contrast
from newsletter.render.imaging.fit import Original, PictureSpace, extent_of, fit

_HEIGHT = 40  # pixels, of a logo that is much wider than high
_WIDE = 2.0  # times its height
_WIDEST = 240
_SAMPLE_WIDTH = 64  # pixels in which colors are looked for
_LEAST_CONTRAST = 1.5  # below this, a shape is hardly seen at all
_SEEN = 128  # the opacity from which a pixel counts, of 255


def width_for(path: Path) -> int | None:
    """Return the width in pixels at which a wide logo has a readable height, or None if the usual width suits it."""
    aspect = float(extent_of(_original(path)).aspect)
    return min(round(_HEIGHT * aspect), _WIDEST) if aspect > _WIDE else None


def vanishes_on(path: Path, background: str) -> bool:
    """Return whether most of a logo cannot be seen on a color, written as in CSS. An opaque logo can always be."""
    small = Image.open(BytesIO(fit(_original(path), PictureSpace(width=_SAMPLE_WIDTH))))
    if not small.has_transparency_data:
        return False
    channels = small.convert("RGBA").tobytes()
    behind = color_of(background)
    hidden = [
        contrast(SrgbColor(red / 255, green / 255, blue / 255), behind) < _LEAST_CONTRAST
        for red, green, blue, opacity in zip(*[iter(channels)] * 4, strict=True)
        if opacity >= _SEEN
    ]
    return sum(hidden) * 2 > len(hidden)


def _original(path: Path) -> Original:
    return Original(content=path.read_bytes(), ending=path.suffix.lower())
