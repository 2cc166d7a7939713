"""The database on a server: opening it, and the only transactions there are on it."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import TracebackType

import psycopg

from newsletter.store.connections import ThreadConnections
from newsletter.store.database import Answer, DatabaseFacts, ListPart, Runner
from newsletter.store.postgresql.address import Address, read_address
from newsletter.store.postgresql.connection import PostgresConnection, connect
from newsletter.store.postgresql.failures import cannot_use, translated
from newsletter.store.postgresql.migrations import check_server, migrate, newest_version, version_of

# One writer at a time, as on SQLite, or several who change rows of their own. The key, "NLTR" and the number of the
# lock, is of two parts, so that it never meets a runner's, which is of one.
_KEY = f"{0x4E4C5452}, 1"
_ALONE = f"SELECT pg_advisory_xact_lock({_KEY})"
_BESIDE_OTHERS = f"SELECT pg_advisory_xact_lock_shared({_KEY})"

_KEY_BITS = 63  # the key of a runner's lock is a signed number of 64
_RUNNER_ID = re.compile(r"[0-7][0-9a-f]{15}")
_LOOK_SECONDS = 5.0  # that a look at the database waits

# A snapshot is taken by the first statement and kept. Those who write must see what was kept while they waited.
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"


class PostgresDatabase:
    """An open database; each thread gets a connection of its own, and a new one where it was lost.

    `read` and the transactions raise StoreError where the database cannot be used.
    """

    def __init__(self, address: Address, *, wait_seconds: float) -> None:
        self.shown = address.shown
        self._address = address
        self._wait_seconds = wait_seconds
        self._connections = ThreadConnections(self._connect, is_lost=lambda connection: connection.closed)

    def __enter__(self) -> "PostgresDatabase":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads; none of them may be in use."""
        self._connections.close()

    def migrate(self) -> str | None:
        """Make our tables, or bring them to what this version uses. Return the schema that keeps them as they were."""
        with translated(self.shown):
            return migrate(self._connections.mine(), self.shown, lock=_ALONE)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        """Yield a connection that sees one state of the data until the block ends; inside a transaction, its own."""
        with translated(self.shown):
            connection = self._connections.mine()
            if connection.in_transaction:
                yield connection
                return
            connection = self._begin(_READ)
            try:
                yield connection
            finally:
                connection.drop_changes()

    def scan(self) -> AbstractContextManager[PostgresConnection]:
        """Do the same as `read`."""
        return self.read()

    def ask_in_parts(self, ask: Callable[[PostgresConnection, ListPart | None], Answer]) -> list[Answer]:
        """Return what is answered about the whole list: the server itself parts what is worth it."""
        with self.read() as connection:
            return [ask(connection, None)]

    def transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Yield a connection whose changes are kept when the block ends well, and dropped when it raises.

        Nobody else writes until then.
        """
        return self._transaction(_ALONE)

    def shared_transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Yield a transaction beside which other shared ones may run; whoever changes a row here locks it first."""
        return self._transaction(_BESIDE_OTHERS)

    def filling_transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Do the same as `transaction`."""
        return self.transaction()

    def scrub(self) -> bool:
        """Do nothing: rows that were deleted stay in the server's files until it vacuums, and in its WAL."""
        return False

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        """Yield a runner to claim chunks with, alive while the block lasts."""
        with ExitStack() as held:
            with translated(self.shown):
                runner = held.enter_context(_hold_runner(self._connect))
            yield runner

    def alive(self, runner_id: str) -> bool:
        """Return whether the runner's block, in whichever process and on whichever machine, still lasts."""
        with self.read() as connection:
            return _is_alive(connection, runner_id)

    @contextmanager
    def _transaction(self, lock: str) -> Iterator[PostgresConnection]:
        with translated(self.shown):
            connection = self._begin(f"{_WRITE}; {lock}")
            try:
                yield connection
                self._commit(connection)
            except BaseException:
                connection.drop_changes()
                raise

    def _begin(self, statements: str) -> PostgresConnection:
        """Return the thread's connection, in a new transaction; a connection that was lost while idle is replaced."""
        connection = self._connections.mine()
        if connection.in_transaction:
            raise RuntimeError("a transaction within another")
        try:
            return _started(connection, statements)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
        return _started(self._connections.mine(), statements)

    def _commit(self, connection: PostgresConnection) -> None:
        try:
            connection.commit_changes()
        except psycopg.OperationalError as err:
            if not connection.closed:
                raise
            raise cannot_use(
                self.shown,
                "the connection was lost at the end of a step, which may have been kept",
                "look at how things stand, with `newsletter status`, before you repeat it",
            ) from err

    def _connect(self) -> PostgresConnection:
        return connect(self._address, wait_seconds=self._wait_seconds)


def _started(connection: PostgresConnection, statements: str) -> PostgresConnection:
    """Return the connection, in a transaction that these statements began; in none where they fail."""
    try:
        connection.execute(statements)
    except BaseException:
        connection.drop_changes()
        raise
    return connection


def open_postgresql(url: str, *, wait_seconds: float, on_copy: Callable[[str], None]) -> PostgresDatabase:
    """Open the database of a URL, first making or migrating its tables where needed.

    `on_copy` hears in which schema a migration kept the tables as they were. `wait_seconds` is how long a step waits
    while another program writes. Raise StoreError where it cannot be used.
    """
    database = PostgresDatabase(read_address(url), wait_seconds=wait_seconds)
    try:
        copy = database.migrate()
    except BaseException:
        database.close()
        raise
    if copy is not None:
        on_copy(f"schema {copy} of {database.shown}")
    return database


def examine_postgresql(url: str) -> DatabaseFacts:
    """Read the server's version, and that of the schema.

    Raise StoreError where it cannot be reached, is too old, or is not ours.
    """
    address = read_address(url)
    connection = connect(address, wait_seconds=_LOOK_SECONDS)
    try:
        with translated(address.shown):
            check_server(connection, address.shown)
            schema = version_of(connection, address.shown)
            (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0]
            version = connection.info.parameter_status("server_version") or ""
    finally:
        connection.close()
    return DatabaseFacts(
        engine=f"PostgreSQL {version.partition(' ')[0]}",
        schema=schema,
        newest_schema=newest_version(),
        damages=(),
        open_to="",
        journal="",
        size_bytes=int(size),
    )


@contextmanager
def _hold_runner(connect: Callable[[], PostgresConnection]) -> Iterator[Runner]:
    """Yield a new runner that is alive until the block, the process or its connection ends.

    It holds an advisory lock on a connection of its own. However the process or its machine ends, the server ends the
    lock with the connection: so a chunk that was left inflight is found.
    """
    key = secrets.randbits(_KEY_BITS)
    with connect() as connection:
        connection.execute("SELECT pg_advisory_lock(:key)", {"key": key})
        try:
            yield Runner(id=f"{key:016x}")
        finally:
            # At once: the server notices the end of a connection a moment later. A lost one has lost its lock too.
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(:key)", {"key": key})


def _is_alive(connection: PostgresConnection, runner_id: str) -> bool:
    """Return whether the runner still holds its lock; to be asked within a transaction."""
    if not _RUNNER_ID.fullmatch(runner_id):
        return False  # claimed on another engine, or by nobody
    # Shared, so that two who ask at once do not take each other for the runner; it ends with the transaction.
    query = "SELECT pg_try_advisory_xact_lock_shared(:key)"
    ((is_free,),) = connection.execute(query, {"key": int(runner_id, 16)}).fetchall()
    return not is_free
