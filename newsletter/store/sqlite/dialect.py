"""What SQLite writes in its own way, and how its connections are set up."""

import sqlite3
from collections.abc import Iterable

from newsletter.store.database import Row

APPLICATION_ID = 0x4E4C5452  # "NLTR", in the header of each of our files
OLDEST_SQLITE = (3, 38)  # the first with `->>` and UPDATE … FROM on STRICT tables

# FULL makes a commit survive a power cut: a chunk that left must never be found ready again.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA temp.cache_size = -16384",
)


def prepare_connection(connection: sqlite3.Connection, *, wait_seconds: float) -> None:
    """Sets up a new connection: how long it waits for locks, that commits are durable, that references hold."""
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)


class SqliteDialect:
    """The pieces of SQL that are SQLite's own."""

    def looks_numeric(self, expression: str) -> str:
        """SQL that is true where a text expression is written as a plain number."""
        # CASE keeps json_type from text that is not JSON, on which it fails.
        return f"CASE WHEN json_valid({expression}) THEN json_type({expression}) IN ('integer', 'real') ELSE FALSE END"

    def attribute(self, name: str) -> str:
        """SQL for an attribute of the subscriber `s`, as text; NULL where there is none."""
        return f"s.attributes ->> {name}"


class SqliteConnection(sqlite3.Connection):
    """A connection as the store asks for one."""

    dialect = SqliteDialect()

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Puts many rows, each with a value for every column, into a table of ours."""
        (columns,) = self.execute("SELECT count(*) FROM pragma_table_info(:table)", {"table": table}).fetchone()
        self.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608 - our own name
