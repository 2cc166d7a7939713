"""Fits a picture to its space in a mail: sharp on a fine screen, light, in a format that every mail program shows."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from math import ceil

from msgspec import Struct
from PIL import Image

from newsletter.model.picture_files import DRAWN_ENDING, LIGHT_BYTES
from newsletter.render.imaging.decode import decode, decode_frames, is_moving, natural_size, times_played
from newsletter.render.imaging.drawing import draw, read_drawing
from newsletter.render.imaging.encode import encode, encode_frames, without_metadata

# Pixels of the file for each pixel that is shown: two make a picture sharp, and a heavy one gets by with fewer.
_DENSITIES = (Fraction(2), Fraction(7, 4), Fraction(3, 2))
_FOR_MAIL = frozenset({".jpg", ".jpeg", ".png"})
_DRAWN_WIDTH = 1072  # at which a drawing is tried out
FinalTouch = Callable[[Image.Image], Image.Image]


class PictureSpace(Struct, frozen=True, kw_only=True):
    """The space for a picture: how wide it is shown at most, and its shape where that is not the picture's own.

    What lies beyond the shape is cut off on both sides alike. A photograph is never enlarged; a drawing is where it
    `fills` the space.
    """

    width: int
    shape: Fraction | None = None  # width by height
    fills: bool = True


class Original(Struct, frozen=True, kw_only=True):
    """A picture as its file holds it."""

    content: bytes
    ending: str  # of the file's name, in lower case

    @property
    def is_drawing(self) -> bool:
        """Whether it is made of lines and areas, without pixels of its own."""
        return self.ending == DRAWN_ENDING


class Extent(Struct, frozen=True, kw_only=True):
    """How large a picture is by nature."""

    width: float | None  # in pixels; None for a drawing that states none
    aspect: Fraction  # width by height
    is_drawing: bool

    def shown_width(self, space: PictureSpace) -> int:
        """How wide it is shown in a space."""
        if self.width is None or (self.is_drawing and space.fills):
            return space.width
        return max(1, min(space.width, round(self.width * self.kept(space))))

    def kept(self, space: PictureSpace) -> Fraction:
        """How much of its width the shape of a space leaves."""
        return Fraction(1) if space.shape is None else min(Fraction(1), space.shape / self.aspect)


def extent_of(original: Original) -> Extent:
    """Reads how large a picture is; raises one of `FAULTS` where it is none."""
    if original.is_drawing:
        drawing = read_drawing(original.content)
        aspect = Fraction(drawing.aspect).limit_denominator(10_000)
        return Extent(width=drawing.width, aspect=max(aspect, Fraction(1, 10_000)), is_drawing=True)
    width, height = natural_size(original.content, original.ending)
    return Extent(width=width, aspect=Fraction(width, height), is_drawing=False)


def try_out(original: Original) -> None:
    """Raises one of `FAULTS` where not all of the picture can be read or drawn."""
    if original.is_drawing:
        draw(read_drawing(original.content), _DRAWN_WIDTH)
    elif is_moving(original.content, original.ending):
        decode_frames(original.content, original.ending, lambda image: image.resize((1, 1)))
    else:
        decode(original.content, original.ending, scale=0.1)


def fit(original: Original, space: PictureSpace, touch: FinalTouch | None = None) -> bytes:
    """The picture as JPEG, PNG or, where it moves, GIF; `touch` draws something into it, and stills it.

    The same original in the same space gives the same bytes. Raises one of `FAULTS` where it is broken.
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
    """A picture that somebody made for the mail, without another loss of quality."""
    is_for_mail = original.ending in _FOR_MAIL and _needs_no_change(extent, space)
    return without_metadata(original.content) if is_for_mail else None


def _needs_no_change(extent: Extent, space: PictureSpace) -> bool:
    return extent.kept(space) == 1 and _width_at(_DENSITIES[0], extent, space) == extent.width and space.shape is None


def _pixels(original: Original, width: int, extent: Extent, space: PictureSpace) -> Image.Image:
    """The whole picture, large enough that what is left of it after the cut has this width."""
    whole = width / extent.kept(space)
    if original.is_drawing:
        return decode(draw(read_drawing(original.content), round(whole)), ".png")
    return decode(original.content, original.ending, scale=float(whole / Fraction(extent.width or 1)))


def _width_at(density: Fraction, extent: Extent, space: PictureSpace) -> int:
    """The width of the file in pixels."""
    wanted = ceil(extent.shown_width(space) * density)
    if extent.is_drawing or extent.width is None:
        return wanted
    return max(1, min(wanted, round(extent.width * extent.kept(space))))


def _cut(image: Image.Image, shape: Fraction | None) -> Image.Image:
    """The largest middle part of a shape."""
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


_HEAD_LENGTH = 13  # signature, and the description of the screen
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_TIMING, _APPLICATION = 0xF9, 0xFF
_REPEATING = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})  # the applications that say how often it is played


def without_remarks(content: bytes) -> bytes:
    """The GIF without comments, and without what programs noted in it for themselves.

    Raises ValueError or IndexError where it is broken.
    """
    return b"".join(_parts(content))


def _parts(content: bytes) -> Iterator[bytes]:
    position = _HEAD_LENGTH + _table_length(content[10])
    yield content[:position]
    while (kind := content[position]) != _END:
        start = position
        if kind == _EXTENSION:
            position = _after_blocks(content, position + 2)
            if _is_seen(content, start):
                yield content[start:position]
        elif kind == _IMAGE:
            position = _after_blocks(content, position + 11 + _table_length(content[position + 9]))
            yield content[start:position]
        else:
            raise ValueError(f"it has a block of the unknown kind {kind}")
    yield bytes([_END])


def _is_seen(content: bytes, start: int) -> bool:
    label, name = content[start + 1], content[start + 3 : start + 14]
    return label == _TIMING or (label == _APPLICATION and name in _REPEATING)


def _table_length(flags: int) -> int:
    return 3 << ((flags & 0b111) + 1) if flags & 0b1000_0000 else 0


def _after_blocks(content: bytes, position: int) -> int:
    """The position after a row of blocks, each of which says its length; an empty one ends the row."""
    while length := content[position]:
        position += 1 + length
    return position + 1
