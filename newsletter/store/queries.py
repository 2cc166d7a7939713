"""The named queries of `sql/`, each called through a handle that converts its rows to records or values.

A module declares its queries at the top: `_FIND = query_one("broadcasts", "find", Broadcast)`. A record is a NamedTuple
or a Struct with one field per column, in the order of the columns. If the last field is itself a Struct, it takes all
remaining columns. The type of a field decides how its column is read: a time is stored as text, an enum as its value,
a boolean as 0 or 1. `tests/store/test_queries.py` runs every query on both engines and compares the rows with their
records.

A name in braces is replaced with a piece of SQL that is generated from the table of columns, or from the policy on
consent and leaving. For example, `{s.columns}` lists the columns of table `s`. No text from a user ever becomes part of
a query.
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
from newsletter.model.permission import (
    ends_with_sql,
    firmer_sql,
    firmest_sql,
    firmness_sql,
    is_new_sql,
    last_sql,
    left_sql,
    outweighs_sql,
    unaskable_sql,
    unasked_again_sql,
    unasked_for_sql,
    unasked_sql,
    unsent_sql,
)
from newsletter.store.database import Connection, Database, Row
from newsletter.system.moments import moment_of

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)\(.*\)\S*\n(?:--.*\n)*", re.MULTILINE)  # includes the comment on the query
# The domain is the text after the last @. Finding the last @ costs twice as much as finding the first. So the last @ is
# searched for only if another @ follows the first, which happens only in quoted addresses.
_AFTER_FIRST_AT = "substr(s.person, instr(s.person, '@') + 1)"
_AFTER_LAST_AT = "substr(s.person, length(rtrim(s.person, replace(s.person, '@', ''))) + 1)"
DOMAIN = f"CASE instr({_AFTER_FIRST_AT}, '@') WHEN 0 THEN {_AFTER_FIRST_AT} ELSE {_AFTER_LAST_AT} END"  # of `s`
_AS_IT_IS = (str, int, bytes)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Read = Callable[..., object]  # type: ignore[explicit-any] # takes any value that an engine returns for a column
Reads = Mapping[object, Read]  # keyed by the type of the field


class _Maker(Protocol[R_co]):
    """The class of a record, called with its fields."""

    def __call__(self, **fields: object) -> R_co:
        """Return a record."""


class Statement(Struct, frozen=True):
    """A statement from `sql/`."""

    name: tuple[str, str]  # the file and the query
    sql: str

    def rewritten(self, sql: str) -> Self:
        """Return the same statement with this SQL, in which the placeholders have been filled in."""
        return replace(self, sql=sql)


class Change(Statement, frozen=True):
    """A statement that changes rows, or a table."""

    def __call__(self, connection: Connection, /, **parameters: object) -> int:
        """Run the statement. Return the number of rows changed."""
        return connection.execute(self.sql, parameters).rowcount

    def for_each(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> int:
        """Run the statement once per row of parameters. Return the total number of rows changed."""
        return connection.execute_each(self.sql, rows)


class Query(Statement, Generic[R], frozen=True):
    """A query. `kind` is the record type of its rows, or the type of its only column."""

    kind: type[R]
    read: Callable[[Row], R]


class QueryAll(Query[R], frozen=True):
    """A query that returns any number of rows."""

    def __call__(self, connection: Connection, /, **parameters: object) -> list[R]:
        """Return all rows."""
        return list(map(self.read, connection.execute(self.sql, parameters).fetchall()))

    def ask(self, database: Database, /, **parameters: object) -> tuple[R, ...]:
        """Run the query in a separate read transaction, and return all rows."""
        with database.read() as connection:
            return tuple(self(connection, **parameters))


class QueryOne(Query[R], frozen=True):
    """A query that returns at most one row. If it has a single column, the value may also be NULL."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R | None:
        """Return the row or the value, or None if there is none."""
        row = connection.execute(self.sql, parameters).fetchone()
        return None if row is None else self.read(row)

    def ask(self, database: Database, /, **parameters: object) -> R | None:
        """Run the query in a separate read transaction, and return the row or the value."""
        with database.read() as connection:
            return self(connection, **parameters)


class QueryValue(Query[R], frozen=True):
    """A query that always returns exactly one row, such as a row of counts. A single column is returned as a value."""

    def __call__(self, connection: Connection, /, **parameters: object) -> R:
        """Return the row or the value."""
        (row,) = connection.execute(self.sql, parameters).fetchall()
        return self.read(row)

    def ask(self, database: Database, /, **parameters: object) -> R:
        """Run the query in a separate read transaction, and return the row or the value."""
        with database.read() as connection:
            return self(connection, **parameters)


def query_all(file: str, name: str, kind: type[R], reads: Reads | None = None) -> QueryAll[R]:
    """Return the handle of a query with any number of rows. `reads` maps further types to their readers."""
    return QueryAll((file, name), queries_in(file)[name], kind, _reader(kind, reads or {}))


