"""Write all data into one file, a backup, and read such a file.

A backup is a SQLite file even if the data is on PostgreSQL, because both engines have the same tables.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.store.database import Connection, Database
from newsletter.store.sqlite.connection import APPLICATION_ID, BACKUP_ID
from newsletter.store.sqlite.engine import SqliteDatabase, is_wal, open_sqlite
from newsletter.store.sqlite.failures import cannot_use, translated
from newsletter.store.sqlite.files import copy_pages, new_file
from newsletter.system.file_errors import explained
from newsletter.system.moments import moment_of, text_of

ROWS_AT_ONCE = 10_000
Progress = Callable[[float], None]  # called with the fraction that is done, from 0 to 1


def back_up(database: Database, path: Path, *, now: datetime, on_progress: Progress) -> None:
    """Write a snapshot of all data into a new private file. Other programs can keep working meanwhile.

    Raise StoreError if the file already exists or cannot be written. No partial file is left behind.
    """
    with new_file(path) as partial:
        if isinstance(database, SqliteDatabase):
            copy_pages(database.path, partial, on_progress=lambda done, total: on_progress(done / max(1, total)))
        else:
            with (
                open_sqlite(partial, wait_seconds=0) as target,
                database.read() as source,
                target.transaction() as written,
            ):
                copy_rows(source, written, written.table_columns(), on_progress=on_progress)
        with _plainly(partial) as file:
            file.execute("CREATE TABLE backup (made_at TEXT NOT NULL) STRICT")
            file.execute("INSERT INTO backup VALUES (?)", (text_of(now),))
            file.execute(f"PRAGMA application_id = {BACKUP_ID}")


@contextmanager
def opened_backup(path: Path) -> Iterator[tuple[SqliteDatabase, datetime]]:
    """Yield a copy of a backup, migrated to this version, and the time when the backup was made."""
    if not path.is_file():
        raise StoreError(f"there is no file {path}; write the path of a file that `newsletter backup` saved")
    with tempfile.TemporaryDirectory(prefix="newsletter-restore-") as folder:
        copy = copy_files(path, Path(folder))
        with translated(path), _readable(path), _plainly(copy) as file:
            made_at = _made_at(file, path)
            file.execute("DROP TABLE IF EXISTS backup")
            file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        try:
            database = open_sqlite(copy, wait_seconds=0)
        except StoreError as err:  # for example, a newer version wrote it
            raise StoreError(str(err).replace(str(copy), str(path))) from err
        with database:
            yield database, made_at


def copy_rows(
    source: Connection, target: Connection, columns: Mapping[str, tuple[str, ...]], *, on_progress: Progress
) -> None:
    """Copy all tables, ordered by name. In this order, every table comes after the tables that it refers to."""
    for number, (table, names) in enumerate(columns.items(), start=1):
        copy_table(source, target, table, names)
        on_progress(number / len(columns))
    target.raise_last_ids(source.last_ids())


def copy_table(
    source: Connection, target: Connection, table: str, names: tuple[str, ...], *, condition: str = "TRUE"
) -> None:
    """Copy the rows of a table that meet the condition. The condition is trusted SQL."""
    query = f"SELECT {', '.join(names)} FROM {table} WHERE {condition}"  # noqa: S608 - our own names
    for page in source.pages(query, ROWS_AT_ONCE):
        target.load_columns(table, dict(zip(names, zip(*page, strict=True), strict=True)), {})


def copy_files(path: Path, folder: Path) -> Path:
    """Copy a database that no one uses and the files beside it, so that SQLite finds the same state as there."""
    copy = folder / path.resolve().name
    try:
        shutil.copyfile(path, copy)
        for each in _beside(path):
            with suppress(FileNotFoundError):
                shutil.copyfile(each, folder / each.name)
    except OSError as err:
        elsewhere = f"set the TMPDIR environment variable to a folder other than {folder.parent}"
        raise StoreError(str(explained(err, path, deed="copied", elsewhere=elsewhere))) from err
    return copy


def _beside(path: Path) -> list[Path]:
    """Return SQLite's own files that belong to a database file, if there are any.

    A WAL contains the latest changes of a database in use. A rollback journal is left behind by a program that died
    while it was writing. SQLite uses it to undo the unfinished changes.
    """
    database = path.resolve()  # if `path` is a link, the files are beside the file that it points to
    suffixes = ("-journal", "-wal") if is_wal(path) else ("-journal",)
    return [each for suffix in suffixes if (each := database.with_name(f"{database.name}{suffix}")).is_file()]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise StoreError if SQLite cannot read the backup file."""
    try:
        yield
    except sqlite3.DatabaseError as err:
        if err.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            raise _no_backup(path) from err
        if err.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT:
            raise _damaged(path) from err
        raise


def _no_backup(path: Path) -> StoreError:
    return cannot_use(path, "it is not a newsletter backup", "write the path of a file that `newsletter backup` saved")


def _damaged(path: Path) -> StoreError:
    return cannot_use(path, "it is damaged", "restore an older backup")


def _made_at(file: sqlite3.Connection, path: Path) -> datetime:
    (application,) = file.execute("PRAGMA application_id").fetchone()
    if application not in {APPLICATION_ID, BACKUP_ID}:
        raise _no_backup(path)
    if file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _damaged(path)
    if application == APPLICATION_ID:  # a copy made by a migration or by hand, which does not record its time
        latest = max(each.stat().st_mtime for each in (path, *_beside(path)))
        return datetime.fromtimestamp(latest, UTC).replace(microsecond=0)
    (text,) = file.execute("SELECT made_at FROM backup").fetchone()
    return moment_of(text)


@contextmanager
def _plainly(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a file. The connection leaves no other files beside it."""
    file = sqlite3.connect(path, isolation_level=None)
    try:
        file.execute("PRAGMA journal_mode = DELETE")
        yield file
    finally:
        file.close()
