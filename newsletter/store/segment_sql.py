"""Compiles a segment's condition to SQL over `subscriber AS s`; no name or value ever becomes part of the text.

Values are compared as text, and a field that a person lacks is empty text. Dates written as in ISO 8601 therefore
compare right. For `<`, `<=`, `>` and `>=` alone: where both sides are written as plain numbers they are compared as
numbers, so that 95 < 100.

What people did is asked of the deliveries, and of `reaction`, which is stored broadcast by broadcast; each query
therefore names the broadcasts that it means.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.model.audience import tags_text
from newsletter.model.columns import FIELD_COLUMNS
from newsletter.model.segment import (
    All,
    And,
    Compare,
    Condition,
    Deed,
    Did,
    Left,
    Not,
    Occasion,
    OneOf,
    Operator,
    Or,
    Since,
    Tagged,
)
from newsletter.store.database import Dialect, ListPart
from newsletter.store.queries import Statement
from newsletter.system.moments import text_of

Composed = TypeVar("Composed", bound=Statement)

# Where the queries of `sql/` are open; one that is left open is a parameter without a value, which an engine refuses.
_SEGMENT = ":segment"
_FEW = ":few"
_PART = ":part"
_FIELD = ":field"

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

_TAGGED = "(instr(s.tags, :tag) > 0)"
_LEFT = "(s.person IN (SELECT left_one.person FROM suppression AS left_one WHERE left_one.topic = :topic))"

_OF_ISSUE = "SELECT b.id FROM broadcast AS b WHERE b.issue = :issue"
_OF_ANY = "SELECT b.id FROM broadcast AS b"
_REACTIONS = "reaction AS r WHERE r.type = '{type}' AND r.broadcast IN ({broadcasts}){since}"

# A message reaches somebody when it is taken, or when the provider was asked to let it go. Nearly all chunks of a
# broadcast are taken: to look a delivery up among those that are not is quicker.
_ARRIVAL = "CASE WHEN c.hold_until <> '' THEN c.hold_until ELSE c.changed_at END"
_DELIVERIES = (
    "delivery AS d WHERE d.broadcast IN ({broadcasts}) AND d.chunk IS NOT NULL AND (d.broadcast, d.chunk) NOT IN "
    "(SELECT c.broadcast, c.number FROM chunk AS c WHERE c.broadcast IN ({broadcasts}) AND NOT ({is_taken}))"
)
_TYPES = {
    Deed.OPENED: "opened",
    Deed.CLICKED: "clicked",
    Occasion.LAST_OPENED: "opened",
    Occasion.LAST_CLICKED: "clicked",
}
_COLUMNS = {Occasion.JOINED: "s.joined_at", Occasion.CONSENTED: "s.consented_at"}


def compose(
    statement: Composed,
    dialect: Dialect,
    *,
    segment: Condition,
    pieces: Mapping[str, Callable[["Binder"], str]] = MappingProxyType({}),
    field_name: str | None = None,
    part: ListPart | None = None,
) -> tuple[Composed, dict[str, str | int]]:
    """Put a segment's condition, and what else is open, into a statement. Return it with the values that it binds.

    `pieces` write what stands in the place of a word of the statement, such as `:joins`. Only people of `part` are
    looked at, where it asks about parts.
    """
    binder = Binder(dialect, part=part)
    sql = statement.sql.replace(_PART, binder.is_in_part("s.id"))
    if _SEGMENT in sql:
        sql = sql.replace(_SEGMENT, condition_sql(segment, binder))
    if _FEW in sql:
        sql = sql.replace(_FEW, condition_sql(segment, replace(binder, looks_up=True)))
    for word, write in pieces.items():
        sql = sql.replace(word, write(binder))
    if field_name is not None:
        sql = sql.replace(_FIELD, _field_sql(field_name, binder))
    bounds = {"part_after": part.after, "part_until": part.until} if part else {}
    return statement.rewritten(sql), {**bounds, **binder.values}


class Binder(Struct):
    """Gives each value a parameter of its own."""

    dialect: Dialect
    values: dict[str, str] = field(default_factory=dict)
    looks_up: bool = False  # each person among the rows, rather than everybody at once
    part: ListPart | None = None

    def is_in_part(self, column: str) -> str:
        """Return SQL that is true of the ids of the part, and of all where there is none."""
        return f"{column} > :part_after AND {column} <= :part_until" if self.part else "TRUE"

    def bind(self, value: str) -> str:
        name = f"bound_{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def is_among(self, column: str, rows: str, *, looks_up: bool = False) -> str:
        """Return SQL that is true where the subscriber's id stands in a column of `rows`, as the dialect takes them."""
        if self.looks_up or looks_up:
            return f"(EXISTS (SELECT 1 FROM {rows} AND {column} = s.id))"  # noqa: S608 - our own names
        return self.dialect.is_among(column, f"{rows} AND {self.is_in_part(column)}" if self.part else rows)


