"""Say what may be wrong with a segment although it is valid: values that no subscriber has, and unused segments."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field

from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER, issue_names, segments_named
from newsletter.language.counts import people_of
from newsletter.model.address import person_of
from newsletter.model.segment import (
    EVERYONE,
    And,
    Compare,
    CompareNumber,
    Condition,
    Deed,
    Did,
    Not,
    Occasion,
    OneOf,
    Operator,
    Or,
    Segment,
    Since,
    Tagged,
)
from newsletter.segments.faults import similar
from newsletter.store.database import Database
from newsletter.store.reactions import known_people
from newsletter.store.segments import has_member, has_reaction, segments_sent, values_of_field
from newsletter.store.subscribers import known_tags, load_subscribers

_EXACT = frozenset({Operator.EQUAL, Operator.UNEQUAL})
_MOST_COMPARED = 1000  # values of a field among which a similar one is looked for
_MOST_NUMBERS = 100_000  # different numbers of a field that are read at once
_MOST_SHOWN, _SHOWN_OF_MANY = 5, 3  # values in one note
_NEVER_DONE: Mapping[Deed, str] = {
    Deed.OPENED: "No opens have been recorded yet. So everyone counts as never having opened an issue.",
    Deed.CLICKED: "No clicks have been recorded yet. So everyone counts as never having clicked a link.",
}
_DONE: Mapping[Deed, str] = {Deed.OPENED: "Opens", Deed.CLICKED: "Clicks"}
_DEED_OF = {Occasion.LAST_OPENED: Deed.OPENED, Occasion.LAST_CLICKED: Deed.CLICKED}


def notes_on(database: Database, segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return a sentence for each tag that no subscriber has, for each field with such values, and for missing reports.

    Reports are missing if no opens or clicks were ever recorded. Nothing is said while the list is empty.
    """
    if not load_subscribers(database, after=0, size=1):
        return ()
    tests = dict.fromkeys(test for segment in segments for test in _tests_in(segment.condition))
    on_fields = [note for name, each in _wanted_in(tests).items() for note in _note_on_field(database, name, each)]
    return tuple(dict.fromkeys([*on_fields, *(note for test in tests for note in _notes(database, test))]))


