"""Compile a segment's condition to SQL over `subscriber AS s`. No name or value ever becomes part of the SQL text.

Texts are compared as they are, and a missing field counts as empty text. Dates in ISO 8601 form therefore compare
correctly. A number is compared only with texts that are numbers. No function is applied to a column, because the values
of the condition already have the form in which the list stores the column.

What people did is looked up in the tables `delivery` and `reaction`. Both are stored in the order of the broadcasts, so
each query names the broadcasts that it reads.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.model.audience import tags_text
from newsletter.model.columns import FIELD_COLUMNS
from newsletter.model.segment import (
    All,
    Among,
    And,
    Compare,
    CompareNumber,
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

# The placeholders in the queries of `sql/`. If one is not replaced, it is a parameter without a value, and both
# engines reject it.
_SEGMENT = ":segment"
_FEW = ":few"
_PART = ":part"
_FIELD = ":field"

_SQL_OPERATOR = {
    Operator.EQUAL: "=",
    Operator.UNEQUAL: "<>",
    Operator.LESS: "<",
    Operator.AT_MOST: "<=",
    Operator.MORE: ">",
    Operator.AT_LEAST: ">=",
}
_LESS = frozenset({Operator.LESS, Operator.AT_MOST})

_TAGGED = "(instr(s.tags, :tag) > 0)"
_LEFT = "(s.person IN (SELECT left_one.person FROM suppression AS left_one WHERE left_one.topic = :topic))"

_AMONG = "(s.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:people)))"

_OF_ISSUE = "SELECT b.id FROM broadcast AS b WHERE b.issue = :issue"
_OF_ANY = "SELECT b.id FROM broadcast AS b"
_REACTIONS = "reaction AS r WHERE r.type = '{type}' AND r.broadcast IN ({broadcasts}){since}"

# A message reaches its recipient when the provider accepts it, or at the time until which the provider holds it. Nearly
# all chunks of a broadcast are accepted, so it is faster to exclude the few chunks that are not (NOT IN).
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
_COLUMNS = {
    Occasion.JOINED: "s.joined_at",
    Occasion.CONSENTED: "s.consented_at",
    Occasion.CONFIRMED: "s.consent_confirmed_at",
}


def compose(
    statement: Composed,
    dialect: Dialect,
    *,
    segment: Condition,
    pieces: Mapping[str, Callable[["Binder"], str]] = MappingProxyType({}),
    field_name: str | None = None,
    part: ListPart | None = None,
) -> tuple[Composed, dict[str, str | int]]:
    """Fill a statement's placeholders. Return the statement and the values of its parameters.

    `:segment` and `:few` become the segment's condition. `pieces` maps other placeholders, such as `:lookups`, to the
    functions that generate their SQL. If the statement has `:part`, only subscribers in `part` are read.
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
    """Assigns a separate parameter to each value."""

    dialect: Dialect
    values: dict[str, str] = field(default_factory=dict)
    looks_up: bool = False  # test each subscriber with EXISTS, rather than building the set of all matches first
    part: ListPart | None = None

    def is_in_part(self, column: str) -> str:
        """Return SQL that is true for the ids in the part, or for every id if there is no part."""
        return f"{column} > :part_after AND {column} <= :part_until" if self.part else "TRUE"

    def bind(self, value: str) -> str:
        """Bind a value to a new parameter. Return the parameter as SQL."""
        name = f"bound_{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def is_among(self, column: str, rows: str, *, looks_up: bool = False) -> str:
        """Return SQL that is true if the subscriber's id is in a column of `rows`. See `Dialect.is_among`."""
        if self.looks_up or looks_up:
            return f"(EXISTS (SELECT 1 FROM {rows} AND {column} = s.id))"  # noqa: S608 - our own names
        return self.dialect.is_among(column, f"{rows} AND {self.is_in_part(column)}" if self.part else rows)


def condition_sql(condition: Condition, binder: Binder) -> str:
    """Return SQL over `subscriber AS s` that is true for the subscribers who match a condition."""
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


def _test_sql(condition: Compare | CompareNumber | OneOf | Tagged | Left | Among | Did | Since, binder: Binder) -> str:
    match condition:
        case Compare() | CompareNumber():
            return _comparison_sql(condition, binder)
        case OneOf(name, values):
            bound = ", ".join([binder.bind(value) for value in values])
            return f"({_compared_sql(name, binder)} IN ({bound}))"
        case Tagged(tag):
            return _TAGGED.replace(":tag", binder.bind(tags_text((tag,))))
        case Among(people):
            return _AMONG.replace(":people", binder.bind(orjson.dumps(people).decode()))
        case Did() | Since():
            return _did_sql(condition, binder) if isinstance(condition, Did) else _since_sql(condition, binder)
        case Left(topic):
            return _LEFT.replace(":topic", binder.bind(topic))


def _comparison_sql(comparison: Compare | CompareNumber, binder: Binder) -> str:
    operator = _SQL_OPERATOR[comparison.operator]
    if isinstance(comparison, CompareNumber):
        field_sql = _field_sql(comparison.field, binder)
        number = f"CAST({binder.bind(repr(comparison.number))} AS DOUBLE PRECISION)"
        is_so = f"CAST({field_sql} AS DOUBLE PRECISION) {operator} {number}"
        return f"(CASE WHEN {binder.dialect.is_number(field_sql)} THEN {is_so} ELSE FALSE END)"
    field_sql = _compared_sql(comparison.field, binder)
    is_so = f"{field_sql} {operator} {binder.bind(comparison.value)}"
    return f"({field_sql} <> '' AND {is_so})" if comparison.operator in _LESS else f"({is_so})"


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
    """Return SQL that is true for subscribers who were sent one of the broadcasts.

    Across many broadcasts almost everyone matches. An EXISTS per subscriber, which stops at the first hit, is then
    faster than building the set of all recipients.
    """
    taken = _DELIVERIES.format(broadcasts=broadcasts, is_taken=is_taken)
    return binder.is_among("d.subscriber", taken, looks_up=are_many)


def _compared_sql(name: str, binder: Binder) -> str:
    """Return SQL for the field in the form in which it is compared: an address as the key of its person."""
    return "s.person" if name == "email" else _field_sql(name, binder)


def _field_sql(name: str, binder: Binder) -> str:
    if name in FIELD_COLUMNS:
        return f"s.{name}"
    return f"coalesce({binder.dialect.attribute(binder.bind(name))}, '')"
