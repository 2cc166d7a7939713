"""What SQLite writes in its own way, and how its connections are set up."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

from newsletter.store.database import LONGEST_NUMBER, Row

APPLICATION_ID = 0x4E4C5452  # "NLTR", in the header of each of our files
BACKUP_ID = 0x4E4C5442  # "NLTB", in that of a backup, which must not be used as it is
OLDEST_SQLITE = (3, 38)  # the first with `->>` and UPDATE … FROM on STRICT tables

# A statement of many rows takes half the time of as many statements; beyond this it gains no more.
_PARAMETERS_AT_ONCE = 1000

# FULL makes a commit survive a power cut: a chunk that left must never be found ready again. What is deleted is
# overwritten, so that nobody who was forgotten can be read in the file; most builds of SQLite do so anyway.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA main.secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA temp.cache_size = -4096",
)


def prepare_connection(connection: sqlite3.Connection, *, wait_seconds: float) -> None:
    """Set up a new connection: how long it waits for locks, that commits are durable, that references hold."""
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)


@contextmanager
def without_wal(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep a rollback journal rather than a WAL while the block lasts, unless others have the file open."""
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _try_journal(connection, "DELETE")
        connection.execute(f"PRAGMA busy_timeout = {wait}")
        connection.execute("PRAGMA cache_size = -4096")  # a large cache of changed pages only slows such writing down
        yield
    finally:
        connection.execute("PRAGMA busy_timeout = 0")
        _try_journal(connection, "WAL")
        connection.execute(f"PRAGMA busy_timeout = {wait}")
        for pragma in _PRAGMAS:
            connection.execute(pragma)


def _try_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Change how the file is journaled; another program that has it open keeps it as it is."""
    try:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    except sqlite3.OperationalError as err:
        if err.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise


class SqliteDialect:
    """The pieces of SQL that are SQLite's own."""

    def looks_numeric(self, expression: str) -> str:
        """Return SQL that is true where a text expression is written as a plain number."""
        # CASE keeps json_type from text that is not JSON, on which it fails. What a double may not hold is text, since
        # PostgreSQL fails where it is asked to make a number of it: an exponent of three digits, or very many digits.
        return (
            f"CASE WHEN length({expression}) <= {LONGEST_NUMBER} AND json_valid({expression}) "
            f"THEN json_type({expression}) IN ('integer', 'real') "
            f"AND {expression} NOT GLOB '*[eE]*[0-9][0-9][0-9]*' ELSE FALSE END"
        )

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text; NULL where there is none."""
        return f"s.attributes ->> {name}"

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true where the id of the subscriber `s` stands in a column of `rows`."""
        # The rows are read once, in their order; to look each person up among them takes several times as long.
        return f"(s.id IN (SELECT {column} FROM {rows}))"  # noqa: S608 - our own names


class SqliteConnection(sqlite3.Connection):
    """A connection as the store asks for one."""

    dialect = SqliteDialect()

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return how many rows of the table were changed in all."""
        return self.executemany(sql, rows).rowcount

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, so many at a time; they may be millions."""
        cursor = self.execute(sql)
        while page := cursor.fetchmany(size):
            yield page

    def last_ids(self) -> dict[str, int]:
        """Return the last id that was ever given in each table that gives ids."""
        return dict(self.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Let ids go on after these, and after those that were given here: none is ever given twice."""
        for table, number in last.items():
            parameters = {"table": table, "last": max(number, self.last_ids().get(table, 0))}
            self.execute("DELETE FROM sqlite_sequence WHERE name = :table", parameters)
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)", parameters)

    def table_columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each table of ours, in the order of the tables' names."""
        query = (
            "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c "
            "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid"
        )
        columns = defaultdict(list)
        for table, column in self.execute(query):
            columns[table].append(column)
        return {table: tuple(names) for table, names in columns.items()}

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Put many rows, each with a value for every column, into a table of ours."""
        (columns,) = self.execute("SELECT count(*) FROM pragma_table_info(:table)", {"table": table}).fetchone()
        self.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608 - our own name

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Put many rows, given column by column, into a table of ours, many with each statement."""
        width, count = len(columns), len(next(iter(columns.values())))
        cells: list[object] = [None] * (width * count)  # row by row
        for place, column in enumerate(columns.values()):
            cells[place::width] = column
        rows_at_once = max(1, _PARAMETERS_AT_ONCE // width)
        fixed, names = list(constants.values()), (tuple(constants), tuple(columns))
        for start in range(0, width * count, width * rows_at_once):
            some = cells[start : start + width * rows_at_once]
            self.execute(_insert(table, *names, len(some) // width), fixed + some)

    def attempt(self, sql: str) -> bool:
        """Run a statement. Return False, with nothing done, where it would bring about two equal keys."""
        try:
            self.execute(sql)
        except sqlite3.IntegrityError:
            return False
        return True


@lru_cache(maxsize=64)
def _insert(table: str, constants: Sequence[str], columns: Sequence[str], rows: int) -> str:
    """Return SQL that inserts some rows at once; its parameters are the constants, then row after row."""
    fixed = [f"?{number}" for number in range(1, len(constants) + 1)]
    row = f"({', '.join([*fixed, *'?' * len(columns)])})"
    names = ", ".join([*constants, *columns])
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names
