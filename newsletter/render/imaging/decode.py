"""Decodes image files into pixels: upright, in sRGB, with eight bits per channel, without metadata."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from math import ceil

from msgspec import Struct
from PIL import ExifTags, Image, ImageCms, ImageOps

from newsletter.errors import FaultError
from newsletter.model.picture_files import DECODING_FAULTS, MOST_PIXELS, PHOTOGRAPHED_FORMATS

# The errors that these functions raise for a broken file.
FAULTS: tuple[type[Exception], ...] = (*DECODING_FAULTS, Image.DecompressionBombError)
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF"})  # in any other format, several pages are not an animation
_FRAME_MILLISECONDS = 100  # how long browsers show a frame without a duration
_TURNED_ASIDE = range(5, 9)  # the EXIF orientations that swap width and height
_SIXTEEN_BITS = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
_SRGB = ImageCms.createProfile("sRGB")


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of an animation, and how long it is shown."""

    image: Image.Image
    milliseconds: int


def natural_size(content: bytes, ending: str) -> tuple[int, int]:
    """Return the width and height at which a viewer shows the image. Only the header of the file is read."""
    with _opened(content, ending) as image:
        width, height = image.size
        # Pillow rotates a TIFF itself and returns its size after the rotation.
        aside = image.format != "TIFF" and image.getexif().get(ExifTags.Base.Orientation) in _TURNED_ASIDE
    return (height, width) if aside else (width, height)


def is_moving(content: bytes, ending: str) -> bool:
    """Return whether the image is an animation."""
    with _opened(content, ending) as image:
        return image.format in _MOVING and getattr(image, "n_frames", 1) > 1


def decode(content: bytes, ending: str, *, scale: float = 1.0) -> Image.Image:
    """Return the image as `L`, `RGB` or, if any pixel is transparent, `RGBA`. For an animation, return the first frame.

    The result may be smaller than the image, but not smaller than `scale` times its natural size.
    Raise one of `FAULTS` if the file is broken.
    """
    with _opened(content, ending) as image:
        if scale < 1:
            image.draft(None, (ceil(image.width * scale), ceil(image.height * scale)))  # has an effect for JPEG only
        return _plain(ImageOps.exif_transpose(image))


def decode_frames(content: bytes, ending: str, change: Callable[[Image.Image], Image.Image]) -> tuple[Frame, ...]:
    """Return the complete frames of an animation as `RGB` or `RGBA`. Pass each frame through `change` immediately."""
    frames = []
    with _opened(content, ending) as image:
        count = getattr(image, "n_frames", 1)
        told = f"{count:,} frames of {image.width:,} × {image.height:,} pixels"
        _limit(count * image.width * image.height, told)
        for number in range(count):
            image.seek(number)
            changed = change(_plain(image.convert("RGBA")))
            milliseconds = int(image.info.get("duration", 0)) or _FRAME_MILLISECONDS  # known only after decoding
            frames.append(Frame(image=changed, milliseconds=milliseconds))
    return tuple(frames)


def times_played(content: bytes, ending: str) -> int | None:
    """Return how many times an animation repeats (0: forever), or None if it plays once."""
    with _opened(content, ending) as image:
        times = image.info.get("loop")
    return None if times is None else int(times)


@contextmanager
def _opened(content: bytes, ending: str) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # these warnings are about readable files, and the limit on pixels is checked below
        with Image.open(BytesIO(content), formats=[PHOTOGRAPHED_FORMATS[ending]]) as image:
            _limit(image.width * image.height, f"{image.width:,} × {image.height:,} pixels")
            yield image


def _limit(pixels: int, told: str) -> None:
    if pixels > MOST_PIXELS:
        raise FaultError(f"is too large to open: {told}", "open it in an image editor, and export a smaller version")


def _plain(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image, alpha = _eight_bits(image)
    image = _in_srgb(image, profile) if profile else image
    if image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    if alpha is not None:
        image = image.convert("RGB")
        image.putalpha(alpha)
    image.info.clear()  # otherwise Pillow would write some of the metadata again
    return image


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colors of an image, and its transparency if it has any."""
    if image.mode in _SIXTEEN_BITS:
        return image.point(lambda value: value * (1 / 256)).convert("L"), None
    if image.mode == "F":
        raise ValueError("its pixels are numbers without a scale, not colors")
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        return whole.convert("RGB"), None if alpha.getextrema()[0] == 255 else alpha
    if image.mode == "1":
        return image.convert("L"), None
    return image if image.mode in {"L", "RGB", "CMYK", "LAB"} else image.convert("RGB"), None


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the image in sRGB, which email apps assume, or unchanged if its color profile is unusable."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image
