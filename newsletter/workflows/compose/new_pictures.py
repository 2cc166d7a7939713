"""Add an image to an issue: check its bytes, and save it in `images/` under an unused name."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from newsletter.errors import ConflictError, FaultError, InputError
from newsletter.model.picture_files import (
    DECODING_FAULTS,
    DRAWN_ENDING,
    MOST_BYTES,
    PHOTOGRAPHED_FORMATS,
    plain_stem,
)
from newsletter.render.imaging.drawing import read_drawing
from newsletter.system.contained import NOTHING, fingerprint_of, read_below, write_below
from newsletter.system.pictures import opened_picture, require_light

PICTURES_FOLDER = "images"
_LONGEST_STEM = 60
_DASHES = re.compile("-{2,}")
_MOST_NAMES = 1_000  # tried for one image
_ENDINGS = (".png", ".jpg", ".gif", ".webp", ".avif", ".tif", ".bmp")  # one for each format
_PHOTOS_OF_PHONES = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")


def add_picture(folder: Path, name: str, content: bytes) -> str:
    """Save an image in an issue's folder. Return its name for the Markdown: `images/photo.jpg`.

    `name` is what the file was called. Only its letters and digits are kept, and the ending follows from the content.
    An image that is already there under this name is not saved again. Raise InputError if it is not an image that can
    be used, or cannot be saved.
    """
    shown = PurePath(name.replace("\\", "/")).name[:_LONGEST_STEM] or "the file"
    try:
        require_light(len(content))
        ending = ending_of(content)
    except FaultError as err:
        raise InputError(f"the image {shown} {err.what}; {err.remedy}") from err
    for path in _names(shown, ending):
        try:
            write_below(folder, path, content, replaces=NOTHING, most_bytes=MOST_BYTES)
        except ConflictError:
            if fingerprint_of(read_below(folder, path, most_bytes=MOST_BYTES)) == fingerprint_of(content):
                return path
        else:
            return path
    raise InputError(f"there are too many images called {shown}; give this one another name")


def issue_pictures(folder: Path) -> tuple[str, ...]:
    """Return the names of the images in an issue's folder, as its files name them."""
    endings = {*PHOTOGRAPHED_FORMATS, DRAWN_ENDING}
    found = (path for path in (folder / PICTURES_FOLDER).glob("*") if path.suffix.lower() in endings)
    return tuple(sorted(path.relative_to(folder).as_posix() for path in found))


def _names(shown: str, ending: str) -> Iterator[str]:
    stem = _DASHES.sub("-", plain_stem(shown)).strip("-").lower() or "image"
    yield f"{PICTURES_FOLDER}/{stem}{ending}"
    yield from (f"{PICTURES_FOLDER}/{stem}-{number}{ending}" for number in range(2, _MOST_NAMES))


def ending_of(content: bytes) -> str:
    """Return the ending for the format of an image. Raise FaultError if it cannot be used."""
    if content[4:12] in _PHOTOS_OF_PHONES:
        raise FaultError("is a HEIC photo, which email apps cannot show", "export it as JPEG")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        read_drawing(content)
        return DRAWN_ENDING
    for ending in _ENDINGS:
        try:
            with opened_picture(content, ending) as picture:
                picture.verify()
        except FaultError:
            raise
        except DECODING_FAULTS:
            continue
        return ending
    raise FaultError("is damaged, or not an image that email can show", "use a JPEG, PNG, GIF, SVG or WebP file")
