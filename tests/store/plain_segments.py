"""What a segment's condition means, in plain Python: no SQL, no indexes, one person at a time."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne

from newsletter.model.address import person_of
from newsletter.model.columns import SubscriberRecord
from newsletter.model.segment import (
    All,
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
from newsletter.system.moments import text_of

_COMPARISONS: Mapping[Operator, Callable[[object, object], bool]] = {
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.MORE: gt,
    Operator.AT_LEAST: ge,
}
_NUMBER = re.compile(r"[ \t\n\r\f\v]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?[ \t\n\r\f\v]*")
_DEEDS = {
    Occasion.LAST_RECEIVED: Deed.RECEIVED,
    Occasion.LAST_OPENED: Deed.OPENED,
    Occasion.LAST_CLICKED: Deed.CLICKED,
}


@dataclass(slots=True, kw_only=True)
class Person:
    """A person and what they did: which deed, with which issue, when."""

    record: SubscriberRecord
    deeds: list[tuple[Deed, str, datetime]] = field(default_factory=list)
    left: set[str] = field(default_factory=set)


def holds(condition: Condition, person: Person) -> bool:
    """Whether the condition is true of the person."""
    match condition:
        case All():
            return True
        case And(parts):
            return all(holds(part, person) for part in parts)
        case Or(parts):
            return any(holds(part, person) for part in parts)
        case Not(part):
            return not holds(part, person)
        case Did() | Since() | Left():
            return _lived(condition, person)
        case _:
            return _says(condition, person.record)


def _says(condition: Compare | CompareNumber | OneOf | Tagged, record: SubscriberRecord) -> bool:
    match condition:
        case Compare():
            return _compares(condition, _compared(record, condition.field))
        case CompareNumber(name, operator, number):
            text = _text(record, name)
            is_number = len(text) <= 200 and _NUMBER.fullmatch(text) is not None
            return is_number and _COMPARISONS[operator](float(text), number)
        case OneOf(name, values):
            return _compared(record, name) in values
        case Tagged(tag):
            return tag in record.tags


def _lived(condition: Did | Since | Left, person: Person) -> bool:
    match condition:
        case Did(deed, issue):
            return any(done is deed and (issue is None or about == issue) for done, about, _ in person.deeds)
        case Since(occasion, moment):
            return any(at >= moment for at in _moments(person, occasion))
        case Left(topic):
            return topic in person.left


def _compares(comparison: Compare, found: str) -> bool:
    if not found and comparison.operator in {Operator.LESS, Operator.AT_MOST}:
        return False
    return _COMPARISONS[comparison.operator](found, comparison.value)


def _compared(record: SubscriberRecord, name: str) -> str:
    return person_of(record.email) if name == "email" else _text(record, name)


def _text(record: SubscriberRecord, name: str) -> str:
    if name in {"joined_at", "consented_at", "consent_confirmed_at"}:
        moment = getattr(record, name)
        return "" if moment is None else text_of(moment)
    return str(getattr(record, name, record.attributes.get(name, "")))


def _moments(person: Person, occasion: Occasion) -> list[datetime]:
    record = person.record
    if occasion in _DEEDS:
        return [at for deed, _, at in person.deeds if deed is _DEEDS[occasion]]
    recorded = {
        Occasion.JOINED: record.joined_at,
        Occasion.CONSENTED: record.consented_at,
        Occasion.CONFIRMED: record.consent_confirmed_at,
    }
    moment = recorded[occasion]
    return [] if moment is None else [moment]
