"""Picture files → pixels: upright, in sRGB, eight bits a channel, and nothing else of what the file says."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from math import ceil

from msgspec import Struct
from PIL import ExifTags, Image, ImageCms, ImageOps

from newsletter.model.picture_files import DECODING_FAULTS, MOST_PIXELS, PHOTOGRAPHED_FORMATS

# What anything here raises for a file that is broken.
FAULTS: tuple[type[Exception], ...] = (*DECODING_FAULTS, Image.DecompressionBombError)
_MOVING = frozenset({"GIF", "WEBP", "PNG", "AVIF"})  # several pages of any other format are no animation
_FRAME_MILLISECONDS = 100  # for which browsers show a frame that has no time of its own
_TURNED_ASIDE = range(5, 9)  # EXIF's orientations that swap width and height
_SIXTEEN_BITS = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
_SRGB = ImageCms.createProfile("sRGB")


class Frame(Struct, frozen=True, kw_only=True):
    """One picture of an animation, and how long it stands."""

    image: Image.Image
    milliseconds: int


def natural_size(content: bytes, ending: str) -> tuple[int, int]:
    """Width and height as the picture is looked at, read from the head of a file whose name ends in `ending`."""
    with _opened(content, ending) as image:
        width, height = image.size
        # Pillow turns a TIFF by itself, and gives the size that it then has.
        aside = image.format != "TIFF" and image.getexif().get(ExifTags.Base.Orientation) in _TURNED_ASIDE
    return (height, width) if aside else (width, height)


def is_moving(content: bytes, ending: str) -> bool:
    """Whether the picture is an animation."""
    with _opened(content, ending) as image:
        return image.format in _MOVING and getattr(image, "n_frames", 1) > 1


def decode(content: bytes, ending: str, *, scale: float = 1.0) -> Image.Image:
    """The picture as `L`, `RGB` or, where something of it is transparent, `RGBA`; of an animation the first frame.

    Only `scale` of its natural size is needed, so it may come smaller than it is, but no smaller than that.
    Raises one of `FAULTS` where the file is broken.
    """
    with _opened(content, ending) as image:
        if scale < 1:
            image.draft(None, (ceil(image.width * scale), ceil(image.height * scale)))  # of use for JPEG alone
        return _plain(ImageOps.exif_transpose(image))


def decode_frames(content: bytes, ending: str, change: Callable[[Image.Image], Image.Image]) -> tuple[Frame, ...]:
    """The frames of an animation, each of them whole, as `RGB` or `RGBA`, and changed at once to what is wanted."""
    frames = []
    with _opened(content, ending) as image:
        count = getattr(image, "n_frames", 1)
        told = f"{count:,} frames of {image.width:,} × {image.height:,} pixels"
        _limit(count * image.width * image.height, told)
        for number in range(count):
            image.seek(number)
            changed = change(_plain(image.convert("RGBA")))
            milliseconds = int(image.info.get("duration", 0)) or _FRAME_MILLISECONDS  # known once it is decoded
            frames.append(Frame(image=changed, milliseconds=milliseconds))
    return tuple(frames)


def times_played(content: bytes, ending: str) -> int | None:
    """How often an animation begins anew, 0 for ever; None where it plays once."""
    with _opened(content, ending) as image:
        times = image.info.get("loop")
    return None if times is None else int(times)


@contextmanager
def _opened(content: bytes, ending: str) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what can be read all the same; the limit of pixels is our own
        with Image.open(BytesIO(content), formats=[PHOTOGRAPHED_FORMATS[ending]]) as image:
            _limit(image.width * image.height, f"{image.width:,} × {image.height:,} pixels")
            yield image


def _limit(pixels: int, told: str) -> None:
    if pixels > MOST_PIXELS:
        raise ValueError(f"is too large to be opened: {told}; export it smaller")


def _plain(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image, alpha = _eight_bits(image)
    image = _in_srgb(image, profile) if profile else image
    if image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    if alpha is not None:
        image = image.convert("RGB")
        image.putalpha(alpha)
    image.info.clear()  # else some of what the file says would be written out again
    return image


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours of a picture, and its transparency where it has any."""
    if image.mode in _SIXTEEN_BITS:
        return image.point(lambda value: value * (1 / 256)).convert("L"), None
    if image.mode == "F":
        raise ValueError("its pixels are numbers without a scale, not colours")
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        return whole.convert("RGB"), None if alpha.getextrema()[0] == 255 else alpha
    if image.mode == "1":
        return image.convert("L"), None
    return image if image.mode in {"L", "RGB", "CMYK", "LAB"} else image.convert("RGB"), None


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture in sRGB, which mail programs take all colours for; as it is where its profile is no use."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image