def condition_sql(condition: Condition, binder: Binder) -> str:
    """Return SQL over `subscriber AS s` that is true where a condition is."""
    match condition:
        case All():
            return "TRUE"
        case And(parts) | Or(parts):
            word = " AND " if isinstance(condition, And) else " OR "
            return f"({word.join([condition_sql(part, binder) for part in parts])})"
        case Not(part):
            return f"(NOT {condition_sql(part, binder)})"
        case _:
            return _test_sql(condition, binder)


def _test_sql(condition: Compare | OneOf | Tagged | Left | Did | Since, binder: Binder) -> str:
    match condition:
        case Compare():
            return _comparison_sql(condition, binder)
        case OneOf(name, values):
            bound = ", ".join([binder.bind(value) for value in values])
            return f"({_field_sql(name, binder)} IN ({bound}))"
        case Tagged(tag):
            return _TAGGED.replace(":tag", binder.bind(tags_text((tag,))))
        case Left(topic):
            return _LEFT.replace(":topic", binder.bind(topic))
        case Did():
            return _did_sql(condition, binder)
        case Since():
            return _since_sql(condition, binder)


def _comparison_sql(comparison: Compare, binder: Binder) -> str:
    field_sql = _field_sql(comparison.field, binder)
    value = binder.bind(comparison.value)
    operator = _SQL_OPERATOR[comparison.operator]
    as_text = f"({field_sql} {operator} {value})"
    if comparison.operator in _TEXT_ONLY or not _NUMBER.fullmatch(comparison.value):
        return as_text
    as_number = f"CAST({field_sql} AS DOUBLE PRECISION) {operator} CAST({value} AS DOUBLE PRECISION)"
    return f"(CASE WHEN {binder.dialect.looks_numeric(field_sql)} THEN {as_number} ELSE {as_text} END)"


def _did_sql(did: Did, binder: Binder) -> str:
    broadcasts = _OF_ANY if did.issue is None else _OF_ISSUE.replace(":issue", binder.bind(did.issue))
    if did.deed is Deed.RECEIVED:
        return _received_sql(broadcasts, "c.state = 'accepted'", binder, are_many=did.issue is None)
    reactions = _REACTIONS.format(type=_TYPES[did.deed], broadcasts=broadcasts, since="")
    return binder.is_among("r.subscriber", reactions)


def _since_sql(since: Since, binder: Binder) -> str:
    moment = binder.bind(text_of(since.moment))
    if since.occasion in _COLUMNS:
        return f"({_COLUMNS[since.occasion]} >= {moment})"
    if since.occasion is Occasion.LAST_RECEIVED:
        is_taken = f"c.state = 'accepted' AND {_ARRIVAL} >= {moment}"
        recent = f"SELECT c.broadcast FROM chunk AS c WHERE {is_taken}"  # noqa: S608 - all of it is written above
        return _received_sql(recent, is_taken, binder, are_many=True)
    type_ = _TYPES[since.occasion]
    reactions = _REACTIONS.format(type=type_, broadcasts=_OF_ANY, since=f" AND r.last_at >= {moment}")
    return binder.is_among("r.subscriber", reactions)


def _received_sql(broadcasts: str, is_taken: str, binder: Binder, *, are_many: bool) -> str:
    """Return SQL for who got something. Across many broadcasts nearly all did: a look-up ends at the first hit."""
    taken = _DELIVERIES.format(broadcasts=broadcasts, is_taken=is_taken)
    return binder.is_among("d.subscriber", taken, looks_up=are_many)


def _field_sql(name: str, binder: Binder) -> str:
    if name in FIELD_COLUMNS:
        return f"s.{name}"
    return f"coalesce({binder.dialect.attribute(binder.bind(name))}, '')"
