"""The PostgreSQL implementation of `Database`, and the functions that open or examine a database."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

import psycopg

from newsletter.model.broadcast import mailing_id_of
from newsletter.store.connections import ThreadConnections
from newsletter.store.database import MAILINGS, SERVICE_KEYS, Answer, DatabaseFacts, ListPart, Runner
from newsletter.store.postgresql.address import Address, read_address
from newsletter.store.postgresql.connection import PostgresConnection, connect
from newsletter.store.postgresql.failures import cannot_use, translated
from newsletter.store.postgresql.migrations import check_server, migrate, newest_version, version_of

# An advisory lock allows one writer at a time, as on SQLite, or several writers that share it and change only rows that
# they have locked. Its key has two numbers: "NLTR" and the number of the lock. The keys of the runners' locks are
# single numbers, so keys of the two kinds can never be equal.
_KEY = f"{0x4E4C5452}, 1"
_ALONE = f"SELECT pg_advisory_xact_lock({_KEY})"
_BESIDE_OTHERS = f"SELECT pg_advisory_xact_lock_shared({_KEY})"
_TURN = f"{0x4E4C5452}, 2"  # posts are interpreted by one process at a time
_TAKE_TURN, _END_TURN = f"SELECT pg_advisory_lock({_TURN})", f"SELECT pg_advisory_unlock({_TURN})"

_REPLIES = "newsletter.db.replies"  # the folder in the workspace
_KEY_BITS = 63  # the key of a runner's lock is a signed 64-bit number, and a random one must not be negative
_RUNNER_ID = re.compile(r"[0-7][0-9a-f]{15}")
_LOOK_SECONDS = 5.0  # how long an examination of the database waits for locks

# A reader keeps the snapshot that its first statement takes. A writer must see what others committed while it waited
# for the lock, so each of its statements takes a new snapshot.
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"


class PostgresDatabase:
    """An open database. Each thread gets its own connection, and a new one if its connection is lost.

    `read` and the transactions raise StoreError if the database cannot be used.
    """

    def __init__(self, address: Address, *, wait_seconds: float, workspace: Path | None = None) -> None:
        self.shown = address.shown
        self.replies = None if workspace is None else workspace / _REPLIES  # every machine has its own logs
        self._address = address
        self._wait_seconds = wait_seconds
        self._connections = ThreadConnections(self._connect, is_lost=lambda connection: connection.closed)

    def __enter__(self) -> "PostgresDatabase":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads. None of them may be in use."""
        self._connections.close()

    def migrate(self) -> str | None:
        """Create our tables, or migrate them to this version. Return the schema with a copy, if one was made."""
        with translated(self.shown):
            return migrate(self._connections.mine(), self.shown, lock=_ALONE)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        """Yield a connection that sees the same state of the data until the block ends.

        Inside a transaction, yield the transaction's own connection.
        """
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
        """Call `ask` once for the whole list. The server itself runs large queries in parallel."""
        with self.read() as connection:
            return [ask(connection, None)]

    def transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Yield a connection. Commit its changes if the block succeeds, and roll them back if it raises.

        No one else can write in the meantime.
        """
        return self._transaction(_ALONE)

    def shared_transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Yield a transaction that can run at the same time as other shared ones. Lock a row before changing it."""
        return self._transaction(_BESIDE_OTHERS)

    def filling_transaction(self) -> AbstractContextManager[PostgresConnection]:
        """Do the same as `transaction`."""
        return self.transaction()

    def scrub(self) -> bool:
        """Do nothing and return False. Deleted rows remain in the server's files until it vacuums, and in its WAL."""
        return False

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        """Yield a runner to claim chunks with. It is alive until the block ends."""
        with ExitStack() as held:
            with translated(self.shown):
                runner = held.enter_context(_hold_runner(self._connect))
            yield runner

    def alive(self, runner_id: str) -> bool:
        """Return whether the runner is still alive, in any process on any machine."""
        with self.read() as connection:
            return _is_alive(connection, runner_id)

    @contextmanager
    def interpreting(self) -> Iterator[None]:
        """Hold the lock for interpreting posts. The server releases it if this process or its machine ends."""
        with translated(self.shown):
            connection = self._connections.mine()
            connection.execute(_TAKE_TURN)
            try:
                yield
            finally:
                with suppress(psycopg.OperationalError):  # the connection is lost, and the lock with it
                    connection.execute(_END_TURN)

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
        """Return the thread's connection in a new transaction. Replace a connection that was lost while idle."""
        connection = self._connections.mine()
        if connection.in_transaction:
            raise RuntimeError("a transaction is already open")
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
                "the connection was lost while changes were being saved, so they may or may not have been saved",
                "check with `newsletter status` before you try again",
            ) from err

    def _connect(self) -> PostgresConnection:
        return connect(self._address, wait_seconds=self._wait_seconds)


