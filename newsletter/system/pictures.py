"""Opens image files within limits on their size, which are checked before anything is decoded.

A few bytes can describe an image of a thousand megapixels. Pillow reads the size from the header of each format, and
refuses what is above its own limit; so that limit is set here, for the whole program.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from newsletter.errors import FaultError
from newsletter.model.picture_files import MOST_BYTES, MOST_PIXELS, PHOTOGRAPHED_FORMATS
from newsletter.system.files import size_of_file

Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow warns above this number, and refuses above twice this number
_PIXELS_IN_MESSAGE = re.compile(r"\((\d+) pixels\)")
_SMALLER: Final = "open it in an image editor, and export a version that is at most 4,000 pixels wide"


def read_picture(path: Path) -> bytes:
    """Return the bytes of an image file. Raise FaultError, without reading it, if it cannot be used, and OSError."""
    require_light(size_of_file(path))
    return path.read_bytes()


def require_light(size_bytes: int) -> None:
    """Raise FaultError if an image file is too large to be read."""
    if size_bytes > MOST_BYTES:
        what = f"is {size_bytes // 1_000_000:,} MB, more than the {MOST_BYTES // 1_000_000} MB that can be read"
        raise FaultError(what, _SMALLER)


@contextmanager
def opened_picture(source: Path | bytes, ending: str) -> Iterator[Image.Image]:
    """Open an image whose name has this `ending`. Only its header has been read when the block begins.

    Raise FaultError if it has too many pixels, including frames that do so later. Raise any of `DECODING_FAULTS` if it
    is broken, or has another format than its name says.
    """
    formats = [PHOTOGRAPHED_FORMATS[ending]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about files that can be read
        try:
            with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=formats) as image:
                yield image
        except Image.DecompressionBombError as err:
            match = _PIXELS_IN_MESSAGE.search(str(err))
            raise _too_large(int(match[1]) if match else None) from err


def _too_large(pixels: int | None) -> FaultError:
    most = f"{MOST_PIXELS // 1_000_000} megapixels"
    if pixels is None:
        return FaultError(f"has more than {most}, which is too large to open", _SMALLER)
    return FaultError(f"has {pixels / 1_000_000:,.1f} megapixels, more than the {most} that can be opened", _SMALLER)
