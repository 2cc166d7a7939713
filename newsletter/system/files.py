"""Writes files and folders completely or not at all: a reader sees the old or the new version, never a part."""

import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, TextIO

from newsletter.errors import FaultError, InputError
from newsletter.system.file_errors import explained

PRIVATE, SHARED = 0o600, 0o666  # permissions of a new file, before the umask is applied


def write_whole(path: Path, content: bytes, *, permissions: int = SHARED) -> None:
    """Write a file, replacing an earlier one. Raise OSError if it cannot be written."""
    with _draft_of(path, permissions) as file:
        file.write(content)


def size_of_file(path: str | Path) -> int:
    """Return the size of a file in bytes.

    Raise FaultError if it is a pipe or a device, because reading it may never end. Raise OSError if there is none.
    """
    facts = os.stat(path)  # noqa: PTH116 - a path as text takes a third of the time
    if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):  # to read a folder fails at once
        raise FaultError("is a pipe or a device, not a file", "put a file in its place")
    return facts.st_size


def content_of_text(path: str, *, most: int) -> bytes:
    """Return the bytes of a text file, of which each rebuild of an email reads about a hundred.

    Raise FaultError if it has more than `most` bytes, or is a pipe or a device. Raise OSError if it cannot be read.
    """
    size = size_of_file(path)
    if size > most:
        what = f"is larger than {most // 1_000_000} MB ({size:,} bytes)"
        raise FaultError(what, "delete text until it is smaller")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, size + 1)
        if len(content) != size:  # it was changed meanwhile, or its file system gives it in parts
            while more := os.read(descriptor, most):
                content += more
    finally:
        os.close(descriptor)
    return content


def write_shared(path: Path, content: bytes) -> None:
    """Write a file that the user asked for, replacing an earlier one.

    Raise InputError if it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as err:
        raise InputError(str(explained(err, path))) from err


@contextmanager
def private_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Open a UTF-8 file for CSV that only its owner can read. It appears when the block ends without an error.

    Raise InputError if it cannot be written, or if it exists and must not be overwritten. Whether it exists is checked
    before the block and again after it, because writing a million subscribers takes a while.
    """
    _require_free(path, overwrite=overwrite)
    try:
        with _draft_of(path, PRIVATE) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            yield text
            _require_free(path, overwrite=overwrite)
    except OSError as err:
        raise InputError(str(explained(err, path))) from err


@contextmanager
def whole_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill, which becomes `path` when the block ends without an error.

    If the old folder cannot be replaced, it stays. Raise OSError if something cannot be written.
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
    """Wait until the folder's entries are on disk, on systems that can open folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft_of(path: Path, permissions: int) -> Iterator[BinaryIO]:
    """Yield a hidden file beside `path`, which becomes `path` when the block ends without an error."""
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
        raise InputError(f"{path} is a folder; add a file name, for example {path / 'list.csv'}")
    if path.exists() and not overwrite:
        raise InputError(f"{path} already exists; write another file name, or add --force to replace the file")
