"""A connection to the server as the store asks for one, and how it is set up.

The SQL of `sql/` is what both engines take. Parameters are written `:name` there and `%(name)s` for psycopg; a comment
of the form `/*+ … */` is for PostgreSQL alone, and is opened.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Self

import psycopg
from psycopg.abc import Params, Query
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.types.string import StrDumper

from newsletter.store.database import LONGEST_NUMBER, Row
from newsletter.store.postgresql.address import Address
from newsletter.store.postgresql.failures import cannot_connect

_SEQUENCE = "_id_seq"  # what PostgreSQL adds to a table's name for the sequence of its ids
SCHEMA = "newsletter"  # our tables stand apart from those of others in the database

# A commit survives a power cut, whatever the server's default: a chunk that left must never be found ready again. A
# stricter default stays. The keepalives let the server notice a machine that has vanished, and free its locks. A
# session that holds the lock of a runner is idle for as long as the runner lives.
_SET_UP = f"""
SET search_path = {SCHEMA};
SET statement_timeout = 0;
SET idle_session_timeout = 0;
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off';
"""


_HINT = re.compile(r"/\*\+(.*?)\*/", re.DOTALL)

# What a colon or a name may stand in without being a parameter comes before the parameters.
_PIECE = re.compile(
    r"""
    '(?:[^']|'')*'          # text
    | "(?:[^"]|"")*"        # a name in quotes
    | --[^\n]*              # a comment
    | /\*.*?\*/             # a longer one
    | ::                    # a cast
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)

# A JSON number, as SQLite's json_type() finds it. An exponent of three digits, or too many digits, may lie beyond what
# a double holds, where PostgreSQL fails: such a value is text.
_NUMBER = r"^[ \t\n\r]*-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?[ \t\n\r]*$"


def opened(sql: str) -> str:
    """Return SQL with what is meant for PostgreSQL alone."""
    return _HINT.sub(r"\1", sql)


@lru_cache(maxsize=1024)
def translate(sql: str) -> str:
    """Return SQL for psycopg; `%` is doubled, since psycopg's own parameters begin with it."""
    return _PIECE.sub(_translated, opened(sql).replace("%", "%%"))


class PostgresDialect:
    """The pieces of SQL that are PostgreSQL's own.

    Texts are compared in the collation "C", byte by byte, as SQLite does: the columns are declared so, and what is
    computed says so. Results are then the same on both engines, whichever language the database was made for.
    """

    def looks_numeric(self, expression: str) -> str:
        """Return SQL that is true where a text expression is written as a plain number."""
        return f"({expression} ~ '{_NUMBER}' AND length({expression}) <= {LONGEST_NUMBER})"

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text; NULL where there is none."""
        return f'((s.attributes::jsonb ->> {name}) COLLATE "C")'

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true where the id of the subscriber `s` stands in a column of `rows`."""
        # EXISTS is turned into a join, be it negated. NOT IN is not, and takes for ever once memory does not suffice.
        return f"(EXISTS (SELECT 1 FROM {rows} AND {column} = s.id))"  # noqa: S608 - our own names


class PostgresCursor(psycopg.Cursor[TupleRow]):
    """Takes the SQL that both engines take."""

    def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run one statement, or, without parameters, a script."""
        sql = opened(_text(query)) if params is None else translate(_text(query))
        return super().execute(sql, params, prepare=prepare, binary=binary)

    def executemany(self, query: Query, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        """Run one statement for each set of parameters."""
        super().executemany(translate(_text(query)), params_seq, returning=returning)


class PostgresConnection(psycopg.Connection[TupleRow]):
    """A connection as the store asks for one."""

    dialect = PostgresDialect()

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction is under way, be it one that can only be rolled back."""
        return not self.closed and self.pgconn.transaction_status != TransactionStatus.IDLE

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return how many rows of the table were changed in all."""
        with self.cursor() as cursor:
            cursor.executemany(sql, rows)
            return cursor.rowcount

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, so many at a time; they may be millions."""
        with self.cursor(name="pages") as cursor:
            cursor.execute(sql)
            while page := cursor.fetchmany(size):
                yield list(page)

    def last_ids(self) -> dict[str, int]:
        """Return the last id that was ever given in each table that gives ids."""
        sequences = self.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
        )
        return {name.removesuffix(_SEQUENCE): last for name, last in sequences if last is not None}

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Let ids go on after these, and after those that were given here: none is ever given twice."""
        given = self.last_ids()
        for table, number in last.items():
            place = {"sequence": f"{table}{_SEQUENCE}", "last": max(number, given.get(table, 0))}
            self.execute("SELECT setval(:sequence::regclass, :last::bigint)", place)

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Put many rows, each with a value for every column, into a table of ours."""
        self._copy(f"COPY {table} FROM STDIN", rows)

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Put many rows, given column by column, into a table of ours."""
        names = ", ".join([*columns, *constants])
        self._copy(
            f"COPY {table} ({names}) FROM STDIN", zip(*columns.values(), *map(repeat, constants.values()), strict=False)
        )

    def _copy(self, statement: str, rows: Iterable[Row]) -> None:
        with self.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def attempt(self, sql: str) -> bool:
        """Run a statement. Return False, with nothing done, where it would bring about two equal keys."""
        self.execute("SAVEPOINT attempt")
        try:
            self.execute(sql)
        except psycopg.errors.UniqueViolation:
            self.execute("ROLLBACK TO SAVEPOINT attempt")
            return False
        self.execute("RELEASE SAVEPOINT attempt")
        return True

    def commit_changes(self) -> None:
        """End the transaction, keeping its changes; raise where the server dropped them."""
        # The server answers the COMMIT of a transaction in which a statement has failed with a rollback, and no error.
        if self.execute("COMMIT").statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("a statement of the transaction had failed")

    def drop_changes(self) -> None:
        """End the transaction, if there is one; where the connection is lost, the server has done so."""
        if not self.in_transaction:
            return
        try:
            self.execute("ROLLBACK")
        except psycopg.OperationalError:
            self.close()


def connect(address: Address, *, wait_seconds: float) -> PostgresConnection:
    """Return a new connection, whose statements wait for the locks of others as long as given.

    Raise StoreError where the database cannot be reached.
    """
    with cannot_connect(address.shown):
        connection = PostgresConnection.connect(address.conninfo, autocommit=True, cursor_factory=PostgresCursor)
    # Text is sent as text, rather than as something whose type the server guesses from where it stands.
    connection.adapters.register_dumper(str, StrDumper)
    try:
        # No timeout at all is what 0 would mean to the server.
        connection.execute(f"SET lock_timeout = {max(1, int(wait_seconds * 1000))};{_SET_UP}")
    except BaseException:
        connection.close()
        raise
    return connection


def _text(query: Query) -> str:
    """Return the SQL of the store, which is always text."""
    if not isinstance(query, str):
        raise TypeError("SQL of the store is text")
    return query


def _translated(piece: re.Match[str]) -> str:
    name = piece["name"]
    return f"%({name})s" if name else piece[0]
