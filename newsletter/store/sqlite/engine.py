"""The SQLite implementation of `Database`, and the functions that open or examine a file."""

import fcntl
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from stat import S_IMODE, filemode
from types import TracebackType

from newsletter.errors import StoreError
from newsletter.model.broadcast import mailing_id_of
from newsletter.store.connections import ThreadConnections
from newsletter.store.database import MAILINGS, SERVICE_KEYS, Answer, DatabaseFacts, ListPart, Runner
from newsletter.store.sqlite.connection import OLDEST_SQLITE, SqliteConnection, prepare_connection, without_wal
from newsletter.store.sqlite.failures import OTHER_DATABASE, cannot_use, translated, without_locks
from newsletter.store.sqlite.files import OF_OTHERS, keep_private, locked_file, make_private_file, unchanged
from newsletter.store.sqlite.migrations import migrate, newest_version, version_of
from newsletter.store.sqlite.parts import ask_in_parts
from newsletter.system.file_errors import explained

_INTERPRETING = "interpreting.lock"
_MOST_DAMAGES = 5
_WAL_MARK = b"\x02\x02"  # bytes 18 and 19 of the header (https://www.sqlite.org/fileformat2.html)
_LONGEST_MAP = 1 << 40  # bytes; SQLite reduces this to the maximum that it was built with


class SqliteDatabase:
    """An open database file. Each thread gets its own connection.

    `read` and the transactions raise StoreError if the file cannot be used.
    """

    def __init__(self, path: Path, *, wait_seconds: float, is_durable: bool = True) -> None:
        self.path = path
        self._wait_seconds = wait_seconds
        self._connections = ThreadConnections(lambda: _connect(path, wait_seconds=wait_seconds, is_durable=is_durable))
        self._writing = threading.RLock()  # threads wait here, because waiting for SQLite's own lock means polling

    def __enter__(self) -> "SqliteDatabase":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads. None of them may be in use."""
        self._connections.close()

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """Yield a connection that sees the same state of the data until the block ends.

        Inside a transaction, yield the transaction's own connection.
        """
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
        """Yield a connection as `read` does, with the file mapped into memory. This saves a third of the time."""
        with self.read() as connection:
            connection.execute(f"PRAGMA mmap_size = {_LONGEST_MAP}")
            try:
                yield connection
            finally:
                connection.execute("PRAGMA mmap_size = 0")

    def ask_in_parts(self, ask: Callable[[SqliteConnection, ListPart | None], Answer]) -> list[Answer]:
        """Call `ask` for each part of the list and return the answers. If the list is long, use one thread per part."""
        with translated(self.path):
            return ask_in_parts(self._connections.mine(), self.scan, ask)

    @contextmanager
    def transaction(self) -> Iterator[SqliteConnection]:
        """Yield a connection. Commit its changes if the block succeeds, and roll them back if it raises.

        The write lock is held from the start. Only this function, and the migrations when a file is opened, commit.
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
        """Do the same as `transaction`, because SQLite has only one writer at a time."""
        return self.transaction()

    @contextmanager
    def filling_transaction(self) -> Iterator[SqliteConnection]:
        """Yield a transaction that writes its rows directly into the file, if no one else has it open.

        With a WAL, all rows are written twice, and inserting a million of them takes 50% longer. Other programs
        that open the file meanwhile have to wait. After a crash, SQLite rolls back when the file is next opened.
        """
        with (
            self._writing,
            translated(self.path),
            without_wal(self._connections.mine()),
            self.transaction() as connection,
        ):
            yield connection

    def runner(self) -> AbstractContextManager[Runner]:
        """Yield a runner to claim chunks with. It is alive until the block ends."""
        return _hold_runner(self._runners)

    def alive(self, runner_id: str) -> bool:
        """Return whether the runner is still alive, in any process."""
        return _is_alive(self._runners, runner_id)

    def interpreting(self) -> AbstractContextManager[None]:
        """Wait until no other process interprets posts, and keep them from it until the block ends."""
        return locked_file(self._runners / _INTERPRETING, self.path, wait_seconds=self._wait_seconds)

    def scrub(self) -> bool:
        """Empty the WAL, which still contains old pages. Return False if another program prevented it.

        The file itself contains no deleted data, because every connection overwrites what it deletes.
        """
        with self._writing, translated(self.path):
            is_busy, _, _ = self._connections.mine().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    @property
    def replies(self) -> Path:
        """The folder of the reply logs, beside the file."""
        return self._beside(".replies")

    @property
    def _runners(self) -> Path:
        return self._beside(".runners")

    def _beside(self, suffix: str) -> Path:
        path = self.path.resolve()  # a process that opens the file through a link must find the same folders
        return path.with_name(f"{path.name}{suffix}")


