"""What the store asks of a database, whichever engine stands behind it.

The queries in `sql/` are SQL that both engines take. Where they differ, a query says what only PostgreSQL is to see in
a comment of the form `/*+ … */`, or the connection's `Dialect` writes the piece.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

Row = tuple[Any, ...]


class Cursor(Protocol):
    """The rows that a statement found, and how many it changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """The next row; None where there is none."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows one by one."""


class Dialect(Protocol):
    """The pieces of SQL that each engine writes in its own way."""

    def looks_numeric(self, expression: str) -> str:
        """SQL that is true where a text expression is written as a plain number."""

    def attribute(self, name: str) -> str:
        """SQL for an attribute of the subscriber `s`, as text; NULL where there is none. `name` is a parameter."""


class Connection(Protocol):
    """A connection of one thread, within a transaction."""

    @property
    def dialect(self) -> Dialect:
        """The pieces of SQL that are this engine's own."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:
        """Runs one statement; parameters are named, `:name`."""

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Puts many rows, each with a value for every column, into a table; the fastest way there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A process, or a part of one, that hands over chunks."""

    id: str


class Database(Protocol):
    """An open database; each thread gets a connection of its own.

    `read` and the transactions raise StoreError where it cannot be used.
    """

    def __enter__(self) -> Self:
        """The database itself."""

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        """Closes it."""

    def close(self) -> None:
        """Closes the connections of all threads; none of them may be in use."""

    def read(self) -> AbstractContextManager[Connection]:
        """A connection that sees one state of the data until the block ends; inside a transaction, its own."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """A connection whose changes are kept when the block ends well, and dropped when it raises.

        Nobody else writes until then.
        """

    def shared_transaction(self) -> AbstractContextManager[Connection]:
        """A transaction beside which other shared ones may run, where the engine can; for single rows of one's own.

        None runs beside a `transaction`, so that what a `transaction` decides holds for all of it. Whoever changes a
        row here locks it first.
        """

    def runner(self) -> AbstractContextManager[Runner]:
        """A runner to claim chunks with, alive while the block lasts."""

    def alive(self, runner_id: str) -> bool:
        """Whether the runner's block, in whichever process and on whichever machine, still lasts."""
