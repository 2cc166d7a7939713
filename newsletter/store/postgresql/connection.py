"""The PostgreSQL implementation of `Connection`, and its setup.

The SQL of `sql/` is changed in two ways before it goes to psycopg. Parameters written `:name` become `%(name)s`. The
marks of a comment `/*+ … */` are removed, because the text between them is SQL for PostgreSQL only.
"""

import re
from collections import defaultdict
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

_SEQUENCE = "_id_seq"  # PostgreSQL names the sequence of a table's ids with this suffix
SCHEMA = "newsletter"  # keeps our tables separate from others in the database

# A commit must survive a power cut, even if the server's default is weaker: a chunk that was sent must never be found
# ready again. A stricter default is kept. The keepalives let the server notice a machine that has vanished, and release
# its locks. There is no idle timeout, because a session that holds a runner's lock is idle while the runner lives.
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

# The alternatives in which a colon is not the start of a parameter come first.
_PIECE = re.compile(
    r"""
    '(?:[^']|'')*'          # a string
    | "(?:[^"]|"")*"        # a name in quotes
    | --[^\n]*              # a comment
    | /\*.*?\*/             # a block comment
    | ::                    # a cast
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)

# A number, as SQLite recognizes it when it converts text. A value with an exponent of three digits, or with very many
# digits, is left out: it may not fit a double, and PostgreSQL would raise an error.
_SPACES = r"[ \t\n\r\f\v]*"
_NUMBER = rf"^{_SPACES}[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{{1,2}})?{_SPACES}$"


def opened(sql: str) -> str:
    """Return SQL with the parts for PostgreSQL only, which are in comments of the form `/*+ … */`."""
    return _HINT.sub(r"\1", sql)


@lru_cache(maxsize=1024)
def translate(sql: str) -> str:
    """Return SQL for psycopg. Each `%` is doubled, because psycopg's own parameters begin with it."""
    return _PIECE.sub(_translated, opened(sql).replace("%", "%%"))


class PostgresDialect:
    """The pieces of SQL that are specific to PostgreSQL.

    Strings are compared byte by byte, as in SQLite: all columns and computed strings have the collation "C". The
    results are then the same on both engines, whatever the language of the database.
    """

    def is_number(self, expression: str) -> str:
        """Return SQL that is true if the text of an expression is a number, such as `5`, ` 05 `, `-.5` or `1e3`."""
        return f"({expression} ~ '{_NUMBER}' AND length({expression}) <= {LONGEST_NUMBER})"

    def attribute(self, name: str) -> str:
        """Return SQL for an attribute of the subscriber `s`, as text, or NULL if there is none."""
        return f'((s.attributes::jsonb ->> {name}) COLLATE "C")'

    def is_among(self, column: str, rows: str) -> str:
        """Return SQL that is true if the id of the subscriber `s` is in a column of `rows`."""
        # PostgreSQL turns EXISTS into a join, even under NOT. It does not do so for NOT IN, which becomes extremely
        # slow as soon as the rows no longer fit into its working memory.
        return f"(EXISTS (SELECT 1 FROM {rows} AND {column} = s.id))"  # noqa: S608 - our own names


class PostgresCursor(psycopg.Cursor[TupleRow]):
    """A cursor that accepts the SQL of `sql/`."""

    def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run one statement or, without parameters, a script of several statements."""
        sql = opened(_text(query)) if params is None else translate(_text(query))
        return super().execute(sql, params, prepare=prepare, binary=binary)

    def executemany(self, query: Query, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        """Run one statement for each set of parameters."""
        super().executemany(translate(_text(query)), params_seq, returning=returning)


class PostgresConnection(psycopg.Connection[TupleRow]):
    """The PostgreSQL implementation of `Connection`."""

    dialect = PostgresDialect()

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction is open, including a failed one that can only be rolled back."""
        return not self.closed and self.pgconn.transaction_status != TransactionStatus.IDLE

    def execute_each(self, sql: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run one statement once per row of parameters. Return the total number of rows changed in the table."""
        with self.cursor() as cursor:
            cursor.executemany(sql, rows)
            return cursor.rowcount

    def pages(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a query without parameters, `size` rows at a time. There may be millions of rows."""
        with self.cursor(name="pages") as cursor:
            cursor.execute(sql)
            while page := cursor.fetchmany(size):
                yield list(page)

    def text_columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of text of each of our tables, ordered by table name."""
        query = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'text' ORDER BY table_name, ordinal_position"
        )
        columns = defaultdict(list)
        for table, column in self.execute(query, {}):
            columns[table].append(column)
        return {table: tuple(names) for table, names in columns.items()}

    def last_ids(self) -> dict[str, int]:
        """Return the highest id ever assigned in each table that assigns ids."""
        sequences = self.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
        )
        return {name.removesuffix(_SEQUENCE): last for name, last in sequences if last is not None}

    def raise_last_ids(self, last: Mapping[str, int]) -> None:
        """Make new ids start after `last` and after all ids assigned here, so that no id is ever used twice."""
        given = self.last_ids()
        for table, number in last.items():
            place = {"sequence": f"{table}{_SEQUENCE}", "last": max(number, given.get(table, 0))}
            self.execute("SELECT setval(:sequence::regclass, :last::bigint)", place)

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows into one of our tables. Each row has a value for every column."""
        self._copy(f"COPY {table} FROM STDIN", rows)

    def insert_new(self, table: str, rows: Sequence[Row]) -> int:
        """Insert rows whose keys the table does not have yet. Return their number."""
        self.execute(f"CREATE TEMPORARY TABLE arrived (LIKE {table})")
        self._copy("COPY arrived FROM STDIN", rows)
        added = self.execute(f"INSERT INTO {table} SELECT * FROM arrived ON CONFLICT DO NOTHING").rowcount  # noqa: S608
        self.execute("DROP TABLE arrived")
        return added

    def load_columns(self, table: str, columns: Mapping[str, Sequence[object]], constants: Mapping[str, str]) -> None:
        """Insert many rows, given column by column, into one of our tables."""
        names = ", ".join([*columns, *constants])
        self._copy(
            f"COPY {table} ({names}) FROM STDIN", zip(*columns.values(), *map(repeat, constants.values()), strict=False)
        )

    def _copy(self, statement: str, rows: Iterable[Row]) -> None:
        with self.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def attempt(self, sql: str) -> bool:
        """Run a statement. If it would create a duplicate key, change nothing and return False."""
        self.execute("SAVEPOINT attempt")
        try:
            self.execute(sql)
        except psycopg.errors.UniqueViolation:
            self.execute("ROLLBACK TO SAVEPOINT attempt")
            return False
        self.execute("RELEASE SAVEPOINT attempt")
        return True

    def commit_changes(self) -> None:
        """Commit the transaction. Raise an error if the server rolled it back instead."""
        # If a statement of the transaction has failed, the server answers COMMIT with a rollback, but without an error.
        if self.execute("COMMIT").statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("a statement of the transaction had failed")

    def drop_changes(self) -> None:
        """Roll back the transaction, if one is open. If the connection is lost, the server has already done so."""
        if not self.in_transaction:
            return
        try:
            self.execute("ROLLBACK")
        except psycopg.OperationalError:
            self.close()


def connect(address: Address, *, wait_seconds: float) -> PostgresConnection:
    """Return a new connection. Its statements wait up to `wait_seconds` for locks that others hold.

    Raise StoreError if the database cannot be reached.
    """
    with cannot_connect(address.shown):
        connection = PostgresConnection.connect(address.conninfo, autocommit=True, cursor_factory=PostgresCursor)
    # Send Python strings with the type `text`. Otherwise the server would guess their type from the context.
    connection.adapters.register_dumper(str, StrDumper)
    try:
        # The minimum is 1 ms, because the server takes 0 to mean that there is no limit.
        connection.execute(f"SET lock_timeout = {max(1, int(wait_seconds * 1000))};{_SET_UP}")
    except BaseException:
        connection.close()
        raise
    return connection


def _text(query: Query) -> str:
    """Return a query as a string, which the store's SQL always is."""
    if not isinstance(query, str):
        raise TypeError("the store's SQL must be text")
    return query


def _translated(piece: re.Match[str]) -> str:
    name = piece["name"]
    return f"%({name})s" if name else piece[0]