def unused_segments(config: Config, database: Database, segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return the names of those segments that no section of any issue names, and to which nothing was ever sent."""
    folders = (config.root / ISSUES_FOLDER / name for name in issue_names(config))
    used = {*segments_named(config, folders), *segments_sent(database), EVERYONE}
    return tuple(segment.name for segment in segments if segment.name not in used)


def _tests_in(condition: Condition) -> Iterator[Condition]:
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _tests_in(part)
        case Not(part):
            yield from _tests_in(part)
        case _:
            yield condition


def _notes(database: Database, test: Condition) -> Iterator[str]:
    match test:
        case Tagged(tag) if not has_member(database, test):
            yield f"No subscriber has the tag '{tag}'.{_question(_tag_like(database, tag))}"
        case Did(deed, issue) if deed in _NEVER_DONE:
            yield from _notes_on_deed(database, deed, issue)
        case Since(occasion) if occasion in _DEED_OF:
            yield from _notes_on_deed(database, _DEED_OF[occasion], None)


def _notes_on_deed(database: Database, deed: Deed, issue: str | None) -> Iterator[str]:
    """Yield that nothing was ever recorded, or of how many people it can be known."""
    if not has_reaction(database, deed):
        yield _NEVER_DONE[deed]
        return
    yield _knowledge(database, deed, issue)


def notes_on_knowledge(database: Database, issue: str) -> tuple[str, ...]:
    """Return a sentence that says of how many people it can be known whether they opened an issue."""
    return (_knowledge(database, Deed.OPENED, issue),)


def _knowledge(database: Database, deed: Deed, issue: str | None) -> str:
    found = known_people(database, issue)
    whom = "on the list" if issue is None else f"who received {issue}"
    return (
        f"{_DONE[deed]} are known only of people who agreed to tracking: {found.known:,} of the "
        f"{people_of(found.people)} {whom}."
    )


class _Wanted(Struct):
    """The values with which the tests compare one field, in the order of the tests."""

    texts: dict[str, None] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)  # those inside `in (…)`
    numbers: dict[float, None] = field(default_factory=dict)


def _wanted_in(tests: Iterable[Condition]) -> Mapping[str, _Wanted]:
    """Return the values of the tests by field. An empty text is not a value."""
    wanted: defaultdict[str, _Wanted] = defaultdict(_Wanted)
    for test in tests:
        match test:
            case Compare(name, operator, value) if operator in _EXACT and value:
                wanted[name].texts[value] = None
            case OneOf(name, values):
                wanted[name].texts |= dict.fromkeys(filter(None, values))
                wanted[name].listed.update(values)
            case CompareNumber(name, Operator.EQUAL, number):
                wanted[name].numbers[number] = None
    return wanted


def _note_on_field(database: Database, name: str, wanted: _Wanted) -> Iterator[str]:
    """Yield a sentence about the values that no subscriber has in a field, if there are any."""
    texts, numbers = tuple(wanted.texts), tuple(wanted.numbers)
    found = values_of_field(database, name, OneOf(name, texts), most=len(texts)) if texts else ()
    present = {person_of(email) for email in found} if name == "email" else {*found}
    missing = [text for text in texts if text not in present]
    told = [f"'{text}'" for text in missing] + [_written(number) for number in _missing(database, name, numbers)]
    if not told:
        return
    shown = told if len(told) <= _MOST_SHOWN else told[:_SHOWN_OF_MANY]
    questions = {f"'{text}'": text for text in missing}
    asked = _questions(database, name, [questions[each] for each in shown if each in questions], wanted.listed)
    if len(told) == 1:
        what = "address" if name == "email" else "number" if numbers and not missing else "value"
        where = "" if name == "email" else f" in {name}"
        question = next((f" {text[:1].upper()}{text[1:]}" for text in asked.values()), "")
        yield f"No subscriber has the {what} {told[0]}{where}.{question}"
        return
    parts = [f"{each} ({asked[each]})" if each in asked else each for each in shown]
    more = [f"{len(told) - len(shown):,} more"] if len(shown) < len(told) else []
    *first, last = [*parts, *more]
    whole = f"{', '.join(first)} and {last}"
    yield f"No subscriber has these {'addresses' if name == 'email' else f'values in {name}'}: {whole}."


def _missing(database: Database, name: str, numbers: Sequence[float]) -> list[float]:
    """Return the numbers that no subscriber has in a field. All of them are looked up at once."""
    if not numbers:
        return []
    between = And(
        (CompareNumber(name, Operator.AT_LEAST, min(numbers)), CompareNumber(name, Operator.AT_MOST, max(numbers)))
    )
    found = values_of_field(database, name, between, most=_MOST_NUMBERS)
    present = {float(text) for text in found}
    missing = [number for number in numbers if number not in present]
    if len(found) < _MOST_NUMBERS:
        return missing
    return [each for each in missing if not has_member(database, CompareNumber(name, Operator.EQUAL, each))]


def _written(number: float) -> str:
    """Return a number in digits, without an exponent."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def _questions(database: Database, name: str, texts: Sequence[str], listed: Collection[str]) -> dict[str, str]:
    """Return what may have been meant by values, as questions by the values in quotes."""
    if not texts or name == "email":
        return {}
    others = {*values_of_field(database, name, Compare(name, Operator.UNEQUAL, ""), most=_MOST_COMPARED)}
    asked = {}
    for text in texts:
        if text in listed and ('"' in text or not others.isdisjoint(text.split("'"))):
            asked[f"'{text}'"] = "is a comma missing?"
        elif close := similar(text, others):
            asked[f"'{text}'"] = f"did you mean '{close}'?"
    return asked


def _tag_like(database: Database, tag: str) -> str | None:
    """Return the most similar tag that a subscriber has."""
    names = {*known_tags(database)} - {tag}
    while (close := similar(tag, names)) and not has_member(database, Tagged(close)):
        names.remove(close)
    return close


def _question(close: str | None) -> str:
    return f" Did you mean '{close}'?" if close else ""
