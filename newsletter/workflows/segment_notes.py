"""Say what may be wrong with a segment although it is valid: values that no subscriber has, and unused segments."""

from collections.abc import Iterable, Iterator, Mapping

from newsletter.config import Config
from newsletter.content.loader import segments_named
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
from newsletter.store.segments import has_member, has_reaction, segments_sent, values_of_field
from newsletter.store.subscribers import known_tags, load_subscribers

_EXACT = frozenset({Operator.EQUAL, Operator.UNEQUAL})
_MOST_COMPARED = 1000  # values of a field among which a similar one is looked for
_NEVER_DONE: Mapping[Deed, str] = {
    Deed.OPENED: "No opens have been recorded yet. This treats everyone as someone who never opened an issue.",
    Deed.CLICKED: "No clicks have been recorded yet. This treats everyone as someone who never clicked a link.",
}
_DEED_OF = {Occasion.LAST_OPENED: Deed.OPENED, Occasion.LAST_CLICKED: Deed.CLICKED}


def notes_on(database: Database, segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return a sentence for each tag or value that no subscriber has, and for opens and clicks that no one reports.

    Each is said once. Nothing is said while the list is empty.
    """
    if not load_subscribers(database, after=0, size=1):
        return ()
    tests = dict.fromkeys(test for segment in segments for test in _tests_in(segment.condition))
    return tuple(dict.fromkeys(note for test in tests for note in _notes(database, test)))


def unused_segments(config: Config, database: Database, segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return the names of those segments that no section of any issue names, and to which nothing was ever sent."""
    used = {*segments_named(config), *segments_sent(database), EVERYONE}
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
        case Compare(field, operator, value) if operator in _EXACT:
            yield from _notes_on_values(database, field, (value,))
        case OneOf(field, values):
            yield from _notes_on_values(database, field, values)
        case CompareNumber(field, Operator.EQUAL, number) if not has_member(database, test):
            yield f"No subscriber has the number {number:g} in {field}."
        case Did(deed) if deed in _NEVER_DONE and not has_reaction(database, deed):
            yield _NEVER_DONE[deed]
        case Since(occasion) if occasion in _DEED_OF and not has_reaction(database, _DEED_OF[occasion]):
            yield _NEVER_DONE[_DEED_OF[occasion]]


def _notes_on_values(database: Database, field: str, values: tuple[str, ...]) -> Iterator[str]:
    """Yield a sentence for each value that no subscriber has in the field. An empty text is not a value."""
    wanted = tuple(dict.fromkeys(value for value in values if value))
    found = values_of_field(database, field, OneOf(field, wanted), most=len(wanted)) if wanted else ()
    present = {person_of(email) for email in found} if field == "email" else {*found}
    missing = [value for value in wanted if value not in present]
    if field == "email":
        yield from (f"No subscriber has the address '{value}'." for value in missing)
    elif missing:
        has_value = Compare(field, Operator.UNEQUAL, "")
        others = values_of_field(database, field, has_value, most=_MOST_COMPARED)
        for value in missing:
            yield f"No subscriber has the value '{value}' in {field}.{_question(similar(value, others))}"


def _tag_like(database: Database, tag: str) -> str | None:
    """Return the most similar tag that a subscriber has."""
    names = {*known_tags(database)} - {tag}
    while (close := similar(tag, names)) and not has_member(database, Tagged(close)):
        names.remove(close)
    return close


def _question(close: str | None) -> str:
    return f" Did you mean '{close}'?" if close else ""
