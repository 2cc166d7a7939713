"""Explains errors of the operating system about files and folders: what is wrong, and what to do."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote

from newsletter.errors import FaultError

_DISK_IS_FULL = ("the disk is full", "free some space and try again")
_TROUBLES = {
    errno.ENOSPC: _DISK_IS_FULL,
    errno.EDQUOT: _DISK_IS_FULL,
    errno.EIO: ("the disk cannot be read or written", "check it, then try again"),
    errno.EBADF: ("the output is closed", "send it to a terminal, a file or a pipe"),
    errno.ENOLCK: ("this file system has no free locks", "move the newsletter folder to a local disk"),
    errno.EOPNOTSUPP: ("this file system does not support locks", "move the newsletter folder to a local disk"),
    errno.ENOMEM: ("there is not enough memory", "close other programs and try again"),
    errno.EMFILE: ("too many files are open", "raise the limit (`ulimit -n`) and try again"),
    errno.ENFILE: ("too many files are open", "close other programs and try again"),
}
_OF_A_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP})
ELSEWHERE = "save to another folder"
_SOMEONE = "ask the person who manages this computer for access to"


def machine_trouble(error: BaseException | None) -> str | None:
    """Return what this machine lacks and what to do, or None if the error has another cause."""
    found = _TROUBLES.get(_number(error) or 0)
    return "; ".join(found) if found else None


def place_trouble(error: BaseException) -> str | None:
    """Return what is wrong with the file or folder that an error names, and what to do.

    Return None if the error has another cause, or is one that this program should have foreseen.
    """
    if not isinstance(error, OSError):
        return None
    if isinstance(error, FileNotFoundError) and not _has_current_folder():
        return "the folder that you are in no longer exists; go to another folder, for example: cd ~"
    if error.errno not in _OF_A_PLACE or not isinstance(error.filename, str):
        return None
    path = Path(error.filename)
    is_unreadable = error.errno in {errno.EACCES, errno.EPERM} and _exists(path) and not os.access(path, os.R_OK)
    return str(explained(error, path, deed="read" if is_unreadable else "saved", elsewhere=""))


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def explained(
    error: OSError,
    path: Path,
    *,
    deed: str = "saved",
    elsewhere: str = ELSEWHERE,
    shown: Callable[[Path], str] = str,
) -> FaultError:
    """Return why something could not be done with the file or folder at `path`, and what to do.

    `deed` is what could not be done: "saved", "read", "deleted" or "copied". `elsewhere` is how to use another
    place, and is empty if there is no choice. `shown` converts a path to the text that the user sees.
    """
    name, folder = shown(path), path.parent
    if found := _TROUBLES.get(_number(error) or 0):
        target = f"files in {_as_folder(path, shown)}" if path.is_dir() else name
        return FaultError(f"{found[0]}, so {target} cannot be {deed}", found[1])
    match error.errno:
        case errno.ENOENT if not _exists(folder):
            what, remedy = f"there is no folder {_as_folder(folder, shown)}", _either("create it", elsewhere)
        case errno.ENOENT:
            what, remedy = f"there is no file {path.name} in {_as_folder(folder, shown)}", "check its name"
        case errno.ENOTDIR | errno.EEXIST:
            file = next((each for each in path.parents if each.is_file()), path)
            what, remedy = f"{shown(file)} is a file, not a folder", _either("give it another name", elsewhere)
        case errno.EISDIR | errno.ENOTEMPTY:
            what, remedy = f"{name} is a folder, not a file", _either("give it another name", elsewhere)
        case errno.EACCES | errno.EPERM if deed == "read":
            what, remedy = f"you do not have permission to read {name}", _allow(path, "r", name)
        case errno.EACCES | errno.EPERM:
            place = path if path.is_dir() else folder
            verb, told = "delete" if deed == "deleted" else "save", _as_folder(place, shown)
            what = f"you do not have permission to {verb} files in {told}"
            remedy = _either(_allow(place, "wx", told), elsewhere)
        case errno.EROFS:
            what = f"{name} is on a read-only disk, so it cannot be {deed}"
            remedy = elsewhere or f"{_SOMEONE} this disk"
        case errno.ENAMETOOLONG:
            what, remedy = f"the name {path.name[:40]}… is too long", "choose a shorter name"
        case _:
            what, remedy = _unknown(error, name, deed), _either("check the file and its folder", elsewhere)
    return FaultError(what, remedy)


def _number(error: BaseException | None) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    return error.errno if isinstance(error, OSError) else None


def _unknown(error: OSError, name: str, deed: str) -> str:
    """Keep the words of the system for an error that is not known here."""
    said = error.strerror or str(error)
    if isinstance(error, shutil.Error) and error.args[0]:  # one entry per file that `copytree` could not copy
        name, _, said = error.args[0][0]
    return f"{name} cannot be {deed} ({said})"


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:  # a folder above it is closed to this user
        return True


def _as_folder(folder: Path, shown: Callable[[Path], str]) -> str:
    """Return the path of a folder with a slash at its end, and the full path of the current folder."""
    text = shown(folder if folder.name else folder.absolute())
    return text if text.endswith("/") else f"{text}/"


def _allow(place: Path, letters: str, told: str) -> str:
    """Return how to get access: by a command if the place is the user's own, otherwise by asking."""
    with suppress(OSError):
        if place.stat().st_uid == os.geteuid():
            return f"run: chmod u+{letters} {quote(told)}"
    return f"{_SOMEONE} {told}"


def _either(remedy: str, other: str) -> str:
    return f"{remedy}, or {other}" if other else remedy
