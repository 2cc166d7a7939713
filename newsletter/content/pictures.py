"""Pictures of an issue: found inside its folder, and really pictures."""

import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from PIL import Image

from newsletter.errors import Location
from newsletter.model.issue import ProsePicture
from newsletter.model.picture_files import (
    DECODING_FAULTS,
    DRAWN_ENDING,
    MOST_PIXELS,
    PHOTOGRAPHED_FORMATS,
    read_picture_title,
)
from newsletter.settings.mistakes import suggestion

_ENDINGS = frozenset({*PHOTOGRAPHED_FORMATS, DRAWN_ENDING})
_USABLE = "use JPEG, PNG, GIF, SVG, WebP, AVIF, TIFF or BMP"
_PHONES_OWN = frozenset({".heic", ".heif"})


def find_picture(folder: Path, name: str) -> Path:
    """The file of a picture that an issue names, relative to the issue's folder.

    Raises ValueError, as `what; what to do`, where it is missing, outside the issue, or not a picture that can be used.
    Only its head is read: whether the rest is whole is seen when it is fitted.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"the picture {name} is outside the issue; copy it into images/")
    ending = path.suffix.lower()
    if ending in _PHONES_OWN:
        raise ValueError(f"{name} is of the kind HEIC, which only telephones read; export it as JPEG")
    if ending not in _ENDINGS:
        raise ValueError(f"{name} is not a picture that can be turned into one for mail; {_USABLE}")
    if not _is_file(path):
        there = [str(found.relative_to(folder)) for found in folder.glob("images/*")]
        raise ValueError(f"there is no picture {name}; {suggestion(name, there) if there else 'put it into images/'}")
    if ending != DRAWN_ENDING:
        _require_head(path, name, path.stat().st_mtime_ns)
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the system knows, or a folder that may not be looked into
        return False


def require_title(picture: ProsePicture) -> None:
    """Raises ValueError, as `what; what to do`, where the title of a picture in prose is none."""
    if read_picture_title(picture.title).is_decorative and picture.alt.strip():
        what = f"the picture {picture.path} is marked as decorative and described all the same"
        raise ValueError(f"{what}; empty its brackets, or take the mark out")


def location_of(name: str, tree: object) -> Location:
    """The keys that lead to a picture's name in front matter; none where it is not there."""
    branches = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in branches:
        if branch == name:
            return (key,)
        if below := location_of(name, branch):
            return (key, *below)
    return ()


@lru_cache(maxsize=256)
def _require_head(path: Path, name: str, _modified_ns: int) -> None:
    """Raises ValueError for a file that is not what its name says; `_modified_ns` makes an edited one a new one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its size is judged below
            with Image.open(path, formats=[PHOTOGRAPHED_FORMATS[path.suffix.lower()]]) as picture:
                width, height = picture.size
                picture.verify()
    except Image.DecompressionBombError as err:
        raise ValueError(f"the picture {name} is too large to be opened; export it at most 4,000 pixels wide") from err
    except DECODING_FAULTS as err:
        what = f"the picture {name} is damaged or of another kind than its name says"
        raise ValueError(f"{what}; export it again") from err
    if width * height > MOST_PIXELS:
        what = f"the picture {name} is too large to be opened: {width:,} × {height:,} pixels"
        raise ValueError(f"{what}; export it at most 4,000 pixels wide")
