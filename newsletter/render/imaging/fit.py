"""Fit an image to its space in an email, as a small file that is sharp on fine screens and works in all email apps."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import ceil

from msgspec import Struct
from PIL import Image

from newsletter.model.picture_files import DRAWN_ENDING, LIGHT_BYTES
from newsletter.render.imaging.decode import decode, decode_frames, is_moving, natural_size, times_played
from newsletter.render.imaging.drawing import draw, read_drawing
from newsletter.render.imaging.encode import encode, encode_frames, without_metadata
from newsletter.render.imaging.gif import without_remarks

# Pixels in the file per pixel shown. Two make an image sharp; if the file is too large, it gets fewer.
_DENSITIES = (Fraction(2), Fraction(7, 4), Fraction(3, 2))
_FOR_MAIL = frozenset({".jpg", ".jpeg", ".png"})
_DRAWN_WIDTH = 1072  # the width at which a drawing is tested
FinalTouch = Callable[[Image.Image], Image.Image]


class PictureSpace(Struct, frozen=True, kw_only=True):
    """The space for an image: the maximum width, and a shape if it differs from the image's own.

    Parts that do not fit the shape are cropped equally on both sides. A photograph is never enlarged. A drawing is
    enlarged if `fills` is true.
    """

    width: int
    shape: Fraction | None = None  # width divided by height
    fills: bool = True


class Original(Struct, frozen=True, kw_only=True):
    """The contents of an image file."""

    content: bytes
    ending: str  # the ending of the file's name, in lowercase

    @property
    def is_drawing(self) -> bool:
        """Whether the image consists of lines and areas instead of pixels."""
        return self.ending == DRAWN_ENDING


class Extent(Struct, frozen=True, kw_only=True):
    """The natural size of an image."""

    width: float | None  # in pixels; None for a drawing without a stated width
    aspect: Fraction  # width divided by height
    is_drawing: bool

    def shown_width(self, space: PictureSpace) -> int:
        """Return the width at which the image is shown in a space."""
        if self.width is None or (self.is_drawing and space.fills):
            return space.width
        return max(1, min(space.width, round(self.width * self.kept(space))))

    def kept(self, space: PictureSpace) -> Fraction:
        """Return the share of the width that remains after the image is cropped to the shape of a space."""
        return Fraction(1) if space.shape is None else min(Fraction(1), space.shape / self.aspect)


def extent_of(original: Original) -> Extent:
    """Return the natural size of an image. Raise one of `FAULTS` if the file is not an image."""
    if original.is_drawing:
        drawing = read_drawing(original.content)
        aspect = Fraction(drawing.aspect).limit_denominator(10_000)
        return Extent(width=drawing.width, aspect=max(aspect, Fraction(1, 10_000)), is_drawing=True)
    width, height = natural_size(original.content, original.ending)
    return Extent(width=width, aspect=Fraction(width, height), is_drawing=False)


def try_out(original: Original) -> None:
    """Raise one of `FAULTS` unless the whole image can be read or drawn."""
    if original.is_drawing:
        draw(read_drawing(original.content), _DRAWN_WIDTH)
    elif is_moving(original.content, original.ending):
        decode_frames(original.content, original.ending, lambda image: image.resize((1, 1)))
    else:
        decode(original.content, original.ending, scale=0.1)


def fit(original: Original, space: PictureSpace, touch: FinalTouch | None = None) -> bytes:
    """Return the image as JPEG, PNG or, if it is animated, GIF. `touch` draws on it and makes it a still image.

    The same original in the same space gives the same bytes. Raise one of `FAULTS` if the file is broken.
    """
    extent = extent_of(original)
    if touch is None and not original.is_drawing and is_moving(original.content, original.ending):
        return _fit_frames(original, extent, space)
    widest = _width_at(_DENSITIES[0], extent, space)
    image = _cut(_pixels(original, widest, extent, space), space.shape)
    content = b""
    for density in _DENSITIES:
        small = _resized(image, _width_at(density, extent, space))
        content = encode(small if touch is None else touch(small))
        if len(content) <= LIGHT_BYTES:
            break
    kept = _as_it_is(original, extent, space) if touch is None else None
    return content if kept is None or len(kept) >= min(len(content), LIGHT_BYTES) else kept


def _fit_frames(original: Original, extent: Extent, space: PictureSpace) -> bytes:
    is_for_mail = original.ending == ".gif" and _needs_no_change(extent, space)
    kept = without_remarks(original.content) if is_for_mail else None
    if kept is not None and len(kept) <= LIGHT_BYTES:
        return kept
    times = times_played(original.content, original.ending)
    content = b""
    for density in _DENSITIES:
        change = partial(_cut_to, shape=space.shape, width=_width_at(density, extent, space))
        content = encode_frames(decode_frames(original.content, original.ending, change), times)
        if len(content) <= LIGHT_BYTES:
            break
    return content if kept is None or len(content) < len(kept) else kept


def _as_it_is(original: Original, extent: Extent, space: PictureSpace) -> bytes | None:
    """Return the file of an image that already fits, with no loss of quality, or None if the image does not fit."""
    is_for_mail = original.ending in _FOR_MAIL and _needs_no_change(extent, space)
    return without_metadata(original.content) if is_for_mail else None


def _needs_no_change(extent: Extent, space: PictureSpace) -> bool:
    return extent.kept(space) == 1 and _width_at(_DENSITIES[0], extent, space) == extent.width and space.shape is None


def _pixels(original: Original, width: int, extent: Extent, space: PictureSpace) -> Image.Image:
    """Return the whole image, large enough to have this width after it is cropped."""
    whole = width / extent.kept(space)
    if original.is_drawing:
        return decode(draw(read_drawing(original.content), round(whole)), ".png")
    return decode(original.content, original.ending, scale=float(whole / Fraction(extent.width or 1)))


def _width_at(density: Fraction, extent: Extent, space: PictureSpace) -> int:
    """Return the width of the file in pixels."""
    wanted = ceil(extent.shown_width(space) * density)
    if extent.is_drawing or extent.width is None:
        return wanted
    return max(1, min(wanted, round(extent.width * extent.kept(space))))


def _cut(image: Image.Image, shape: Fraction | None) -> Image.Image:
    """Return the largest part from the middle of the image that has this shape."""
    if shape is None:
        return image
    width, height = min(image.width, round(image.height * shape)), min(image.height, round(image.width / shape))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + max(width, 1), top + max(height, 1)))


def _cut_to(image: Image.Image, *, shape: Fraction | None, width: int) -> Image.Image:
    return _resized(_cut(image, shape), width)


def _resized(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
