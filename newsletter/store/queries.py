"""The named queries of `sql/`, each called through a handle that knows what its rows are.

A module names its queries at its top: `_FIND = query_one("broadcasts", "find", Broadcast)`. A record is a NamedTuple or
a dataclass with one field per column, in the order of the columns. Columns are read by the fields' types: a moment is
kept as text, an enum as its value, a truth as 0 or 1. `tests/store/test_queries.py` runs every query on both engines
and holds the rows against their records.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, Self, TypeVar, cast, get_args, get_type_hints

import aiosql
from aiosql.adapters.generic import GenericAdapter

from newsletter.store.columns import with_columns
from newsletter.store.database import Connection, Row
from newsletter.system.moments import moment_of

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)\(.*\)\S*\n(?:--.*\n)*", re.MULTILINE)  # with what is said about the query
_AS_IT_IS = (str, int, bytes)

R = TypeVar("R")
Read = Callable[..., object]
Reads = Mapping[object, Read]  # by the type of the field


@dataclass(frozen=True, slots=True)
class Query(Generic[R]):
    """A query of `sql/`; `kind` is the record of its rows, or the type of its only column."""

    name: tuple[str, str]  # the file and the query
    sql: str
    kind: Callable[..., R]
    read: Callable[[Row], R]

    def rewritten(self, sql: str) -> Self:
        """Return the same query with its open places filled in."""
        return replace(self, sql=sql)


class QueryAll(Query[R]):
    """A query that finds any number of rows."""

    def __call__(self, connection: Connection, /, **parameters: object) -> list[R]:
        """Return all rows."""
        return list(map(self.read, connection.execute(self.sql, parameters).fetchall()))


class QueryOne(Query[R]):
    """A query that finds one row or none; of a single column, one value or NULL."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R | None:
        """Return the row or the value, or None where there is none."""
        row = connection.execute(self.sql, parameters).fetchone()
        return None if row is None else self.read(row)


class QueryValue(Query[R]):
    """A query that always finds exactly one row, such as of counts; of a single column, one value."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R:
        """Return the row or the value."""
        (row,) = connection.execute(self.sql, parameters).fetchall()
        return self.read(row)


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that changes rows, or a table."""

    name: tuple[str, str]
    sql: str

    def __call__(self, connection: Connection, /, **parameters: object) -> int:
        """Return how many rows were changed."""
        return connection.execute(self.sql, parameters).rowcount

    def for_each(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> int:
        """Run the statement once per row of parameters. Return how many rows were changed in all."""
        return connection.execute_each(self.sql, rows)


def query_all(file: str, name: str, kind: Callable[..., R], reads: Reads | None = None) -> QueryAll[R]:
    """Return the handle of a query with any number of rows; `reads` tells how columns of further types are read."""
    return QueryAll((file, name), _sql(file, name), kind, _reader(kind, reads or {}))


def query_one(file: str, name: str, kind: Callable[..., R], reads: Reads | None = None) -> QueryOne[R]:
    """Return the handle of a query with at most one row; `reads` as for `query_all`."""
    return QueryOne((file, name), _sql(file, name), kind, _reader(kind, reads or {}))


def query_value(file: str, name: str, kind: Callable[..., R]) -> QueryValue[R]:
    """Return the handle of a query with exactly one row."""
    return QueryValue((file, name), _sql(file, name), kind, _reader(kind, {}))


def change(file: str, name: str) -> Change:
    """Return the handle of a statement that changes something."""
    return Change((file, name), _sql(file, name))


@cache
def queries_in(file: str) -> Mapping[str, str]:
    """Return the SQL of each query of `sql/FILE.sql` by its name."""
    _, *pieces = _NAME.split(with_columns((_FOLDER / f"{file}.sql").read_text(encoding="utf-8")))
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def is_single(kind: Callable[..., object]) -> bool:
    """Return whether this is the type of a single column, rather than a record."""
    return kind in {*_AS_IT_IS, bool, datetime} or (isinstance(kind, type) and issubclass(kind, Enum))


def load_queries(name: str) -> Any:
    """Return the queries of `sql/NAME.sql` as untyped functions, for modules that have no handles yet."""
    return aiosql.from_str(with_columns((_FOLDER / f"{name}.sql").read_text(encoding="utf-8")), GenericAdapter)


def _sql(file: str, name: str) -> str:
    return queries_in(file)[name].strip()


def _reader(kind: Callable[..., R], reads: Reads) -> Callable[[Row], R]:
    """Return what makes a record, or a single value, of a row.

    Most rows hold nothing that needs to be read: a NamedTuple is then made without a step in Python.
    """
    if is_single(kind):
        return cast("Callable[[Row], R]", _value_reader(kind))
    types = get_type_hints(kind)
    names = tuple(types)
    changed = [(name, place, read) for place, name in enumerate(names) if (read := _read_of(types[name], reads))]
    if isinstance(kind, type) and issubclass(kind, tuple) and not changed:
        return cast("Callable[[Row], R]", partial(tuple.__new__, kind))

    def read_row(row: Row) -> R:
        values = dict(zip(names, row, strict=True))
        for name, place, read in changed:
            values[name] = read(row[place])
        return kind(**values)

    return read_row


def _value_reader(kind: Read) -> Callable[[Row], object]:
    read = _read_of(kind, {}) or kind
    return lambda row: None if row[0] is None else read(row[0])


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
    if isinstance(kind, type) and (kind is bool or issubclass(kind, Enum)):
        return kind
    if kind in _AS_IT_IS:
        return None
    raise TypeError(f"no column is read as {kind}")


def _read_unless_empty(read: Read, value: object) -> object:
    """Read a value that may be absent: NULL, or the empty text."""
    return read(value) if value else None