def query_one(file: str, name: str, kind: type[R], reads: Reads | None = None) -> QueryOne[R]:
    """Return the handle of a query with at most one row. `reads` works as in `query_all`."""
    return QueryOne((file, name), queries_in(file)[name], kind, _reader(kind, reads or {}))


def query_value(file: str, name: str, kind: type[R]) -> QueryValue[R]:
    """Return the handle of a query with exactly one row."""
    return QueryValue((file, name), queries_in(file)[name], kind, _reader(kind, {}))


def change(file: str, name: str) -> Change:
    """Return the handle of a statement that changes rows or a table."""
    return Change((file, name), queries_in(file)[name])


@cache
def queries_in(file: str) -> Mapping[str, str]:
    """Return the SQL of each query in `sql/FILE.sql`, by name."""
    _, *pieces = _NAME.split(with_columns((_FOLDER / f"{file}.sql").read_text(encoding="utf-8")))
    return {name: sql.strip() for name, sql in zip(pieces[::2], pieces[1::2], strict=True)}


def with_columns(sql: str) -> str:
    """Replace the names in braces with the pieces of SQL that are generated from the table of columns."""
    for name, piece in _PIECES.items():
        sql = sql.replace(name, piece)
    return sql


def is_single(kind: object) -> bool:
    """Return True for the type of a single column, False for a record."""
    return kind in {*_AS_IT_IS, bool, datetime} or (isinstance(kind, type) and issubclass(kind, Enum))


def _reader(kind: type[R], reads: Reads) -> Callable[[Row], R]:
    """Return the function that turns a row into a record or a single value.

    Most rows have no column that needs conversion. A NamedTuple is then built by `tuple.__new__`, without running any
    Python code per row.
    """
    if is_single(kind):
        return cast("Callable[[Row], R]", partial(_read_single, _read_of(kind, {}) or kind))
    types = get_type_hints(kind)
    names = tuple(types)
    # A record inside the record is read from all remaining columns.
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
    """Return the function that converts a column for a field of this type, or None if the value is used unchanged."""
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
    raise TypeError(f"no column can be read as {kind}")


def _read_unless_empty(read: Read, value: object) -> object:
    """Convert a value that may be missing. NULL and the empty string both mean that it is missing."""
    return read(value) if value else None


def _each(piece: str, between: str = ", ") -> str:
    return between.join(piece.format(name=column.name) for column in COLUMNS)


def _default(column: SubscriberColumn) -> str:
    return ":now" if column.default == NOW else f"'{column.default}'"


def _kept(column: SubscriberColumn) -> str:
    """Return SQL for a cell of a new subscriber, with the column's default if the cell is empty."""
    return f"coalesce(nullif(n.{column.name}, ''), {_default(column)})" if column.default else f"n.{column.name}"


def _said(column: SubscriberColumn, table: str) -> str:
    """Return SQL for a cell as it was in the list: empty if the import filled in the default."""
    cell = f"{table}.{column.name}"
    return f"coalesce(nullif({cell}, {_default(column)}), '')" if column.default else cell


_PIECES = {
    "{columns}": _each("{name}"),
    "{s.columns}": _each("s.{name}"),
    "{i.columns}": _each("i.{name}"),
    "{no_columns}": _each("no_{name}"),
    "{s.domain}": DOMAIN,
    "{s.packed}": " || :mark || ".join(f"s.{column.name}" for column in COLUMNS),
    "{s.said}": " || :mark || ".join(_said(column, "s") for column in COLUMNS),
    "{i.said}": " || :mark || ".join(_said(column, "i") for column in COLUMNS),
    "{n.kept}": ", ".join(map(_kept, COLUMNS)),
    "{definitions}": _each("{name} TEXT /*+ COLLATE \"C\" */ NOT NULL DEFAULT ''"),
    "{changes}": _each("{name} = c.{name}"),
    "{s.outweighs}": outweighs_sql("s", "l.until"),
    "{i.outweighs}": outweighs_sql("i", "l.until"),
    "{i.is_new}": is_new_sql("i", "s"),
    "{p.last}": last_sql("p"),
    "{firmer}": firmer_sql("forgotten.reason", "excluded.reason"),
    "{firmness}": firmness_sql("reason"),
    "{p.firmness}": firmness_sql("p.reason"),
    "{p.firmest}": firmest_sql("p", "r"),
    "{s.ends}": ends_with_sql("s"),
    "{i.ends}": ends_with_sql("i"),
    "{d.left}": left_sql("d"),
    "{u.unasked}": unasked_sql("u"),
    "{u.unasked_again}": unasked_again_sql("u"),
    "{s.unasked_for}": unasked_for_sql("s"),
    "{s.unaskable}": unaskable_sql("s"),
    "{u.unsent}": unsent_sql("u"),
    "{repeats}": _each("i.{name} IN (s.{name}, :no_{name})", " AND "),
}
