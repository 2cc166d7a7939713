"""The interface that the store needs from a database engine.

The queries in `sql/` are written in SQL that both engines accept. SQL that must differ is handled
in one of two ways: SQL for PostgreSQL only is in a comment `/*+ … */`, or the connection's `Dialect` generates it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeVar

from msgspec import Struct

Row = tuple[object, ...]
Answer = TypeVar("Answer")
LONGEST_NUMBER = 200  # characters; a longer string does not count as a number


class ListPart(NamedTuple):
    """A part of the list: subscribers with ids greater than `after`, up to and including `until`."""

    after: int
    until: int


class Cursor(Protocol):
    """The rows that a statement returned, and the number of rows that it changed."""

    @property
    def rowcount(self) -> int:
        """Return the number of rows changed."""

    def fetchone(self) -> Row | None:
        """Return the next row, or None after the last."""

    def fetchall(self) -> list[Row]:
        """Return all remaining rows."""

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows one by one."""


class Dialect(Protocol):
    """The pieces of SQL that differ between the engines."""

    def is_number(self, expression: str) -> str:
        """Return SQL that is true if the text of an expression is a number, such as `5`, ` 05 `, `-.5` or `1e3`."""

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text or NULL. `name` is a bound parameter."""

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true if the id of the subscriber `s` is in a column of `rows`.

        `rows` is the SQL that follows a FROM, and it ends with a condition. The column must not contain NULL.
        """


class Connection(Protocol):
    """A connection that belongs to one thread, inside a transaction."""

    @property
    def dialect(self) -> Dialect:
        """Return the dialect that generates the SQL that is specific to this engine."""

    def execute(self, sql: str, parameters: Mapping[str, object] = ..., /) -> Cursor:
        """Run one statement. Its parameters are written `:name`."""

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return the total number of rows changed in the table."""

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, `size` rows at a time. There may be millions of rows."""

    def text_columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of text of each of our tables, ordered by table name."""

    def last_ids(self) -> dict[str, int]:
        """Return the highest id ever assigned in each table that assigns ids."""

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Make new ids start after `last` and after all ids assigned here, so that no id is ever used twice."""

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows into a table. Each row has a value for every column."""

    def insert_new(self, table: str, rows: Sequence[Row]) -> int:
        """Insert rows whose keys the table does not have yet. Return their number.

        Each row has a value for every column. Of several rows with the same key, one is inserted.
        """

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Insert many rows, given column by column, into a table. This is the fastest way to insert.

        `constants` are the columns that have the same value in every row.
        """

    def attempt(self, sql: str) -> bool:
        """Run a statement. If it would create a duplicate key, change nothing and return False."""


class Runner(Struct, frozen=True, kw_only=True):
    """A process, or a part of one, that sends chunks to the provider."""

    id: str


MAILINGS = "SELECT id, nonce FROM broadcast"  # for an examination, which understands every version of the tables
SERVICE_KEYS = "SELECT key FROM service_key"  # for an examination, if the tables are up to date


class DatabaseFacts(Struct, frozen=True, kw_only=True):
    """The state of a database: its engine, its schema version and its health."""

    engine: str  # for example `SQLite 3.45.1`
    schema: int  # the number of migrations applied; 0 if the database is still empty
    newest_schema: int  # the number of migrations that this version has
    damages: tuple[str, ...]  # the damage that the engine reports
    open_to: str  # the file's permissions as the system shows them, if others can read it; otherwise empty
    journal: str  # `wal` if readers and a writer do not wait for each other; empty if the engine has no such setting
    size_bytes: int
    mailings: frozenset[str]  # the mailing ids of all broadcasts
    service_key: bytes | None  # the key for codes that belong to no subscriber, if it can be read and was made


class Database(Protocol):
    """An open database. Each thread gets its own connection.

    `read` and the transactions raise StoreError if the database cannot be used.
    """

    @property
    def replies(self) -> Path | None:
        """The folder of the reply logs on this machine, which may not exist yet. None if no logs are kept."""

    def __enter__(self) -> Self:
        """Return the database itself."""

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        """Close the database."""

    def close(self) -> None:
        """Close the connections of all threads. None of them may be in use."""

    def read(self) -> AbstractContextManager[Connection]:
        """Yield a connection that sees the same state of the data until the block ends.

        Inside a transaction, yield the transaction's own connection.
        """

    def scan(self) -> AbstractContextManager[Connection]:
        """Yield a connection as `read` does, for queries that read the whole list."""

    def ask_in_parts(self, ask: Callable[[Connection, ListPart | None], Answer]) -> list[Answer]:
        """Call `ask` for each part of the list in a separate thread, or once for the whole list. Return the answers.

        All calls see the same state of the data.
        """

    def transaction(self) -> AbstractContextManager[Connection]:
        """Yield a connection. Commit its changes if the block succeeds, and roll them back if it raises.

        No one else can write in the meantime.
        """

    def shared_transaction(self) -> AbstractContextManager[Connection]:
        """Yield a transaction that can run at the same time as other shared ones, if the engine supports it.

        Use it for changes to rows that you have locked yourself. It never runs at the same time as a `transaction`, so
        the data that a `transaction` has read cannot change before that transaction ends.
        """

    def filling_transaction(self) -> AbstractContextManager[Connection]:
        """Yield a `transaction` that fills an empty list with very many rows. No broadcast can be running then.

        If the engine can write faster while no one else reads, other programs may have to wait until the end of the
        transaction.
        """

    def scrub(self) -> bool:
        """Remove deleted data from the engine's own files. Return whether this succeeded.

        Call it outside a transaction.
        """

    def runner(self) -> AbstractContextManager[Runner]:
        """Yield a runner to claim chunks with. It is alive until the block ends.

        Raise StoreError if others could not tell that it is alive, for example on a drive without locks.
        """

    def alive(self, runner_id: str) -> bool:
        """Return whether the runner is still alive, in any process on any machine."""

    def interpreting(self) -> AbstractContextManager[None]:
        """Wait until no one else interprets posts, on any machine, and keep them from it until the block ends.

        Call it outside a transaction. Raise StoreError if that takes too long.
        """
