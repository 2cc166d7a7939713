"""A copy of all data in a temporary file, on which anything can be tried. The data itself is not changed."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.store.backup import Progress, copy_files, copy_rows
from newsletter.store.opening import open_database
from newsletter.store.sqlite.engine import SqliteDatabase, open_sqlite
from newsletter.store.sqlite.failures import translated
from newsletter.store.sqlite.files import copy_pages
from newsletter.system.file_errors import explained

_FILE = "newsletter.db"
_PAST = ("event", "event_total", "reaction", "post")
_WORTH_PACKING = 0.2  # the part of the file that is free


@contextmanager
def scratch_copy(
    location: Path | str, *, workspace: Path, on_progress: Progress = lambda _done: None
) -> Iterator[SqliteDatabase]:
    """Yield a private copy of the database at a location, migrated to this version. It is deleted at the end.

    A SQLite file is copied without changing a byte of it, or of the files beside it. Raise StoreError if the database
    cannot be read, or if there is no room for the copy.
    """
    with _scratch_folder() as folder:
        path = folder / _FILE
        if isinstance(location, Path) and location.with_name(f"{location.name}-shm").exists():  # while it is in use
            with translated(path):
                copy_pages(
                    location,
                    path,
                    on_progress=lambda done, total: on_progress(done / max(1, total)),
                    changes_source=False,
                )
        elif isinstance(location, Path):
            path = copy_files(location, folder)
        else:
            with (
                open_database(location, workspace=workspace) as source,
                _opened(path) as target,
                source.read() as read,
                target.transaction() as written,
            ):
                copy_rows(read, written, written.table_columns(), on_progress=on_progress)
        with _opened(path) as database:
            yield database


def forget_past(database: SqliteDatabase) -> None:
    """Delete what came back about earlier emails from a scratch database if it is large, so that forks are small."""
    with database.transaction() as connection:
        for table in _PAST:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    with sqlite3.connect(database.path) as file:
        (free,), (pages,) = (file.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count"))
        if free > pages * _WORTH_PACKING:
            file.execute("PRAGMA synchronous = OFF")
            file.execute("VACUUM")
    file.close()


@contextmanager
def fork(database: SqliteDatabase, *, logs: Iterable[Path] = ()) -> Iterator[SqliteDatabase]:
    """Yield a copy of a scratch database as it is on disk now, as if its processes had been killed.

    `logs` are the reply logs that they leave. The copy is deleted at the end.
    """
    with _scratch_folder() as folder:
        with translated(folder / _FILE):
            copy_pages(database.path, folder / _FILE)
        with _opened(folder / _FILE) as copy:
            copy.replies.mkdir(mode=0o700)
            for log in logs:
                shutil.copyfile(log, copy.replies / log.name)
            yield copy


def _opened(path: Path) -> SqliteDatabase:
    return open_sqlite(path, wait_seconds=30, is_durable=False)


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Yield a folder that only its owner can read."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="newsletter-rehearsal-")
    except OSError as err:
        raise StoreError(str(explained(err, Path(tempfile.gettempdir())))) from err
    with folder as name:
        yield Path(name)
