"""Decodes image files into pixels: upright, in sRGB, with eight bits per channel, without metadata."""

from collections.abc import Callable
from io import BytesIO
from math import ceil

from msgspec import Struct
from PIL import ExifTags, Image, ImageCms, ImageOps

from newsletter.errors import FaultError
from newsletter.model.picture_files import DECODING_FAULTS, MOST_FRAMES, MOST_MOVING_PIXELS
from newsletter.render.imaging.gif import count_frames
from newsletter.system.pictures import opened_picture

# The errors that these functions raise for a broken file.
FAULTS: tuple[type[Exception], ...] = DECODING_FAULTS
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF"})  # in any other format, several pages are not an animation
_FRAME_MILLISECONDS = 100  # how long browsers show a frame without a duration
_TURNED_ASIDE = range(5, 9)  # the EXIF orientations that swap width and height
_SIXTEEN_BITS = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
_LARGE_PIXELS = 12_000_000  # above this number, an image is reduced before its colors are converted
_SPARE_DETAIL = 2  # how many times as large as necessary an image stays then, so that the final resizing is sharp
_SRGB = ImageCms.createProfile("sRGB")


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of an animation, and how long it is shown."""

    image: Image.Image
    milliseconds: int


def natural_size(content: bytes, ending: str) -> tuple[int, int]:
    """Return the width and height at which a viewer shows the image. Only the header of the file is read."""
    with opened_picture(content, ending) as image:
        width, height = image.size
        # Pillow rotates a TIFF itself and returns its size after the rotation.
        aside = image.format != "TIFF" and image.getexif().get(ExifTags.Base.Orientation) in _TURNED_ASIDE
    return (height, width) if aside else (width, height)


def is_moving(content: bytes, ending: str) -> bool:
    """Return whether the image is an animation."""
    with opened_picture(content, ending) as image:
        return image.format in _MOVING and getattr(image, "is_animated", False)


def decode(content: bytes, ending: str, *, scale: float = 1.0) -> Image.Image:
    """Return the image as `L`, `RGB` or, if any pixel is transparent, `RGBA`. For an animation, return the first frame.

    The result may be smaller than the image, but not smaller than `scale` times its natural size.
    Raise one of `FAULTS` if the file is broken.
    """
    with opened_picture(content, ending) as image:
        if scale < 1:
            image.draft(None, (ceil(image.width * scale), ceil(image.height * scale)))  # has an effect for JPEG only
        ImageOps.exif_transpose(image, in_place=True)
        return _plain(image, scale)


def decode_frames(content: bytes, ending: str, change: Callable[[Image.Image], Image.Image]) -> tuple[Frame, ...]:
    """Return the complete frames of an animation as `RGB` or `RGBA`. Pass each frame through `change` immediately."""
    frames = []
    with opened_picture(content, ending) as image:
        # Pillow counts the frames of a GIF by going through all of them, which takes seconds if there are many.
        counted = count_frames(content) if image.format == "GIF" else None
        count: int = counted if counted is not None else getattr(image, "n_frames", 1)
        _require_few(count, image.width * image.height)
        for number in range(count):
            image.seek(number)
            changed = change(_plain(image.convert("RGBA")))
            milliseconds = int(image.info.get("duration", 0)) or _FRAME_MILLISECONDS  # known only after decoding
            frames.append(Frame(image=changed, milliseconds=milliseconds))
    return tuple(frames)


def times_played(content: bytes, ending: str) -> int | None:
    """Return how many times an animation repeats (0: forever), or None if it plays once."""
    with opened_picture(content, ending) as image:
        times = image.info.get("loop")
    return None if times is None else int(times)


def _require_few(count: int, pixels: int) -> None:
    """Raise FaultError if an animation has too many frames, or its frames have too many pixels."""
    fewer = "remove frames or export a smaller version in an image editor"
    if count > MOST_FRAMES:
        raise FaultError(f"has more than {MOST_FRAMES:,} frames", fewer)
    if count * pixels > MOST_MOVING_PIXELS:
        most = f"{MOST_MOVING_PIXELS // 1_000_000} megapixels"
        what = f"has {count * pixels / 1_000_000:,.1f} megapixels in {count} frames, more than the {most}"
        raise FaultError(f"{what} that can be opened", fewer)


def _plain(image: Image.Image, scale: float = 1.0) -> Image.Image:
    """Return the image in one of our modes. If it is very large, reduce it as soon as possible, because copies add up.

    A photograph of 40 megapixels took 670 MB without this, and takes about 370 MB with it.
    """
    profile = image.info.get("icc_profile")
    image = _eight_bits(image)
    factor = int(1 / (scale * _SPARE_DETAIL))
    if image.width * image.height > _LARGE_PIXELS and factor > 1:
        image = image.reduce(factor)
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if profile:
        image = _in_srgb(image if alpha is None else image.convert("RGB"), profile)
    if image.mode not in {"L", "RGB", "RGBA"}:
        image = image.convert("RGB")
    if alpha is not None and image.mode != "RGBA":
        image = image.convert("RGB")
        image.putalpha(alpha)
    image.info.clear()  # otherwise Pillow would write some of the metadata again
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the image with eight bits per channel, and as `RGBA` only if some pixel is transparent."""
    if image.mode in _SIXTEEN_BITS:
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "F":
        raise ValueError("its pixels are numbers without a scale, not colors")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        is_opaque = image.getchannel("A").getextrema()[0] == 255
        return image.convert("RGB") if is_opaque else image
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in {"L", "RGB", "CMYK", "LAB"} else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the image in sRGB, which email apps assume, or unchanged if its color profile is unusable."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image
