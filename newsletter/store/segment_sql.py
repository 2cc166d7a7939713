"""Compiles a segment's condition to SQL over `subscriber AS s`; no name or value ever becomes part of the text.

Values are compared as text, and a field that a person lacks is empty text. Dates written as in ISO 8601 therefore
compare right. For `<`, `<=`, `>` and `>=` alone: where both sides are written as plain numbers they are compared as
numbers, so that 95 < 100.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.model.audience import SUBSCRIBER_COLUMNS
from newsletter.model.segment import All, And, Compare, Condition, Not, OneOf, Operator, Or, Tagged
from newsletter.store.database import Dialect

# Where the queries of `sql/` are open; one that is left open is a parameter without a value, which an engine refuses.
_SEGMENT = ":segment"
_VARIANT = ":variant"
_FIELD = ":field"

_TAGGED = "EXISTS (SELECT 1 FROM tag WHERE tag.subscriber = s.id AND tag.tag = :tag)"

TEXT_COLUMNS = frozenset(SUBSCRIBER_COLUMNS) - {"tags"}
# No longer than a double surely holds: beyond that PostgreSQL fails where it is asked to make a number of it.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?")
_SQL_OPERATOR = {
    Operator.EQUAL: "=",
    Operator.UNEQUAL: "<>",
    Operator.LESS: "<",
    Operator.AT_MOST: "<=",
    Operator.MORE: ">",
    Operator.AT_LEAST: ">=",
}
_TEXT_ONLY = frozenset({Operator.EQUAL, Operator.UNEQUAL})


@dataclass(frozen=True, slots=True)
class ComposedQuery:
    """A query with its conditions put in, and the values that they bind."""

    sql: str
    parameters: dict[str, str | int]


def compose(
    query: str,
    dialect: Dialect,
    *,
    segment: Condition,
    variants: Sequence[Condition] = (),
    field_name: str | None = None,
    **parameters: str | int,
) -> ComposedQuery:
    """Puts a segment's condition, and what else the query leaves open, into a query of `sql/`.

    `variants` make a bit mask: bit N is set where the Nth condition is true. `parameters` are the query's own.
    """
    binder = _Binder(dialect)
    sql = query.replace(_SEGMENT, _condition_sql(segment, binder))
    bits = [f"CASE WHEN {_condition_sql(only, binder)} THEN {1 << n} ELSE 0 END" for n, only in enumerate(variants)]
    sql = sql.replace(_VARIANT, " + ".join(bits) or "0")
    if field_name is not None:
        sql = sql.replace(_FIELD, _field_sql(field_name, binder))
    return ComposedQuery(sql, {**parameters, **binder.values})


@dataclass(slots=True)
class _Binder:
    """Gives each value a parameter of its own."""

    dialect: Dialect
    values: dict[str, str] = field(default_factory=dict)

    def bind(self, value: str) -> str:
        name = f"bound_{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def _condition_sql(condition: Condition, binder: _Binder) -> str:
    match condition:
        case All():
            return "TRUE"
        case And(parts) | Or(parts):
            return _joined(" AND " if isinstance(condition, And) else " OR ", parts, binder)
        case Not(part):
            return f"(NOT {_condition_sql(part, binder)})"
        case Compare():
            return _comparison_sql(condition, binder)
        case OneOf(name, values):
            bound = ", ".join([binder.bind(value) for value in values])
            return f"({_field_sql(name, binder)} IN ({bound}))"
        case Tagged(tag):
            return _TAGGED.replace(":tag", binder.bind(tag))


def _joined(word: str, parts: tuple[Condition, ...], binder: _Binder) -> str:
    pieces = [_condition_sql(part, binder) for part in parts]
    return f"({word.join(pieces)})"


def _comparison_sql(comparison: Compare, binder: _Binder) -> str:
    field_sql = _field_sql(comparison.field, binder)
    value = binder.bind(comparison.value)
    operator = _SQL_OPERATOR[comparison.operator]
    as_text = f"({field_sql} {operator} {value})"
    if comparison.operator in _TEXT_ONLY or not _NUMBER.fullmatch(comparison.value):
        return as_text
    as_number = f"CAST({field_sql} AS DOUBLE PRECISION) {operator} CAST({value} AS DOUBLE PRECISION)"
    return f"(CASE WHEN {binder.dialect.looks_numeric(field_sql)} THEN {as_number} ELSE {as_text} END)"


def _field_sql(name: str, binder: _Binder) -> str:
    if name in TEXT_COLUMNS:
        return f"s.{name}"
    return f"coalesce({binder.dialect.attribute(binder.bind(name))}, '')"
