"""Encodes pixels as JPEG or PNG, whichever is better, or as GIF, without metadata."""

from collections.abc import Sequence
from io import BytesIO

from PIL import ExifTags, Image, ImageChops

from newsletter.model.picture_files import LIGHT_BYTES
from newsletter.render.imaging.decode import Frame

_QUALITIES = range(85, 55, -5)  # JPEG qualities, best first; below 60 the loss is visible
_MANY_COLORS = 65_536  # an image with more colors is a photograph, which would be large as a PNG
_NOTHING_TO_SAVE = 10_000  # bytes; no loss is worth making a smaller file even smaller
_WORTH_OF_EDGES = 1.5  # a PNG may be this many times as large as a JPEG, which blurs letters and lines
_QUICK_PIXELS = 200_000  # up to this size, a PNG is compressed as much as possible, which is slow
_OWN_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
# The entries of Pillow's `info` that affect the pixels. All others are metadata.
_OF_THE_PIXELS = frozenset({"transparency", "progressive", "progression"})
_UNSEEN_LEVELS = 6  # of 255; a palette may change a pixel this much without anyone noticing
_UNSEEN_SHARE = 0.001  # the share of the pixels that may change by more


def encode(image: Image.Image) -> bytes:
    """Return an image of mode `L`, `RGB` or `RGBA` as JPEG, or as PNG if it is transparent or has few colors.

    The same pixels give the same bytes. Quality is reduced only if the file would be too large, and never visibly.
    """
    if image.mode == "RGBA":
        return _png(image)
    if image.getcolors(_MANY_COLORS) is None:
        return _jpeg(image)
    png = _png(image)
    if len(png) <= _NOTHING_TO_SAVE:
        return png
    jpeg = _jpeg(image)
    return png if len(png) <= min(LIGHT_BYTES, _WORTH_OF_EDGES * len(jpeg)) else min(png, jpeg, key=len)


def encode_frames(frames: Sequence[Frame], times_played: int | None) -> bytes:
    """Return an animation as GIF."""
    first, *others = [_gif_frame(frame.image) for frame in frames]
    repeat = {} if times_played is None else {"loop": times_played}
    buffer = BytesIO()
    durations = [frame.milliseconds for frame in frames]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, disposal=2, **repeat)
    return buffer.getvalue()


def without_metadata(content: bytes) -> bytes | None:
    """Return a JPEG or PNG without metadata, at the same quality. Return None if it would then look different."""
    with Image.open(BytesIO(content), formats=["JPEG", "PNG"]) as image:
        is_upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        if not is_upright or image.mode not in _OWN_MODES or "icc_profile" in image.info:
            return None
        image.load()
        for key in image.info.keys() - _OF_THE_PIXELS:
            del image.info[key]
        if image.format == "PNG":
            return _saved_png(image)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality="keep", optimize=True, progressive=True)
    return buffer.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    for quality in _QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= LIGHT_BYTES:
            break
    return buffer.getvalue()


def _png(image: Image.Image) -> bytes:
    whole = _saved_png(image)
    if image.mode != "RGB" or len(whole) <= _NOTHING_TO_SAVE:
        return whole  # Pillow's palettes for transparent images are too coarse
    palette = _few_colors(image)
    return min(whole, _saved_png(palette), key=len) if _is_like(palette, image) else whole


def _saved_png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    # Optimizing a large photograph would take ten seconds to make it one percent smaller.
    is_quick = image.mode == "P" or image.width * image.height <= _QUICK_PIXELS
    image.save(buffer, "PNG", optimize=is_quick, compress_level=9 if is_quick else 6)
    return buffer.getvalue()


def _few_colors(image: Image.Image, colors: int = 256) -> Image.Image:
    return image.quantize(colors, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _is_like(palette: Image.Image, image: Image.Image) -> bool:
    """Return whether no one can see the difference between an image and its version with a palette."""
    red, green, blue = ImageChops.difference(image, palette.convert("RGB")).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    changed = sum(largest.histogram()[_UNSEEN_LEVELS + 1 :])
    return changed <= _UNSEEN_SHARE * image.width * image.height


def _gif_frame(image: Image.Image) -> Image.Image:
    """Return a frame with at most 256 colors. Each pixel is transparent or opaque, as GIF requires."""
    frame = _few_colors(image.convert("RGB"), colors=255)
    if image.mode == "RGBA":
        frame.paste(255, mask=image.getchannel("A").point(lambda alpha: 255 if alpha < 128 else 0))
        frame.info["transparency"] = 255
    return frame
