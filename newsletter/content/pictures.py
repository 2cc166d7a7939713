"""The images of an issue. Each must be inside the issue's folder and must really be an image."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath
from unicodedata import normalize
from urllib.parse import unquote

from newsletter.errors import FaultError, Location
from newsletter.model.picture_files import (
    DECODING_FAULTS,
    DRAWN_ENDING,
    PHOTOGRAPHED_FORMATS,
    read_picture_title,
)
from newsletter.model.prose import ProsePicture
from newsletter.model.slots import MERGE_TOKEN
from newsletter.system.pictures import opened_picture, require_light

_ENDINGS = frozenset({*PHOTOGRAPHED_FORMATS, DRAWN_ENDING})
_USABLE = "use a file in JPEG, PNG, GIF, SVG, WebP, AVIF, TIFF or BMP format"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 1_000  # characters; no system has files with longer names
_MOST_SUGGESTED = 1_000
_PHONES_OWN = frozenset({".heic", ".heif"})


def find_picture(folder: Path, name: str, *, shown: Callable[[Path], str] = str) -> Path:
    """Return the file of an image that an issue names, relative to the issue's folder.

    `shown` converts a path to the text that the user sees. Raise FaultError if the file is missing, outside the issue,
    or not an image that can be used.
    Only the header is read here. Damage in the rest of the file is found when the image is resized.
    """
    if MERGE_TOKEN.search(name):
        raise FaultError(f"the image {name} would differ between readers", "write the name of one image for everyone")
    if _CONTROL.search(name):
        raise FaultError(f"the image name {name!r} contains an invisible character", "delete it, or rename the file")
    path = _file_named(folder, name)
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
        put = f"put the file {path.name} into {shown((folder / name).parent)}/"
        close = _closest(folder, name)
        raise FaultError(f"there is no image {name!r}", f"did you mean {close}? If not, {put}" if close else put)
    if ending != DRAWN_ENDING:
        _require_head(path, name, path.stat().st_mtime_ns)
    return path


def _file_named(folder: Path, name: str) -> Path:
    """Return the path of the file with this name. If there is none, the path may not exist.

    One name can be spelled in several ways: `é` is one character or two (macOS writes two), and a space may be `%20`.
    """
    path = folder / name
    if _is_file(path) or len(name) > _LONGEST_NAME:
        return path.resolve()
    found = folder
    for part in PurePath(name).parts:
        if part == ".." or not found.is_relative_to(folder):
            return path.resolve()
        with suppress(OSError):
            same = sorted(each for each in found.iterdir() if _spelled(each.name) == _spelled(part))
            found = found / part if found / part in same or not same else same[0]
    return found.resolve() if _is_file(found) else path.resolve()


def _spelled(name: str) -> str:
    return normalize("NFC", unquote(name))


def _closest(folder: Path, name: str) -> str | None:
    """Return the name of the image that was most likely meant, or None. Only the names of files are compared.

    With their folders and endings, all names would look alike.
    """
    found = islice((path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS), _MOST_SUGGESTED)
    names = [normalize("NFC", path.relative_to(folder).as_posix()) for path in found]
    stems = {PurePath(known).stem.lower(): known for known in sorted(names)}
    stem = PurePath(normalize("NFC", name).replace("\\", "/")).stem.lower()
    close = get_close_matches(stem, stems, n=1) if len(name) <= _LONGEST_NAME else []
    return stems[close[0]] if close else None


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
        require_light(path.stat().st_size)
        with opened_picture(path, path.suffix.lower()) as picture:
            picture.verify()
    except FaultError as err:
        raise FaultError(f"the image {name} {err.what}", err.remedy) from err
    except DECODING_FAULTS as err:
        what = f"the image {name} is damaged, or its name has the wrong extension"
        raise FaultError(what, "open it in an image editor, and export it again") from err