def _started(connection: PostgresConnection, statements: str) -> PostgresConnection:
    """Begin a transaction with these statements and return the connection. If they fail, leave no transaction open."""
    try:
        connection.execute(statements)
    except BaseException:
        connection.drop_changes()
        raise
    return connection


def open_postgresql(
    url: str, *, workspace: Path | None, wait_seconds: float, on_copy: Callable[[str], None]
) -> PostgresDatabase:
    """Open the database at a URL. Create or migrate its tables first if needed.

    `workspace` is the folder in which this machine keeps its reply logs; without it, it keeps none.
    `on_copy` is called with the schema in which a migration saved a copy of the old tables. `wait_seconds` is how long
    a step waits while another program writes. Raise StoreError if the database cannot be used.
    """
    database = PostgresDatabase(read_address(url), wait_seconds=wait_seconds, workspace=workspace)
    try:
        copy = database.migrate()
    except BaseException:
        database.close()
        raise
    if copy is not None:
        on_copy(f"schema {copy} of {database.shown}")
    return database


def examine_postgresql(url: str) -> DatabaseFacts:
    """Return the server's version, the version of the schema and the size of the database.

    Raise StoreError if the database cannot be reached, the server is too old, or the schema belongs to another program.
    """
    address = read_address(url)
    connection = connect(address, wait_seconds=_LOOK_SECONDS)
    try:
        with translated(address.shown):
            check_server(connection, address.shown)
            schema = version_of(connection, address.shown)
            broadcasts = connection.execute(MAILINGS).fetchall() if schema else []
            keys = connection.execute(SERVICE_KEYS).fetchall() if schema == newest_version() else []
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
        mailings=frozenset(mailing_id_of(number, nonce) for number, nonce in broadcasts),
        service_key=next((bytes(key) for (key,) in keys), None),
    )


@contextmanager
def _hold_runner(connect: Callable[[], PostgresConnection]) -> Iterator[Runner]:
    """Yield a new runner that is alive until the block, the process or its connection ends.

    It holds an advisory lock on a separate connection. The key of the lock, in hexadecimal, is the runner's id. However
    the process or its machine ends, the server releases the lock with the connection. A chunk that was left inflight is
    therefore recognized as abandoned.
    """
    key = secrets.randbits(_KEY_BITS)
    with connect() as connection:
        connection.execute("SELECT pg_advisory_lock(:key)", {"key": key})
        try:
            yield Runner(id=f"{key:016x}")
        finally:
            # Release the lock now, because the server notices the end of a connection only a little later. If the
            # connection is lost, so is its lock.
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(:key)", {"key": key})


def _is_alive(connection: PostgresConnection, runner_id: str) -> bool:
    """Return whether the runner still holds its lock. Call it inside a transaction."""
    if not _RUNNER_ID.fullmatch(runner_id):
        return False  # the chunk was claimed on another engine, or was never claimed
    # The lock is shared, so that two processes that check at the same time do not mistake each other for the runner. It
    # is released at the end of the transaction.
    query = "SELECT pg_try_advisory_xact_lock_shared(:key)"
    ((is_free,),) = connection.execute(query, {"key": int(runner_id, 16)}).fetchall()
    return not is_free
