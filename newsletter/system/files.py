"""Write files and folders whole or not at all: a reader sees the old one or the new one, never half of either."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, TextIO

from newsletter.errors import InputError

PRIVATE, SHARED = 0o600, 0o666  # permissions of a new file, before the umask takes some away


def write_whole(path: Path, content: bytes, *, permissions: int = SHARED) -> None:
    """Write a file that takes the place of an earlier one. Raise OSError where it cannot be written."""
    with _draft_of(path, permissions) as file:
        file.write(content)


def write_shared(path: Path, content: bytes) -> None:
    """Write a file that a person asked for, in the place of an earlier one.

    Raise InputError where it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as err:
        raise _cannot_write(path, err) from err


@contextmanager
def private_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Open a UTF-8 file for CSV that only its owner can read; it appears when the block ends well.

    Raise InputError where it cannot be written, or exists and must not be overwritten. That is checked before the block
    begins, and again at its end, since writing a million subscribers takes a while.
    """
    _require_free(path, overwrite=overwrite)
    try:
        with _draft_of(path, PRIVATE) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            yield text
            _require_free(path, overwrite=overwrite)
    except OSError as err:
        raise _cannot_write(path, err) from err


@contextmanager
def whole_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill, which gets the name `path` when the block ends well.

    Where the old folder cannot be replaced, it stays. Raise OSError where something cannot be written.
    """
    staging = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    new, old = staging / "new", staging / "old"
    try:
        new.mkdir()
        yield new
        if overwrite and path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def synchronize(folder: Path) -> None:
    """Wait until the folder's entries are on the disk, on systems that can open folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft_of(path: Path, permissions: int) -> Iterator[BinaryIO]:
    """Yield a hidden file beside `path`, which gets its name when the block ends well."""
    draft = path.with_name(f".{path.name}-{token_hex(4)}")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, permissions)) as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _require_free(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path}: it is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; name another file, or add --force")


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror}); check the folder and its permissions")
