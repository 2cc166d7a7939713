"""Which files a director may use as pictures, and how large a picture may be."""

import re
from collections.abc import Mapping

from msgspec import Struct

# The endings of file names, and what Pillow calls the format that each promises. A drawing is no business of Pillow's.
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
MOST_PIXELS = 100_000_000  # more than any camera's, and few enough to be held in memory
LIGHT_BYTES = 200_000  # what a picture of a mail should weigh at most (S12)
# What Pillow raises for a file that is broken, besides its own errors; which of these depends on where.
DECODING_FAULTS: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError),
    *(EOFError, MemoryError),
)


_NARROWEST, _WIDEST = 8, 536  # pixels; the text of a mail is no wider
_WIDTH = re.compile(r"(\d+) ?px")
_REMEDY = 'write "decorative", a width such as "240 px", or both with a comma between them, or leave it out'


class PictureTitle(Struct, frozen=True, kw_only=True):
    """Whether a picture says nothing that must be read out, and how wide it is shown; None for as wide as it can be."""

    is_decorative: bool = False
    width: int | None = None


def read_picture_title(title: str) -> PictureTitle:
    """Reads the title of a picture.

    Raises ValueError, as `what; what to do`, where it says anything else.
    """
    is_decorative, width = False, None
    for word in title.split(",") if title.strip() else ():
        if word.strip() == "decorative":
            is_decorative = True
        elif match := _WIDTH.fullmatch(word.strip()):
            width = int(match[1])
            if not _NARROWEST <= width <= _WIDEST:
                remedy = f"choose a width from {_NARROWEST} to {_WIDEST} px"
                raise ValueError(f"a picture cannot be shown {width} px wide; {remedy}")
        else:
            raise ValueError(f"the title “{title}” of a picture is shown nowhere; {_REMEDY}")
    return PictureTitle(is_decorative=is_decorative, width=width)
