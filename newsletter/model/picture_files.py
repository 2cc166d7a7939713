"""The kinds of image files that can be used, and the limits on their size."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import PurePath
from unicodedata import normalize

from msgspec import Struct

from newsletter.errors import FaultError

# The endings of file names, each with Pillow's name for its format. Pillow does not read drawings (SVG).
PHOTOGRAPHED_FORMATS: Mapping[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
DRAWN_ENDING = ".svg"
MOST_PIXELS = 40_000_000  # an image in memory takes four bytes per pixel, and several copies exist at times
MOST_MOVING_PIXELS = 100_000_000  # of all frames of an animation, which are resized one by one
MOST_FRAMES = 1_000
MOST_BYTES = 100_000_000  # of one file
LIGHT_BYTES = 200_000  # the maximum size for an image in an email (S12)
# The errors that Pillow can raise for a broken file. The kind of error depends on where the damage is.
DECODING_FAULTS: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError),
    *(EOFError, MemoryError),
)


def plain_stem(path: str) -> str:
    """Return the beginning of a rendered image's name: the stem of its file, with only ASCII letters and digits.

    Any other character becomes a dash. If that leaves nothing of a letter, part of a hash tells the files apart.
    """
    stem = normalize("NFC", PurePath(path).stem)
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in stem)
    if stem.isascii():
        return plain
    return f"{plain.strip('-') or 'image'}-{blake2b(stem.encode(errors='replace'), digest_size=3).hexdigest()}"


_NARROWEST, WIDEST = 8, 536  # pixels; the text of an email is no wider
_WIDTH = re.compile(r"(\d+) ?px")
_REMEDY = 'write "decorative", a width such as "240 px", or both with a comma between them, or delete the title'


class PictureTitle(Struct, frozen=True, kw_only=True):
    """Whether an image is decorative, and its width in the email. If `width` is None, it is as wide as possible."""

    is_decorative: bool = False
    width: int | None = None


def read_picture_title(title: str) -> PictureTitle:
    """Read an image's title, which can mark it as decorative and set its width.

    Raise FaultError if the title contains anything else.
    """
    is_decorative, width = False, None
    for word in title.split(",") if title.strip() else ():
        if word.strip() == "decorative":
            is_decorative = True
        elif match := _WIDTH.fullmatch(word.strip()):
            width = int(match[1])
            if not _NARROWEST <= width <= WIDEST:
                remedy = f"choose a width from {_NARROWEST} to {WIDEST} px"
                raise FaultError(f"an image cannot be shown {width} px wide", remedy)
        else:
            raise FaultError(f"the image title “{title}” would not be shown", _REMEDY)
    return PictureTitle(is_decorative=is_decorative, width=width)
