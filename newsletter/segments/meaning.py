"""Turn an expression's parse tree into a condition, and check the names and dates in it."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lark import Token, Transformer, v_args
from msgspec import Struct

from newsletter.model.audience import normal_tag
from newsletter.model.segment import (
    All,
    And,
    Compare,
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

_DAYS_OF = {"day": 1, "week": 7}
_YEARS = range(1900, 2200)  # far enough from the limits of Python's dates to be safe in every time zone


class Calendar(Struct, frozen=True, kw_only=True):
    """The current date, and the times at which days begin in the newsletter's time zone."""

    now: datetime
    zone: str  # the newsletter's

    @property
    def today(self) -> date:
        """The date on which `now` falls."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def beginning_of(self, day: date) -> datetime:
        """Return the time at which a day begins, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def beginning_after(self, day: date) -> datetime:
        """Return the time at which the next day begins, in UTC."""
        return self.beginning_of(day + timedelta(days=1))

    def day_ago(self, number: int, unit: str) -> date | None:
        """Return the date `number` days, weeks, months or years ago, or None if it is too long ago.

        If a month has no such day, return its last day. `unit` may be in any case, singular or plural.
        """
        singular = unit.lower().removesuffix("s")
        if singular in _DAYS_OF:
            return _days_before(self.today, _DAYS_OF[singular] * number)
        return _months_before(self.today, number if singular == "month" else 12 * number)


def read_day(text: str) -> date | None:
    """Return a date written in ISO 8601, or None if there is no such date or its year is out of range."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _days_before(today: date, days: int) -> date | None:
    return today - timedelta(days=days) if days <= (today - date(_YEARS[0], 1, 1)).days else None


def _months_before(today: date, months: int) -> date | None:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year not in _YEARS:
        return None
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


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
    **{deed.value: f'write {deed.value}("2026-01")' for deed in Deed},
}
_DAYS = "write a date such as 2025-06-01, or 90 days ago"


class Value(Struct, frozen=True):
    """A value that a field is compared with: its text, and its date if it is one."""

    position: int
    text: str
    day: date | None


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
        name, operator = token.lower(), Operator(sign)
        if name in _OCCASIONS:
            return self._at(Occasion(name), operator, value)
        return Compare(self._field(token), operator, value.text)

    def one_of(self, token: Token, values: Sequence[Value]) -> Condition:
        if token.lower() in _OCCASIONS:
            what = f"{token.lower()} is a date and cannot be used with `in (…)`"
            self._fault(token.start_pos, what, f"write, for example, {token.lower()} >= 2025-06-01")
        return OneOf(self._field(token), tuple(value.text for value in values))

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
        text = token[1:-1] if token.type in {"DOUBLE", "SINGLE"} else str(token)
        day = read_day(text)
        if token.type == "DATE" and day is None:
            self._fault(
                position,
                f"the date {text} does not exist",
                "write a day that exists as year-month-day, such as 2025-06-01",
            )
            day = self._calendar.today
        return Value(position, text, day)

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

    def _at(self, occasion: Occasion, operator: Operator, value: Value) -> Condition:
        """Return the condition that compares a date with a whole day: `>` means after the day, `=` during the day."""
        if value.day is None:
            self._fault(value.position, f"{occasion} is a date, but {value.text!r} is not", _DAYS)
            return All()
        since = Since(occasion, self._calendar.beginning_of(value.day))
        after = Since(occasion, self._calendar.beginning_after(value.day))
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
            self._fault(token.start_pos, f"no subscriber has the field {str(token)!r}", remedy)
        return name

    def _fault(self, position: int | None, what: str, remedy: str) -> None:
        self.faults.append(Fault(position=position or 0, what=what, remedy=remedy))
