"""Pictures of an issue: found inside its folder, and really pictures."""

from functools import lru_cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from newsletter.model.mistakes import suggestion

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF"}


def find_picture(folder: Path, name: str) -> Path:
    """The file of a picture that an issue names, relative to the issue's folder.

    Raises ValueError, as `what; what to do`, where it is missing, outside the issue, or not a picture.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"the picture {name} is outside the issue; copy it into images/")
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"{name} is not a picture that every mail program shows; use PNG, JPEG or GIF")
    if not path.is_file():
        there = [str(found.relative_to(folder)) for found in folder.glob("images/*")]
        raise ValueError(f"there is no picture {name}; {suggestion(name, there) if there else 'put it into images/'}")
    if not _is_sound(path, path.stat().st_mtime_ns):
        raise ValueError(f"the picture {name} is damaged or of another kind than its name says; export it again")
    return path


@lru_cache(maxsize=256)
def _is_sound(path: Path, _modified_ns: int) -> bool:
    """Whether a file is a picture of the kind that its name says; `_modified_ns` makes an edited one a new one."""
    try:
        with Image.open(path, formats=[_FORMATS[path.suffix.lower()]]) as picture:
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return False
    return True
