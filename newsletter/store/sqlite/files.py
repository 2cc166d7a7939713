"""The database file and its copies: their owner's alone, and a copy is whole or not there at all."""

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from stat import S_IMODE

from newsletter.errors import StoreError
from newsletter.store.sqlite.connection import APPLICATION_ID
from newsletter.store.sqlite.failures import cannot_use, translated

OF_OTHERS = 0o077  # what the group and everybody else may do
_BESIDE = ("", "-wal", "-shm", "-journal", ".runners")  # SQLite gives its own files the permissions of the database
KEPT_COPIES = 3  # of those that migrations make
_PAGES_AT_ONCE = 2000
_ID_PLACE = slice(68, 72)  # of the application's id in the header (https://www.sqlite.org/fileformat2.html)


def make_private_file(path: Path) -> None:
    """Make the file where there is none; raise StoreError where it can be no file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise cannot_use(path, "it is a folder", "check [database] url in newsletter.toml") from None
    except (FileNotFoundError, NotADirectoryError) as err:
        raise cannot_use(path, "its folder does not exist", "make the folder, or correct [database] url") from err
    except OSError as err:
        raise cannot_use(path, f"it cannot be made ({err.strerror})", "check the permissions of its folder") from err


def keep_private(path: Path) -> None:
    """Take the database, and what stands beside it, from all but its owner.

    One that an earlier umask, a copy or a backup left open to others is closed; what belongs to somebody else stays.
    """
    database = path.resolve()  # whoever reaches it by a link finds the same files beside it
    for suffix in _BESIDE:
        each = database.with_name(f"{database.name}{suffix}")
        with suppress(OSError):  # it is not there, or is on a disk that knows no permissions
            found = each.stat()
            if found.st_uid == os.geteuid() and found.st_mode & OF_OTHERS:
                each.chmod(S_IMODE(found.st_mode) & ~OF_OTHERS)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield the name of a private file to write; it becomes `path` when the block ends well.

    Raise StoreError where `path` is taken or cannot be written. Nothing is left behind then.
    """
    _require_free(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        partial = Path(name)
        try:
            with translated(path):
                yield partial
            os.fsync(descriptor)
            _give_name(partial, path)
        finally:
            os.close(descriptor)
            for suffix in ("", "-journal", "-wal", "-shm"):
                partial.with_name(f"{partial.name}{suffix}").unlink(missing_ok=True)
    except OSError as err:
        remedy = "make room, or check the folder and its permissions; nothing was changed"
        raise cannot_use(path, f"it cannot be written ({err.strerror})", remedy) from err


def copy_pages(
    source: Path, target: Path, *, on_progress: Callable[[int, int], None] = lambda _done, _all: None
) -> None:
    """Copy one state of the data into an empty file, while others go on writing.

    `on_progress` hears how many pages are done, and of how many. SQLite begins again where the data change between two
    steps of its backup, unless the source holds a snapshot; so it does.
    """
    with translated(source):
        reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    writing = sqlite3.connect(target, isolation_level=None)
    try:
        with translated(source):
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        # The file counts once it has its name, and is forced to the disk before: no journal is needed.
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            writing.execute(f"PRAGMA {pragma}")
        reading.backup(
            writing, pages=_PAGES_AT_ONCE, progress=lambda _status, left, total: on_progress(total - left, total)
        )
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, rather than one that wants a WAL beside it
    finally:
        writing.close()
        reading.close()


def copy_before_migration(path: Path, first: int) -> Path:
    """Copy the database beside itself before its `first` new migration. Return the copy.

    The caller holds the write lock. Raise StoreError where there is no room.
    """
    stem = f"{path.stem}-before-{first:04}-{datetime.now(UTC):%Y%m%d}"
    names = (f"{stem}{f'-{number}' if number else ''}{path.suffix}" for number in count())
    copy = next(free for name in names if not os.path.lexists(free := path.resolve().with_name(name)))
    with new_file(copy) as partial:
        copy_pages(path, partial)
    return copy


def drop_old_copies(path: Path) -> None:
    """Delete all but the newest copies that migrations made of this database; no other file is touched."""
    pattern = re.compile(rf"{re.escape(path.stem)}-before-(\d{{4}})-(\d{{8}})(?:-(\d+))?{re.escape(path.suffix)}")
    found = [
        (match[1], match[2], int(match[3] or 0), each)
        for each in path.resolve().parent.iterdir()
        if (match := pattern.fullmatch(each.name)) and _is_ours(each)
    ]
    for *_, each in sorted(found)[:-KEPT_COPIES]:
        each.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(_ID_PLACE.stop)[_ID_PLACE] == APPLICATION_ID.to_bytes(4, "big")


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreError(f"{path}: it exists already; name another file, or move that one away")
    if not path.parent.is_dir():
        raise cannot_use(path, "its folder does not exist", "make the folder, or name another file")


def _give_name(partial: Path, path: Path) -> None:
    """Give a finished file its name, without replacing what somebody has put there meanwhile."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        _require_free(path)
    except OSError:  # a disk that knows no links
        _require_free(path)
        partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
