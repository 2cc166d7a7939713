"""The SQLite implementation of `Connection`, and its setup."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain

from newsletter.store.database import LONGEST_NUMBER, Row

APPLICATION_ID = 0x4E4C5452  # "NLTR", in the header of each of our files
BACKUP_ID = 0x4E4C5442  # "NLTB", in the header of a backup, which must be restored before it is used
OLDEST_SQLITE = (3, 38)  # the first version with `->>` and UPDATE … FROM on STRICT tables

# One statement that inserts many rows takes half the time of one statement per row. With more parameters than
# this, nothing more is gained.
_PARAMETERS_AT_ONCE = 1000

# With FULL, a commit survives a power cut: a chunk that was sent must never be found ready again. With secure_delete,
# deleted data is overwritten, so that erased people cannot be read in the file. Most builds of SQLite do so anyway.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA main.secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA temp.cache_size = -4096",
)


def prepare_connection(connection: sqlite3.Connection, *, wait_seconds: float) -> None:
    """Set up a new connection: the wait for locks, durable commits, foreign-key checks and the caches."""
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)


@contextmanager
def without_wal(connection: sqlite3.Connection) -> Iterator[None]:
    """Use a rollback journal instead of a WAL until the block ends, unless others have the file open."""
    (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _try_journal(connection, "DELETE")
        connection.execute(f"PRAGMA busy_timeout = {wait}")
        connection.execute("PRAGMA cache_size = -4096")  # a large cache of changed pages only slows bulk writes down
        yield
    finally:
        connection.execute("PRAGMA busy_timeout = 0")
        _try_journal(connection, "WAL")
        connection.execute(f"PRAGMA busy_timeout = {wait}")
        for pragma in _PRAGMAS:
            connection.execute(pragma)


def _try_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Change the journal mode of the file. If another program has the file open, leave the mode unchanged."""
    try:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    except sqlite3.OperationalError as err:
        if err.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise


class SqliteDialect:
    """The pieces of SQL that are specific to SQLite."""

    def is_number(self, expression: str) -> str:
        """Return SQL that is true if the text of an expression is a number, such as `5`, ` 05 `, `-.5` or `1e3`."""
        # Compared with a NUMERIC value, SQLite converts the text too, but only if all of it is a number (section 4.2 of
        # https://www.sqlite.org/datatype3.html). A value with an exponent of three digits, or with very many digits, is
        # left out: it may not fit a double, and PostgreSQL would raise an error.
        return (
            f"(length({expression}) <= {LONGEST_NUMBER} AND {expression} = CAST({expression} AS NUMERIC) "
            f"AND {expression} NOT GLOB '*[eE]*[0-9][0-9][0-9]*')"
        )

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text, or NULL if there is none."""
        return f"s.attributes ->> {name}"

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true if the id of the subscriber `s` is in a column of `rows`."""
        # With IN, SQLite reads the rows once, in their stored order. An EXISTS per person takes several times as long.
        return f"(s.id IN (SELECT {column} FROM {rows}))"  # noqa: S608 - our own names


class SqliteConnection(sqlite3.Connection):
    """The SQLite implementation of `Connection`."""

    dialect = SqliteDialect()

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return the total number of rows changed in the table."""
        return self.executemany(sql, rows).rowcount

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, `size` rows at a time. There may be millions of rows."""
        cursor = self.execute(sql)
        while page := cursor.fetchmany(size):
            yield page

    def last_ids(self) -> dict[str, int]:
        """Return the highest id ever assigned in each table that assigns ids."""
        return dict(self.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Make new ids start after `last` and after all ids assigned here, so that no id is ever used twice."""
        for table, number in last.items():
            parameters = {"table": table, "last": max(number, self.last_ids().get(table, 0))}
            self.execute("DELETE FROM sqlite_sequence WHERE name = :table", parameters)
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)", parameters)

    def table_columns(self, *, of_type: str = "%") -> dict[str, tuple[str, ...]]:
        """Return the columns of each of our tables, ordered by table name. `of_type` selects those of one type."""
        query = (
            "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c "
            "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND c.type LIKE :type ORDER BY t.name, c.cid"
        )
        columns = defaultdict(list)
        for table, column in self.execute(query, {"type": of_type}):
            columns[table].append(column)
        return {table: tuple(names) for table, names in columns.items()}

    def text_columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of text of each of our tables, ordered by table name."""
        return self.table_columns(of_type="TEXT")

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows into one of our tables. Each row has a value for every column."""
        (columns,) = self.execute("SELECT count(*) FROM pragma_table_info(:table)", {"table": table}).fetchone()
        self.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608 - our own name

    def insert_new(self, table: str, rows: Sequence[Row]) -> int:
        """Insert rows whose keys the table does not have yet. Return their number."""
        width = len(rows[0]) if rows else 1
        rows_at_once = max(1, _PARAMETERS_AT_ONCE // width)
        added = 0
        for start in range(0, len(rows), rows_at_once):
            some = rows[start : start + rows_at_once]
            added += self.execute(_insert_new(table, width, len(some)), list(chain.from_iterable(some))).rowcount
        return added

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Insert many rows, given column by column, into one of our tables. Each statement inserts many rows."""
        width, count = len(columns), len(next(iter(columns.values())))
        cells: list[object] = [None] * (width * count)  # all cells, row after row
        for place, column in enumerate(columns.values()):
            cells[place::width] = column
        rows_at_once = max(1, _PARAMETERS_AT_ONCE // width)
        fixed, names = list(constants.values()), (tuple(constants), tuple(columns))
        for start in range(0, width * count, width * rows_at_once):
            some = cells[start : start + width * rows_at_once]
            self.execute(_insert(table, *names, len(some) // width), fixed + some)

    def attempt(self, sql: str) -> bool:
        """Run a statement. If it would create a duplicate key, change nothing and return False."""
        try:
            self.execute(sql)
        except sqlite3.IntegrityError:
            return False
        return True


@lru_cache(maxsize=64)
def _insert(table: str, constants: Sequence[str], columns: Sequence[str], rows: int) -> str:
    """Return SQL that inserts several rows at once. Its parameters are the constants, then the cells row by row."""
    fixed = [f"?{number}" for number in range(1, len(constants) + 1)]
    row = f"({', '.join([*fixed, *'?' * len(columns)])})"
    names = ", ".join([*constants, *columns])
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names


@lru_cache(maxsize=256)
def _insert_new(table: str, width: int, rows: int) -> str:
    """Return SQL that inserts several rows at once, except those whose keys exist. Its parameters are all cells."""
    row = f"({', '.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"  # noqa: S608 - our own name