def open_sqlite(
    path: Path,
    *,
    wait_seconds: float,
    on_copy: Callable[[str], None] = lambda _: None,
    is_durable: bool = True,
) -> SqliteDatabase:
    """Open the file. Create or migrate it first if needed.

    `on_copy` is called with the path of the copy that a migration made. `wait_seconds` is how long a step waits while
    another program writes. If the file `is_durable`, each commit waits for the disk. Raise StoreError if the file
    cannot be used.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise cannot_use(
            path,
            f"SQLite {sqlite3.sqlite_version} is too old",
            f"use a Python that has SQLite {oldest} or newer",
        )
    make_private_file(path)
    with translated(path):
        connection = _connect(path, wait_seconds=wait_seconds)
        try:
            copy = migrate(connection, path)
            keep_private(path)  # only now, because before the check the file might have been another program's
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    if copy is not None:
        on_copy(str(copy))
    return SqliteDatabase(path, wait_seconds=wait_seconds, is_durable=is_durable)


def examine_sqlite(path: Path) -> DatabaseFacts:
    """Return the version of the schema, the damage that SQLite finds, and other facts about a file.

    Raise StoreError if the file does not exist, belongs to another program, or cannot be read.
    """
    if not path.is_file():
        raise cannot_use(path, "this file does not exist", OTHER_DATABASE)
    with translated(path):
        connection = sqlite3.connect(unchanged(path), uri=True)
        try:
            schema = version_of(connection, path)
            checked = connection.execute(f"PRAGMA quick_check({_MOST_DAMAGES})").fetchall()
            is_sound = checked == [("ok",)]
            broadcasts = connection.execute(MAILINGS).fetchall() if schema and is_sound else []
            is_current = is_sound and schema == newest_version()
            keys = connection.execute(SERVICE_KEYS).fetchall() if is_current else []
        finally:
            connection.close()
    found = path.stat()
    return DatabaseFacts(
        engine=f"SQLite {sqlite3.sqlite_version}",
        schema=schema,
        newest_schema=newest_version(),
        damages=tuple(words for (words,) in checked if words != "ok"),
        open_to=filemode(found.st_mode) if S_IMODE(found.st_mode) & OF_OTHERS else "",
        journal="wal" if is_wal(path) else "rollback",
        size_bytes=found.st_size,
        mailings=frozenset(mailing_id_of(number, nonce) for number, nonce in broadcasts),
        service_key=next((bytes(key) for (key,) in keys), None),
    )


def is_wal(path: Path) -> bool:
    """Return whether the file uses a WAL. Return False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == _WAL_MARK
    except OSError:
        return False


def _connect(path: Path, *, wait_seconds: float, is_durable: bool = True) -> SqliteConnection:
    # The file exists by now. With mode=rw, SQLite does not create an empty one if it has been moved in the meantime.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    # Only its own thread uses a connection, but another thread may close it, which check_same_thread would forbid.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=SqliteConnection)
    prepare_connection(connection, wait_seconds=wait_seconds)
    if not is_durable:
        connection.execute("PRAGMA synchronous = OFF")
    return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    """Roll back the transaction, unless SQLite has already done so, for example because the disk is full."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def _hold_runner(folder: Path) -> Iterator[Runner]:
    """Yield a new runner that is alive until the block, or the process, ends.

    Each process that sends email holds a lock of the operating system on its own small file beside the database.
    However the process ends, its lock is released, and a chunk that it left inflight is recognized as abandoned. Raise
    StoreError if the folder cannot be written to, or if its drive has no working locks.
    """
    runner = Runner(id=secrets.token_hex(8))
    path = folder / runner.id
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except OSError as err:
        place = Path(err.filename or path)
        raise StoreError(str(explained(err, place, elsewhere=OTHER_DATABASE))) from err
    try:
        _lock(descriptor, path)
        yield runner
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    """Lock a runner's file. Raise StoreError if that fails, or if the lock has no effect, as on some network drives."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_locked = _is_alive(path.parent, path.name)
    except OSError as err:
        raise without_locks(path.parent) from err
    if not is_locked:
        raise without_locks(path.parent)


def _is_alive(folder: Path, runner_id: str) -> bool:
    """Return whether the runner still holds its lock. Remove the file of a runner that died."""
    path = folder / runner_id
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # The lock is shared, so that two processes that check at the same time do not mistake each other for the
        # runner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
