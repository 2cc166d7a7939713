"""Pixels → the bytes of a JPEG or a PNG, whichever is lighter, without anything about how they came to be."""

from collections.abc import Sequence
from io import BytesIO

from PIL import ExifTags, Image, ImageChops

from newsletter.model.picture_files import LIGHT_BYTES
from newsletter.render.imaging.decode import Frame

_QUALITIES = range(85, 55, -5)  # of a JPEG, the best first; below 60 one sees it
_MANY_COLOURS = 65_536  # more of them are a photograph, which no PNG makes light
_NOTHING_TO_SAVE = 10_000  # bytes: what is lighter than that is not worth any loss
_WORTH_OF_EDGES = 1.5  # times the bytes of a JPEG, which smears letters and lines
_QUICK_PIXELS = 200_000  # of a PNG that is squeezed at leisure
_OWN_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
_OF_THE_PIXELS = frozenset({"transparency", "progressive", "progression"})  # what a file says that is seen
_UNSEEN_LEVELS = 6  # of 255, by which a palette may change a pixel
_UNSEEN_SHARE = 0.001  # of the pixels, that it may change by more


def encode(image: Image.Image) -> bytes:
    """A picture of the mode `L`, `RGB` or `RGBA` as JPEG, or as PNG where it is transparent or has few colours.

    The same pixels give the same bytes. Quality is given up only to be light, and no more of it than can be borne.
    """
    if image.mode == "RGBA":
        return _png(image)
    if image.getcolors(_MANY_COLOURS) is None:
        return _jpeg(image)
    png = _png(image)
    if len(png) <= _NOTHING_TO_SAVE:
        return png
    jpeg = _jpeg(image)
    return png if len(png) <= min(LIGHT_BYTES, _WORTH_OF_EDGES * len(jpeg)) else min(png, jpeg, key=len)


def encode_frames(frames: Sequence[Frame], times_played: int | None) -> bytes:
    """An animation as GIF."""
    first, *others = [_gif_frame(frame.image) for frame in frames]
    repeat = {} if times_played is None else {"loop": times_played}
    buffer = BytesIO()
    durations = [frame.milliseconds for frame in frames]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, disposal=2, **repeat)
    return buffer.getvalue()


def without_metadata(content: bytes) -> bytes | None:
    """A JPEG or PNG of the same quality without its metadata; None where its pixels would be others without them."""
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
        return whole  # Pillow's palettes for transparent pictures are too coarse
    palette = _few_colours(image)
    return min(whole, _saved_png(palette), key=len) if _is_like(palette, image) else whole


def _saved_png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    # A large photograph would take ten seconds to become one percent lighter.
    is_quick = image.mode == "P" or image.width * image.height <= _QUICK_PIXELS
    image.save(buffer, "PNG", optimize=is_quick, compress_level=9 if is_quick else 6)
    return buffer.getvalue()


def _few_colours(image: Image.Image, colours: int = 256) -> Image.Image:
    return image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _is_like(palette: Image.Image, image: Image.Image) -> bool:
    """Whether nobody sees what a palette changes."""
    red, green, blue = ImageChops.difference(image, palette.convert("RGB")).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    changed = sum(largest.histogram()[_UNSEEN_LEVELS + 1 :])
    return changed <= _UNSEEN_SHARE * image.width * image.height


def _gif_frame(image: Image.Image) -> Image.Image:
    """A frame in at most 256 colours; a GIF knows no half transparency."""
    frame = _few_colours(image.convert("RGB"), colours=255)
    if image.mode == "RGBA":
        frame.paste(255, mask=image.getchannel("A").point(lambda alpha: 255 if alpha < 128 else 0))
        frame.info["transparency"] = 255
    return frame
