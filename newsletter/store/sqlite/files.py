"""The database file and its copies. Only their owner can read them, and a copy is written completely or not at all."""

import fcntl
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from stat import S_IMODE

from newsletter.errors import StoreError
from newsletter.store.sqlite.connection import APPLICATION_ID
from newsletter.store.sqlite.failures import BUSY, OTHER_DATABASE, cannot_use, translated, without_locks
from newsletter.system.file_errors import explained

OF_OTHERS = 0o077  # the permissions of the group and of everyone else
# The suffixes of the files that belong to a database. SQLite gives its own files the permissions of the database.
_BESIDE = ("", "-wal", "-shm", "-journal", ".runners", ".replies")
KEPT_COPIES = 3  # how many of the copies made by migrations are kept
_PAGES_AT_ONCE = 2000
_POLL_SECONDS = 0.02
_ID_PLACE = slice(68, 72)  # the application id in the header (https://www.sqlite.org/fileformat2.html)


def make_private_file(path: Path) -> None:
    """Create the file if it does not exist. Raise StoreError if that is impossible."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise cannot_use(
                path, "it is a folder", "add a file name to url under [database] in newsletter.toml"
            ) from None
    except OSError as err:
        raise StoreError(str(explained(err, path, elsewhere=OTHER_DATABASE))) from err


def keep_private(path: Path) -> None:
    """Remove the permissions of everyone but the owner from the database and the files beside it.

    An earlier umask, a copy or a backup may have left them open to others. Files of another owner are not changed.
    """
    database = path.resolve()  # if `path` is a link, the files are beside the file that it points to
    for suffix in _BESIDE:
        each = database.with_name(f"{database.name}{suffix}")
        with suppress(OSError):  # the file does not exist, or its disk does not support permissions
            found = each.stat()
            if found.st_uid == os.geteuid() and found.st_mode & OF_OTHERS:
                each.chmod(S_IMODE(found.st_mode) & ~OF_OTHERS)


@contextmanager
def locked_file(path: Path, database: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold a lock of the operating system on a file beside the database. Create the file and its folder if needed.

    Wait for it as for SQLite's own locks. Raise StoreError if another process holds it for too long, and MachineError
    if the drive has no locks. The file is open for writing, because network drives lock no other files.
    """
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as err:
        raise StoreError(str(explained(err, path, elsewhere=OTHER_DATABASE))) from err
    try:
        ends_at = time.monotonic() + wait_seconds
        while not _is_locked(descriptor, path):
            if time.monotonic() > ends_at:
                raise cannot_use(database, *BUSY)
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int, path: Path) -> bool:
    """Lock a file, unless another process has. Return whether that succeeded."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as err:
        raise without_locks(path) from err
    return True


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield the path of a private file to write. If the block succeeds, the file is renamed to `path`.

    Raise StoreError if `path` already exists or cannot be written. In that case, no file is left behind.
    """
    try:
        _require_free(path)
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
        fault = explained(err, path)
        raise StoreError(f"{fault.what}, so nothing was changed; {fault.remedy}") from err


def unchanged(path: Path) -> str:
    """Return the URI for opening the file without changing anything.

    Reading through a WAL creates files beside the database. The WAL is therefore only used if it already exists.
    Otherwise the file is opened as immutable.
    """
    is_in_use = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?{'mode=ro' if is_in_use else 'immutable=1'}"


def copy_pages(
    source: Path,
    target: Path,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    changes_source: bool = True,
) -> None:
    """Copy a snapshot of the data into an empty file. Others can continue to write.

    `on_progress` is called with the number of pages copied and the total. SQLite's backup starts again if the data
    changes between two of its steps. The source connection therefore holds a snapshot, which prevents that. Unless it
    `changes_source`, no byte of the source and of the files beside it is written, not even to tidy up its WAL.
    """
    # `readonly_shm` is for the index beside the WAL, which SQLite would otherwise write again after a crash.
    uri = f"{source.absolute().as_uri()}?mode=rw" if changes_source else f"{unchanged(source)}&readonly_shm=1"
    with translated(source):
        reading = sqlite3.connect(uri, uri=True, isolation_level=None)
    writing = sqlite3.connect(target, isolation_level=None)
    try:
        with translated(source):
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        # No journal is needed: the file is only used once it has its name, and it is synced to disk before that.
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            writing.execute(f"PRAGMA {pragma}")
        reading.backup(
            writing, pages=_PAGES_AT_ONCE, progress=lambda _status, left, total: on_progress(total - left, total)
        )
        writing.execute("PRAGMA journal_mode = DELETE")  # so that the copy is a single file, without a WAL beside it
    finally:
        writing.close()
        reading.close()


def copy_before_migration(path: Path, first: int) -> Path:
    """Copy the database to a file beside it before migration number `first`. Return the path of the copy.

    The caller must hold the write lock. Raise StoreError if there is not enough space.
    """
    stem = f"{path.stem}-before-{first:04}-{datetime.now(UTC):%Y%m%d}"
    names = (f"{stem}{f'-{number}' if number else ''}{path.suffix}" for number in count())
    copy = next(free for name in names if not os.path.lexists(free := path.resolve().with_name(name)))
    with new_file(copy) as partial:
        copy_pages(path, partial)
    return copy


def drop_old_copies(path: Path) -> None:
    """Delete all but the newest copies that migrations made of this database. Touch no other file."""
    for each in copies_of(path)[:-KEPT_COPIES]:
        each.unlink(missing_ok=True)


def copies_of(path: Path) -> list[Path]:
    """Return the copies that migrations made of this database, the oldest first."""
    pattern = re.compile(rf"{re.escape(path.stem)}-before-(\d{{4}})-(\d{{8}})(?:-(\d+))?{re.escape(path.suffix)}")
    found = [
        (match[1], match[2], int(match[3] or 0), each)
        for each in path.resolve().parent.iterdir()
        if (match := pattern.fullmatch(each.name)) and _is_ours(each)
    ]
    return [each for *_, each in sorted(found)]


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(_ID_PLACE.stop)[_ID_PLACE] == APPLICATION_ID.to_bytes(4, "big")


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreError(f"{path} already exists; choose another file name, or move that file to another folder")


def _give_name(partial: Path, path: Path) -> None:
    """Give a finished file its name, without replacing a file that someone has created under that name meanwhile."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        _require_free(path)
    except OSError:  # the disk does not support hard links
        _require_free(path)
        partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
