"""The named queries of `sql/`, each called through a handle that knows what its rows are.

A module names its queries at its top: `_FIND = query_one("broadcasts", "find", Broadcast)`. A record is a NamedTuple or
a Struct with one field per column, in the order of the columns; a last field that is a Struct itself takes all
columns that are left. Columns are read by the fields' types: a moment is kept as text, an enum as its value, a truth as
0 or 1. `tests/store/test_queries.py` runs every query on both engines and holds the rows against their records.

A name in braces stands for a piece of SQL that is made of the table of columns: `{s.columns}` lists the columns of the
table `s`. Nothing that a user wrote becomes part of a query.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Generic, Protocol, Self, TypeVar, cast, get_args, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.columns import COLUMNS, NOW, SubscriberColumn
from newsletter.store.database import Connection, Database, Row
from newsletter.system.moments import moment_of

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)\(.*\)\S*\n(?:--.*\n)*", re.MULTILINE)  # with what is said about the query
_AS_IT_IS = (str, int, bytes)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Read = Callable[..., object]  # type: ignore[explicit-any] # of whatever the engine gives for a column
Reads = Mapping[object, Read]  # by the type of the field


class _Maker(Protocol[R_co]):
    """The class of a record, seen as a function of its fields."""

    def __call__(self, **fields: object) -> R_co:
        """Return a record."""


class Statement(Struct, frozen=True):
    """A statement of `sql/`."""

    name: tuple[str, str]  # the file and the query
    sql: str

    def rewritten(self, sql: str) -> Self:
        """Return the same statement with its open places filled in."""
        return replace(self, sql=sql)


class Change(Statement, frozen=True):
    """A statement that changes rows, or a table."""

    def __call__(self, connection: Connection, /, **parameters: object) -> int:
        """Return how many rows were changed."""
        return connection.execute(self.sql, parameters).rowcount

    def for_each(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> int:
        """Run the statement once per row of parameters. Return how many rows were changed in all."""
        return connection.execute_each(self.sql, rows)


class Query(Statement, Generic[R], frozen=True):
    """A query; `kind` is the record of its rows, or the type of its only column."""

    kind: type[R]
    read: Callable[[Row], R]


class QueryAll(Query[R], frozen=True):
    """A query that finds any number of rows."""

    def __call__(self, connection: Connection, /, **parameters: object) -> list[R]:
        """Return all rows."""
        return list(map(self.read, connection.execute(self.sql, parameters).fetchall()))

    def ask(self, database: Database, /, **parameters: object) -> tuple[R, ...]:
        """Return all rows, where nothing else is read with them."""
        with database.read() as connection:
            return tuple(self(connection, **parameters))


class QueryOne(Query[R], frozen=True):
    """A query that finds one row or none; of a single column, one value or NULL."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R | None:
        """Return the row or the value, or None where there is none."""
        row = connection.execute(self.sql, parameters).fetchone()
        return None if row is None else self.read(row)

    def ask(self, database: Database, /, **parameters: object) -> R | None:
        """Return the row or the value, where nothing else is read with it."""
        with database.read() as connection:
            return self(connection, **parameters)


