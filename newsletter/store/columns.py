"""Write the pieces of SQL that name every column of a subscriber, from the table of columns.

A query of `sql/` has a name in braces where such a piece belongs: `{s.columns}` lists the columns of the table `s`. The
pieces are made of our own names alone, so that no value and nothing that a user wrote becomes part of a query.
"""

from newsletter.model.columns import COLUMNS, NOW, SubscriberColumn


def with_columns(sql: str) -> str:
    """Put the pieces into the text of a file of queries."""
    for name, piece in _PIECES.items():
        sql = sql.replace(name, piece)
    return sql


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
