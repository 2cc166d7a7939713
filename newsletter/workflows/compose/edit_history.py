"""Keep the earlier content of files that were edited in the studio, so that edits can be undone.

The texts are in `build/.edits/` of the workspace, which only its owner can read and Git does not see. There is one
folder per file, with one numbered file per step. The oldest steps are deleted when there are too many.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.system.file_errors import explained
from newsletter.system.files import PRIVATE, write_whole
from newsletter.workflows.compose.compose import BUILD_FOLDER

HISTORY_FOLDER = ".edits"
_MOST_STEPS = 50  # per file
_MOST_BYTES = 20_000_000  # of all files


class EditStep(Struct, frozen=True, kw_only=True):
    """One edit: the content before it, and the fingerprint of the content after it."""

    before: bytes
    after: str


def remember_step(config: Config, shown: str, step: EditStep) -> Path:
    """Save a step of the file `shown`. Return its path. Raise InputError if it cannot be saved."""
    root, folder = _root(config), _folder(config, shown)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        write_whole(root / ".gitignore", b"*\n")
        with _turn_in(folder):
            number = max((int(path.stem) for path in _steps(folder)), default=0) + 1
            path = folder / f"{number:08}.step"
            write_whole(path, msgspec.msgpack.encode(step), permissions=PRIVATE)
    except OSError as err:
        raise InputError(f"{explained(err, folder, elsewhere='')}. Nothing was changed") from err
    _forget_oldest(root, folder)
    return path


def last_step(config: Config, shown: str) -> tuple[Path, EditStep] | None:
    """Return the last step of a file that can still be read, with its path, or None."""
    for path in reversed(_steps(_folder(config, shown))):
        with suppress(OSError, msgspec.MsgspecError):
            return path, msgspec.msgpack.decode(path.read_bytes(), type=EditStep)
    return None


def count_steps(config: Config, shown: str) -> int:
    """Return how many edits of a file can be undone."""
    return len(_steps(_folder(config, shown)))


def forget_step(path: Path) -> None:
    """Delete a step, because it was undone or never happened."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _root(config: Config) -> Path:
    return config.root / BUILD_FOLDER / HISTORY_FOLDER


def _folder(config: Config, shown: str) -> Path:
    return _root(config) / blake2b(shown.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def _steps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.step") if path.stem.isdigit())


@contextmanager
def _turn_in(folder: Path) -> Iterator[None]:
    """Let one writer at a time number its step. Two with one number would delete each other's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which ends the turn


def _forget_oldest(root: Path, folder: Path) -> None:
    for path in _steps(folder)[:-_MOST_STEPS]:
        forget_step(path)
    steps = list[tuple[int, int, Path]]()
    for path in root.glob("*/*.step"):
        with suppress(OSError):  # another writer has deleted it
            facts = path.stat()
            steps.append((facts.st_mtime_ns, facts.st_size, path))
    steps.sort()
    surplus = sum(size for _, size, _ in steps) - _MOST_BYTES
    for _, size, path in steps[:-1]:
        if surplus <= 0:
            return
        forget_step(path)
        surplus -= size
