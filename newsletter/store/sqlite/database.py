"""The database file: opening it, and the only transactions there are on it."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from newsletter.store.connections import ThreadConnections
from newsletter.store.database import Answer, Part, Runner
from newsletter.store.sqlite.dialect import OLDEST_SQLITE, SqliteConnection, prepare_connection, without_wal
from newsletter.store.sqlite.failures import cannot_use, translated
from newsletter.store.sqlite.migrations import migrate
from newsletter.store.sqlite.parts import ask_in_parts
from newsletter.store.sqlite.privacy import keep_private, make_private_file
from newsletter.store.sqlite.runners import hold_runner, is_alive

_LONGEST_MAP = 1 << 40  # bytes; SQLite itself maps no more than it was built for


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
    def scan(self) -> Iterator[SqliteConnection]:
        """As `read`, with the file mapped into memory: to copy every page would take a third of the time."""
        with self.read() as connection:
            connection.execute(f"PRAGMA mmap_size = {_LONGEST_MAP}")
            try:
                yield connection
            finally:
                connection.execute("PRAGMA mmap_size = 0")

    def ask_in_parts(self, ask: Callable[[SqliteConnection, Part | None], Answer]) -> list[Answer]:
        """What is answered about each part of the list, by a thread for each where the list is long."""
        with translated(self.path):
            return ask_in_parts(self._connections.mine(), self.scan, ask)

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

    @contextmanager
    def filling_transaction(self) -> Iterator[SqliteConnection]:
        """A transaction whose rows are written once, straight into the file, where nobody else has it open.

        By way of the WAL they would be written twice, which costs a million of them half as much time again. Whoever
        opens the file meanwhile waits. What a crash leaves half written, SQLite takes back at the next opening.
        """
        with (
            self._writing,
            translated(self.path),
            without_wal(self._connections.mine()),
            self.transaction() as connection,
        ):
            yield connection

    def runner(self) -> AbstractContextManager[Runner]:
        """A runner to claim chunks with, alive while the block lasts."""
        return hold_runner(self._runners)

    def alive(self, runner_id: str) -> bool:
        """Whether the runner's block, in whichever process, still lasts."""
        return is_alive(self._runners, runner_id)

    def scrub(self) -> bool:
        """Empties the WAL, which still holds pages as they were; whether no other program kept it from being emptied.

        The file itself holds nothing of what was deleted: every connection overwrites it.
        """
        with self._writing, translated(self.path):
            is_busy, _, _ = self._connections.mine().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    @property
    def _runners(self) -> Path:
        path = self.path.resolve()  # whoever reaches the file by a link must find the same runners
        return path.with_name(f"{path.name}.runners")


def open_sqlite(path: Path, *, wait_seconds: float, on_copy: Callable[[str], None] = lambda _: None) -> SqliteDatabase:
    """Open the file, first making or migrating it where needed; `on_copy` hears which copy a migration made.

    `wait_seconds` is how long a step waits while another program writes. Raise StoreError where it cannot be used.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise cannot_use(
            path,
            f"SQLite {sqlite3.sqlite_version} is too old for it",
            f"use a Python that has SQLite {oldest} or newer",
        )
    make_private_file(path)
    with translated(path):
        connection = _connect(path, wait_seconds=wait_seconds)
        try:
            copy = migrate(connection, path)
            keep_private(path)  # not before: it might be another program's
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    if copy is not None:
        on_copy(str(copy))
    return SqliteDatabase(path, wait_seconds=wait_seconds)


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
