"""What the store asks of a database, whichever engine stands behind it.

The queries in `sql/` are SQL that both engines take. Where they differ, a query says what only PostgreSQL is to see in
a comment of the form `/*+ … */`, or the connection's `Dialect` writes the piece.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeVar

from msgspec import Struct

Row = tuple[object, ...]
Answer = TypeVar("Answer")
LONGEST_NUMBER = 200  # characters; a text that is longer is compared as text


class ListPart(NamedTuple):
    """A part of the list: the people with ids above the one, up to the other."""

    after: int
    until: int


class Cursor(Protocol):
    """The rows that a statement found, and how many it changed."""

    @property
    def rowcount(self) -> int:
        """Return how many rows were changed."""

    def fetchone(self) -> Row | None:
        """Return the next row, or None where there is none."""

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows one by one."""


class Dialect(Protocol):
    """The pieces of SQL that each engine writes in its own way."""

    def looks_numeric(self, expression: str) -> str:
        """Return SQL that is true where a text expression is written as a plain number."""

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text or NULL. `name` is a parameter."""

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true where the id of the subscriber `s` stands in a column of `rows`.

        `rows` is what follows a FROM, and ends with a condition; none of the column's values is NULL.
        """


class Connection(Protocol):
    """A connection of one thread, within a transaction."""

    @property
    def dialect(self) -> Dialect:
        """Return what writes the pieces of SQL that are this engine's own."""

    def execute(self, sql: str, parameters: Mapping[str, object] = ..., /) -> Cursor:
        """Run one statement; parameters are named, `:name`."""

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return how many rows of the table were changed in all."""

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, so many at a time; they may be millions."""

    def last_ids(self) -> dict[str, int]:
        """Return the last id that was ever given in each table that gives ids."""

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Let ids go on after these, and after those that were given here: none is ever given twice."""

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Put many rows, each with a value for every column, into a table."""

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Put many rows, given column by column, into a table; the fastest way there is.

        `constants` are the columns whose value is the same in all of them.
        """

    def attempt(self, sql: str) -> bool:
        """Run a statement. Return False, with nothing done, where it would bring about two equal keys."""


class Runner(Struct, frozen=True, kw_only=True):
    """A process, or a part of one, that hands over chunks."""

    id: str


class DatabaseFacts(Struct, frozen=True, kw_only=True):
    """What a database is like."""

    engine: str  # such as `SQLite 3.45.1`
    schema: int  # how many migrations it has; 0 where it holds nothing yet
    newest_schema: int  # how many this version knows
    damages: tuple[str, ...]  # what the engine finds wrong in it
    open_to: str  # who else may read it, as the system writes permissions; empty where nobody, or nobody can tell
    journal: str  # `wal` where readers and a writer do not wait for each other; empty where the engine has no choice
    size_bytes: int


class Database(Protocol):
    """An open database; each thread gets a connection of its own.

    `read` and the transactions raise StoreError where it cannot be used.
    """

    def __enter__(self) -> Self:
        """Return the database itself."""

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        """Close the database."""

    def close(self) -> None:
        """Close the connections of all threads; none of them may be in use."""

    def read(self) -> AbstractContextManager[Connection]:
        """Yield a connection that sees one state of the data until the block ends; inside a transaction, its own."""

    def scan(self) -> AbstractContextManager[Connection]:
        """Yield a connection as `read` does, for queries that look at everybody on the list."""

    def ask_in_parts(self, ask: Callable[[Connection, ListPart | None], Answer]) -> list[Answer]:
        """Return what is answered about each part of the list by a thread of its own, or about all of it.

        All of them see the same state of the data.
        """

    def transaction(self) -> AbstractContextManager[Connection]:
        """Yield a connection whose changes are kept when the block ends well, and dropped when it raises.

        Nobody else writes until then.
        """

    def shared_transaction(self) -> AbstractContextManager[Connection]:
        """Yield a transaction beside which other shared ones may run, where the engine can; for rows of one's own.

        None runs beside a `transaction`, so that what a `transaction` decides holds for all of it. Whoever changes a
        row here locks it first.
        """

    def filling_transaction(self) -> AbstractContextManager[Connection]:
        """Yield a `transaction` that fills an empty list with very many rows; nobody can be sending then.

        Where an engine can write them faster while nobody else reads, others may have to wait for its end.
        """

    def scrub(self) -> bool:
        """Rid the engine's own files of what was deleted. Return whether it could. Not within a transaction."""

    def runner(self) -> AbstractContextManager[Runner]:
        """Yield a runner to claim chunks with, alive while the block lasts."""

    def alive(self, runner_id: str) -> bool:
        """Return whether the runner's block, in whichever process and on whichever machine, still lasts."""
