"""Turn an expression's parse tree into a condition, and check the names and dates in it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lark import Token, Transformer, v_args

from newsletter.errors import FaultError, parts_of
from newsletter.model.audience import normal_tag, normal_text
from newsletter.model.segment import (
    All,
    And,
    Compare,
    CompareNumber,
    Condition,
    Deed,
    Did,
    KnownNames,
    Left,
    Not,
    Occasion,
    OneOf,
    Operator,
    Or,
    Since,
    Tagged,
)
from newsletter.segments.faults import Fault, hint
from newsletter.segments.literals import Calendar, Value, has_codes, number_in, stored_form, unquoted

_TAGGED, _LEFT = "tagged", "left"
_CALLS = (_TAGGED, _LEFT, *Deed)
_OCCASIONS = frozenset(Occasion)

# Columns that have a different name in expressions.
_NAMED_OTHERWISE = {
    "tags": 'write tagged("teacher")',
    "joined_at": "write joined, for example joined >= 2025-06-01",
    "consented_at": "write consented, for example consented >= 2025-06-01",
}
# What someone probably meant by a name that is not a field.
_MEANT: Mapping[str, str] = {
    "tag": 'write tagged("teacher")',
    "topic": 'write left("events")',
    "name": "write first_name or last_name",
    **{deed.value: f'write {deed.value}("2026-01")' for deed in Deed},
}
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_EXACT = frozenset({Operator.EQUAL, Operator.UNEQUAL})
_ONLY_EXACT = "an empty value can only be used with = and !="
_RELATIVE = re.compile(r"today|yesterday|\d+ +(?:day|week|month|year)s? +ago", re.I)


@v_args(inline=True)
class Meaning(Transformer[Token, Condition]):
    """A transformer that turns a parse tree into a condition, from the leaves up, and collects mistakes in `faults`."""

    def __init__(self, names: KnownNames, calendar: Calendar) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self._names = names
        self._calendar = calendar

    def either(self, *parts: Condition) -> Condition:
        return Or(parts)

    def both(self, *parts: Condition) -> Condition:
        return And(parts)

    def negation(self, part: Condition) -> Condition:
        return part.part if isinstance(part, Not) else Not(part)

    def everyone(self) -> Condition:
        return All()

    def call(self, token: Token, value: Value | None) -> Condition:
        name = token.lower()
        if name not in _CALLS:
            known = [f'{call}("…")' for call in _CALLS]
            remedy = hint(f'{name}("…")', known, otherwise="")
            self._fault(token.start_pos, f"{token}(…) does not exist", remedy)
            return All()
        if value is None and name in {_TAGGED, _LEFT}:
            kind, example = ("tag", "teacher") if name == _TAGGED else ("topic", "events")
            self._fault(token.start_pos, f"{name}() needs a {kind}", f'write {name}("{example}")')
            return All()
        if value is None:
            return Did(Deed(name), None)
        return self._named(name, value)

    def compare(self, token: Token, sign: Token, value: Value) -> Condition:
        return self._compared(self._field(token), Operator(sign), value)

    def one_of(self, token: Token, values: Sequence[Value]) -> Condition:
        field = self._field(token)
        parts = [self._compared(field, Operator.EQUAL, value) for value in values]
        texts = tuple(part.value for part in parts if isinstance(part, Compare))
        alternatives = [part for part in parts if not isinstance(part, Compare)]
        if texts:
            alternatives.append(OneOf(field, texts))
        return alternatives[0] if len(alternatives) == 1 else Or(tuple(alternatives))

    def none_of(self, token: Token, values: Sequence[Value]) -> Condition:
        return Not(self.one_of(token, values))

    def list(self, *values: Value) -> Sequence[Value]:
        return values

    def value(self, token: Token, unit: Token | None = None) -> Value:
        position = token.start_pos or 0
        if unit is not None:
            return self._span(token, unit)
        if token.type in {"TODAY", "YESTERDAY"}:
            day = self._calendar.day_ago(int(token.type == "YESTERDAY"), "day")
            return Value(position, str(day), day)
        if token.type in {"DOUBLE", "SINGLE"}:
            return Value(position, normal_text(unquoted(token)))
        return Value(position, str(token), is_quoted=False)

    def _span(self, token: Token, unit: Token) -> Value:
        position, day = token.start_pos or 0, None
        if not token.isdigit():
            self._fault(position, f"{token} is not a whole number", "write a whole number, as in 90 days ago")
        elif (day := self._calendar.day_ago(int(token), unit)) is None:
            self._fault(
                position,
                f"{token} {unit} ago is too far in the past",
                "write a smaller number, as in 90 days ago",
            )
        day = day or self._calendar.today
        return Value(position, str(day), day)

    def _named(self, name: str, value: Value) -> Condition:
        """Return the condition for a tag, a topic or an issue, and report a name that is not known."""
        if name == _TAGGED:
            tag = normal_tag(value.text)
            if self._names.tags is not None and tag not in self._names.tags:
                remedy = hint(tag, self._names.tags, otherwise="add tags with the tags column of an import")
                self._fault(value.position, f"no subscriber has ever had the tag {tag!r}", remedy)
            return Tagged(tag)
        if name == _LEFT:
            if value.text not in self._names.topics:
                remedy = hint(value.text, self._names.topics, otherwise="add it to newsletter.toml under [topics]")
                self._fault(value.position, f"there is no topic {value.text!r} in newsletter.toml", remedy)
            return Left(value.text)
        if value.text not in self._names.issues:
            remedy = hint(value.text, self._names.issues, otherwise="create an issue with `newsletter new`")
            self._fault(value.position, f"there is no issue {value.text!r} in issues/", remedy)
        return Did(Deed(name), value.text)

    def _compared(self, field: str, operator: Operator, value: Value) -> Condition:
        """Return the condition that compares a field with a value: as dates, as numbers or as texts."""
        try:
            if not value.text and operator not in _EXACT:
                raise FaultError(_ONLY_EXACT, f'write a value, or {field} = "" for people without one')
            if field in _OCCASIONS:
                return self._at(Occasion(field), operator, value)
            number = None if has_codes(field) else number_in(value, operator)
            if number is None:
                return Compare(field, operator, stored_form(field, value.text))
        except ValueError as err:
            self._fault(value.position, *parts_of(err, otherwise="write another value"))
            return All()
        if operator is Operator.UNEQUAL:
            return Not(CompareNumber(field, Operator.EQUAL, number))
        return CompareNumber(field, operator, number)

    def _at(self, occasion: Occasion, operator: Operator, value: Value) -> Condition:
        """Return the condition that compares a date with a day or a second: `>` means after it, `=` during it.

        An empty text stands for no date. Raise ValueError with the remedy if the value is not a date.
        """
        if not value.text:
            ever = Since(occasion, _EARLIEST)
            return ever if operator is Operator.UNEQUAL else Not(ever)
        if value.is_quoted and _RELATIVE.fullmatch(value.text):
            raise FaultError(f"{value.text!r} is a text because of its quotes", f"write {value.text} without quotes")
        span = self._calendar.span_of(value)
        since, after = Since(occasion, span.first), Since(occasion, span.after)
        meant: Mapping[Operator, Condition] = {
            Operator.AT_LEAST: since,
            Operator.MORE: after,
            Operator.LESS: Not(since),
            Operator.AT_MOST: Not(after),
            Operator.EQUAL: And((since, Not(after))),
            Operator.UNEQUAL: Or((Not(since), after)),
        }
        return meant[operator]

    def _field(self, token: Token) -> str:
        name = str(token.lower())
        if name in _OCCASIONS:
            return name
        known = self._names.fields
        if name in _NAMED_OTHERWISE:
            self._fault(token.start_pos, f"the field {str(token)!r} has a different name here", _NAMED_OTHERWISE[name])
        elif known is not None and name not in known:
            choice = {*known, *_OCCASIONS} - {*_NAMED_OTHERWISE}
            remedy = _MEANT.get(name) or hint(name, choice, otherwise="")
            if (field := self._names.field_of(name)) in known:
                remedy = f"an import saves a column of that name as {field}, so write {field}"
            self._fault(token.start_pos, f"no subscriber has the field {str(token)!r}", remedy)
        return name

    def _fault(self, position: int | None, what: str, remedy: str) -> None:
        self.faults.append(Fault(position=position or 0, what=what, remedy=remedy))