class QueryValue(Query[R], frozen=True):
    """A query that always finds exactly one row, such as of counts; of a single column, one value."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R:
        """Return the row or the value."""
        (row,) = connection.execute(self.sql, parameters).fetchall()
        return self.read(row)

    def ask(self, database: Database, /, **parameters: object) -> R:
        """Return the row or the value, where nothing else is read with it."""
        with database.read() as connection:
            return self(connection, **parameters)


def query_all(file: str, name: str, kind: type[R], reads: Reads | None = None) -> QueryAll[R]:
    """Return the handle of a query with any number of rows; `reads` tells how columns of further types are read."""
    return QueryAll((file, name), queries_in(file)[name], kind, _reader(kind, reads or {}))


def query_one(file: str, name: str, kind: type[R], reads: Reads | None = None) -> QueryOne[R]:
    """Return the handle of a query with at most one row; `reads` as for `query_all`."""
    return QueryOne((file, name), queries_in(file)[name], kind, _reader(kind, reads or {}))


def query_value(file: str, name: str, kind: type[R]) -> QueryValue[R]:
    """Return the handle of a query with exactly one row."""
    return QueryValue((file, name), queries_in(file)[name], kind, _reader(kind, {}))


def change(file: str, name: str) -> Change:
    """Return the handle of a statement that changes something."""
    return Change((file, name), queries_in(file)[name])


@cache
def queries_in(file: str) -> Mapping[str, str]:
    """Return the SQL of each query of `sql/FILE.sql` by its name."""
    _, *pieces = _NAME.split(with_columns((_FOLDER / f"{file}.sql").read_text(encoding="utf-8")))
    return {name: sql.strip() for name, sql in zip(pieces[::2], pieces[1::2], strict=True)}


def with_columns(sql: str) -> str:
    """Put the pieces that the table of columns makes into the text of a file of queries."""
    for name, piece in _PIECES.items():
        sql = sql.replace(name, piece)
    return sql


def is_single(kind: object) -> bool:
    """Return whether this is the type of a single column, rather than a record."""
    return kind in {*_AS_IT_IS, bool, datetime} or (isinstance(kind, type) and issubclass(kind, Enum))


def _reader(kind: type[R], reads: Reads) -> Callable[[Row], R]:
    """Return what makes a record, or a single value, of a row.

    Most rows hold nothing that needs to be read: a NamedTuple is then made without a step in Python.
    """
    if is_single(kind):
        return cast("Callable[[Row], R]", partial(_read_single, _read_of(kind, {}) or kind))
    types = get_type_hints(kind)
    names = tuple(types)
    # A record within the record is read from all columns that are left.
    places = [slice(place, None) if _is_record(types[name], reads) else place for place, name in enumerate(names)]
    changed = [
        (name, place, read)
        for name, place in zip(names, places, strict=True)
        if (read := _read_of(types[name], reads)) is not None
    ]
    if issubclass(kind, tuple) and not changed:
        return partial(tuple.__new__, kind)
    make = cast("_Maker[R]", kind)

    def read_row(row: Row) -> R:
        values = dict(zip(names, row, strict=False))
        for name, place, read in changed:
            values[name] = read(row[place])
        return make(**values)

    return read_row


def _read_single(read: Read, row: Row) -> object:
    return None if row[0] is None else read(row[0])


def _is_record(kind: object, reads: Reads) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct) and kind not in reads


def _read_of(kind: object, reads: Reads) -> Read | None:
    """Return how a column is read for a field of this type; None where it is taken as it is."""
    if kind in reads:
        return reads[kind]
    if isinstance(kind, UnionType):
        (inner,) = set(get_args(kind)) - {NoneType}
        read = _read_of(inner, reads)
        return read and partial(_read_unless_empty, read)
    if kind is datetime:
        return moment_of
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _reader(kind, reads)
    if isinstance(kind, type) and (kind is bool or issubclass(kind, Enum)):
        return kind
    if kind in _AS_IT_IS:
        return None
    raise TypeError(f"no column is read as {kind}")


def _read_unless_empty(read: Read, value: object) -> object:
    """Read a value that may be absent: NULL, or the empty text."""
    return read(value) if value else None


def _each(piece: str, between: str = ", ") -> str:
    return between.join(piece.format(name=column.name) for column in COLUMNS)


def _default(column: SubscriberColumn) -> str:
    return ":now" if column.default == NOW else f"'{column.default}'"


def _kept(column: SubscriberColumn) -> str:
    """Return a cell of a new person, with the default where it is empty."""
    return f"coalesce(nullif(n.{column.name}, ''), {_default(column)})" if column.default else f"n.{column.name}"


def _said(column: SubscriberColumn, table: str) -> str:
    """Return a cell as the list says it: empty again where the import put the default."""
    cell = f"{table}.{column.name}"
    return f"coalesce(nullif({cell}, {_default(column)}), '')" if column.default else cell


_PIECES = {
    "{columns}": _each("{name}"),
    "{s.columns}": _each("s.{name}"),
    "{i.columns}": _each("i.{name}"),
    "{s.said}": " || :mark || ".join(_said(column, "s") for column in COLUMNS),
    "{i.said}": " || :mark || ".join(_said(column, "i") for column in COLUMNS),
    "{n.kept}": ", ".join(map(_kept, COLUMNS)),
    "{definitions}": _each("{name} TEXT /*+ COLLATE \"C\" */ NOT NULL DEFAULT ''"),
    "{changes}": _each("{name} = c.{name}"),
    "{repeats}": _each("i.{name} IN (s.{name}, '')", " AND "),
}
