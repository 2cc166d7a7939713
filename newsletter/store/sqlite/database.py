"""The database file: opening it, and the only transactions there are on it."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from newsletter.store.connections import ThreadConnections
from newsletter.store.database import Runner
from newsletter.store.sqlite.dialect import OLDEST_SQLITE, SqliteConnection, prepare_connection
from newsletter.store.sqlite.failures import cannot_use, translated
from newsletter.store.sqlite.migrations import migrate
from newsletter.store.sqlite.runners import hold_runner, is_alive


class SqliteDatabase:
    """An open database file; each thread gets a connection of its own.

    `read` and the transactions raise StoreError where the file cannot be used.
    """

    def __init__(self, path: Path, *, wait_seconds: float) -> None:
        self.path = path
        self._connections = ThreadConnections(lambda: _connect(path, wait_seconds=wait_seconds))
        self._writing = threading.RLock()  # threads queue here rather than poll SQLite's lock

    def __enter__(self) -> "SqliteDatabase":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections of all threads; none of them may be in use."""
        self._connections.close()

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """A connection that sees one state of the data until the block ends; inside a transaction, its own."""
        with translated(self.path):
            connection = self._connections.mine()
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                _roll_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[SqliteConnection]:
        """A connection whose changes are kept when the block ends well, and dropped when it raises.

        The write lock is held from the start. Nothing else in the product commits, but the migrations at the opening.
        """
        with self._writing, translated(self.path):
            connection = self._connections.mine()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def shared_transaction(self) -> AbstractContextManager[SqliteConnection]:
        """The same as `transaction`: SQLite has one writer at a time."""
        return self.transaction()

    def runner(self) -> AbstractContextManager[Runner]:
        """A runner to claim chunks with, alive while the block lasts."""
        return hold_runner(self._runners)

    def alive(self, runner_id: str) -> bool:
        """Whether the runner's block, in whichever process, still lasts."""
        return is_alive(self._runners, runner_id)

    @property
    def _runners(self) -> Path:
        path = self.path.resolve()  # whoever reaches the file by a link must find the same runners
        return path.with_name(f"{path.name}.runners")


def open_sqlite(path: Path, *, wait_seconds: float) -> SqliteDatabase:
    """Opens the file, first making or migrating it where needed.

    `wait_seconds` is how long a step waits while another program writes. Raises StoreError where it cannot be used.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise cannot_use(
            path,
            f"SQLite {sqlite3.sqlite_version} is too old for it",
            f"use a Python that has SQLite {oldest} or newer",
        )
    _make_private_file(path)
    with translated(path):
        connection = _connect(path, wait_seconds=wait_seconds)
        try:
            migrate(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    return SqliteDatabase(path, wait_seconds=wait_seconds)


def _make_private_file(path: Path) -> None:
    """Makes the file, readable by its owner alone, where there is none; it will hold people's addresses."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise cannot_use(path, "it is a folder", "check [database] url in newsletter.toml") from None
    except (FileNotFoundError, NotADirectoryError) as err:
        raise cannot_use(path, "its folder does not exist", "make the folder, or correct [database] url") from err
    except OSError as err:
        raise cannot_use(path, f"it cannot be made ({err.strerror})", "check the permissions of its folder") from err


def _connect(path: Path, *, wait_seconds: float) -> SqliteConnection:
    # The file is there by now: were it moved away meanwhile, an empty one must not take its place.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    # Closed by another thread than its own, hence check_same_thread; used by its own alone.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=SqliteConnection)
    prepare_connection(connection, wait_seconds=wait_seconds)
    return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    """Ends the transaction, unless SQLite has already ended it, as it does when the disk is full."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
