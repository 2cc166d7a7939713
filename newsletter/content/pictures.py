"""The images of an issue. Each must be inside the issue's folder and must really be an image."""

import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from PIL import Image

from newsletter.errors import FaultError, Location
from newsletter.model.picture_files import (
    DECODING_FAULTS,
    DRAWN_ENDING,
    MOST_PIXELS,
    PHOTOGRAPHED_FORMATS,
    read_picture_title,
)
from newsletter.model.prose import ProsePicture
from newsletter.model.slots import MERGE_TOKEN
from newsletter.settings.mistakes import suggestion

_ENDINGS = frozenset({*PHOTOGRAPHED_FORMATS, DRAWN_ENDING})
_USABLE = "use a file in JPEG, PNG, GIF, SVG, WebP, AVIF, TIFF or BMP format"
_SMALLER = "open it in an image editor, and export a version that is at most 4,000 pixels wide"
_PHONES_OWN = frozenset({".heic", ".heif"})


def find_picture(folder: Path, name: str, *, shown: Callable[[Path], str] = str) -> Path:
    """Return the file of an image that an issue names, relative to the issue's folder.

    `shown` converts a path to the text that the user sees. Raise FaultError if the file is missing, outside the issue,
    or not an image that can be used.
    Only the header is read here. Damage in the rest of the file is found when the image is resized.
    """
    if MERGE_TOKEN.search(name):
        raise FaultError(f"the image {name} would differ between readers", "write the name of one image for everyone")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        remedy = f"copy it into {shown(folder / 'images')}/, and write images/{path.name}"
        raise FaultError(f"the image {name} is outside {shown(folder)}/", remedy)
    ending = path.suffix.lower()
    if ending in _PHONES_OWN:
        remedy = f"export it as JPEG into the same folder, and write {Path(name).with_suffix('.jpg')}"
        raise FaultError(f"{name} is a HEIC photo, which email apps cannot show", remedy)
    if ending not in _ENDINGS:
        raise FaultError(f"{name} is not an image that can be used in an email", _USABLE)
    if not _is_file(path):
        there = [str(found.relative_to(folder)) for found in folder.glob("images/*")]
        put = f"put the file {path.name} into {shown((folder / name).parent)}/"
        close = suggestion(name, there, otherwise=put)
        raise FaultError(f"there is no image {name!r}", close if close == put else f"{close} If not, {put}")
    if ending != DRAWN_ENDING:
        _require_head(path, name, path.stat().st_mtime_ns)
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder without permission
        return False


def require_title(picture: ProsePicture) -> None:
    """Raise FaultError if the title of an image is wrong or contradicts its description."""
    if read_picture_title(picture.title).is_decorative and picture.alt.strip():
        what = f"the image {picture.path} is marked as decorative, but has a description"
        raise FaultError(what, 'leave its brackets empty, or delete "decorative"')


def location_of(name: str, tree: object) -> Location:
    """Return the keys that lead to an image's name in a file's settings, or no keys if the name is not there."""
    branches = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in branches:
        if branch == name:
            return (key,)
        if below := location_of(name, branch):
            return (key, *below)
    return ()


@lru_cache(maxsize=256)
def _require_head(path: Path, name: str, _modified_ns: int) -> None:
    """Raise FaultError if a file is damaged, too large, or in a different format than its name indicates.

    `_modified_ns` is only part of the cache key.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the image's size, which is checked below
            with Image.open(path, formats=[PHOTOGRAPHED_FORMATS[path.suffix.lower()]]) as picture:
                width, height = picture.size
                picture.verify()
    except Image.DecompressionBombError as err:
        raise FaultError(f"the image {name} is too large to open", _SMALLER) from err
    except DECODING_FAULTS as err:
        what = f"the image {name} is damaged, or its name has the wrong extension"
        raise FaultError(what, "open it in an image editor, and export it again") from err
    if width * height > MOST_PIXELS:
        what = f"the image {name} is too large to open: {width:,} × {height:,} pixels"
        raise FaultError(what, _SMALLER)
