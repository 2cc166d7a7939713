"""Decide what a column of a list, and each of its cells, says about leaving: the one judge for every reader of files.

In doubt, a cell counts against emailing the person. A cell that cannot be understood in a column about leaving is
UNCLEAR, and a column whose name may be about leaving is not *certain*: the person who imports the list has to say what
it means, once a cell in it would mean that someone left.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from msgspec import Struct, field

from newsletter.language.written_moments import NO_MOMENT, moment_span
from newsletter.lists.leaving_reasons import LeavingReason
from newsletter.lists.leaving_words import OTHER, Found, concepts_of, plain, told


class LeavingKind(StrEnum):
    """What the cells of a column say."""

    LEFT = "left"  # yes, or the time, if the person left
    REASON = "reason"  # any text if the person left
    MAILED = "mailed"  # no if the person must not be emailed
    STATUS = "status"  # a word such as "unsubscribed" or "active"
    WORDS = "words"  # text about something else, such as notes or tags, with words of leaving if the person left


class LeavingOutcome(StrEnum):
    """What a cell says about a person."""

    STAYS = "stays"  # nothing against emailing them
    LEFT = "left"
    UNCLEAR = "unclear"


class LeavingSpan(NamedTuple):
    """The earliest and the latest moment that a cell can mean, as texts of the database."""

    first: str
    last: str


class LeavingVerdict(Struct, frozen=True):
    """What a cell says: the outcome, and for someone who left, the reason and the time, if the cell has one."""

    outcome: LeavingOutcome
    reason: LeavingReason = LeavingReason.UNSUBSCRIBED
    at: LeavingSpan | None = None


STAYS = LeavingVerdict(LeavingOutcome.STAYS)
UNCLEAR = LeavingVerdict(LeavingOutcome.UNCLEAR)


class LeavingColumn(Struct, frozen=True, kw_only=True):
    """A column that says, or may say, whether someone left."""

    name: str
    kind: LeavingKind
    reason: LeavingReason = LeavingReason.UNSUBSCRIBED  # the reason if a cell gives none
    is_certain: bool = True  # otherwise someone has to say whether the column is about leaving
    # Whether the column is about email only if one of its cells is a word about email. "Status" can be about anything.
    is_free: bool = False
    names_email: bool = False  # whether its name is about email, and not just "Accepted" or so
    own: Mapping[str, LeavingVerdict] = field(default_factory=dict)  # the meaning of a tool's own values, in lowercase

    def verdict(self, cell: str, *, is_day_first: bool | None = None) -> LeavingVerdict:
        """Return what a cell says. The cell must be without spaces around it."""
        known = self.own.get(cell.lower())
        return known if known is not None else _verdict(self.kind, self.reason, cell, is_day_first)


# The concepts of leaving_words.toml that cells and names of columns have in common.
MAILED = "mailed.names"
CONFIRMED = "mailed.confirmed"
GENERAL = frozenset({MAILED, CONFIRMED, "mailed.general"})
NOT = "names.not"
SURELY, PERHAPS = ("everywhere", "surely"), ("perhaps",)


class Sense(StrEnum):
    """The meaning of a cell, whatever its column is."""

    NOTHING = "nothing"
    YES = "yes"
    NO = "no"
    MAILED = "mailed"
    REFUSAL = "refusal"  # a no to email, such as "no thanks", but not to the question whether someone left
    CROSS = "cross"
    LEFT = "left"
    OPEN = "open"  # a word such as "inactive", which leaves it open whether someone may be emailed
    MOMENT = "moment"
    OTHER = "other"


class CellSense(NamedTuple):
    """The meaning of a cell."""

    sense: Sense
    reason: LeavingReason = LeavingReason.UNSUBSCRIBED
    is_sure: bool = False  # whether the words mean this in any column, and in any text


_BETWEEN_PARTS = re.compile(r"[;,|]|:::")
_EMPTY_SIGNS = " -._'\"/()[]{}"
_OUTCOMES = {
    LeavingKind.LEFT: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.NO: LeavingOutcome.STAYS,
        Sense.YES: LeavingOutcome.LEFT,
        Sense.LEFT: LeavingOutcome.LEFT,
        Sense.MOMENT: LeavingOutcome.LEFT,
    },
    LeavingKind.REASON: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.NO: LeavingOutcome.STAYS,
        **dict.fromkeys(
            (Sense.YES, Sense.LEFT, Sense.MOMENT, Sense.REFUSAL, Sense.MAILED, Sense.OTHER), LeavingOutcome.LEFT
        ),
    },
    LeavingKind.MAILED: {
        Sense.YES: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.MOMENT: LeavingOutcome.STAYS,
        **dict.fromkeys((Sense.NO, Sense.REFUSAL, Sense.CROSS, Sense.LEFT), LeavingOutcome.LEFT),
    },
    LeavingKind.STATUS: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.YES: LeavingOutcome.STAYS,
        Sense.LEFT: LeavingOutcome.LEFT,
        Sense.REFUSAL: LeavingOutcome.LEFT,
    },
}  # everything else is UNCLEAR


@lru_cache(maxsize=4096)
def _verdict(kind: LeavingKind, reason: LeavingReason, cell: str, is_day_first: bool | None) -> LeavingVerdict:
    if kind is LeavingKind.WORDS:
        why = surely_left(cell)
        return LeavingVerdict(LeavingOutcome.LEFT, why) if why else STAYS
    meaning, at = sense_of(cell), None
    sense = meaning.sense
    if sense is Sense.OTHER:
        at = _span(cell, is_day_first)
        sense = Sense.OTHER if at is None else Sense.NOTHING if at == NO_MOMENT else Sense.MOMENT
    if kind is LeavingKind.STATUS and len(cell) == 1:  # a number or letter of some code, not a yes or no
        sense = Sense.OTHER
    outcome = _OUTCOMES[kind].get(sense, LeavingOutcome.UNCLEAR)
    if sense is Sense.MAILED and _says_subscribed(cell):  # "confirmed" may confirm that they left
        outcome = LeavingOutcome.STAYS
    if outcome is not LeavingOutcome.LEFT:
        return STAYS if outcome is LeavingOutcome.STAYS else UNCLEAR
    if kind is LeavingKind.REASON and reason is not LeavingReason.UNSUBSCRIBED:
        is_own = False  # the cell is the reason for something else, such as "spam" for a bounce
    else:
        is_own = sense is Sense.LEFT and (
            meaning.reason is not LeavingReason.UNSUBSCRIBED or kind is LeavingKind.STATUS
        )
    return LeavingVerdict(LeavingOutcome.LEFT, meaning.reason if is_own else reason, LeavingSpan(*at) if at else None)


def _says_subscribed(cell: str) -> bool:
    return any(found.concept == MAILED for found in concepts_of(cell))


def _span(cell: str, is_day_first: bool | None) -> tuple[str, str] | None:
    """Return the first and the last moment that a cell can mean, or None if it is not a date."""
    try:
        return moment_span(cell, is_day_first=is_day_first)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def sense_of(cell: str) -> CellSense:
    """Return what a cell means by its words alone. A date is OTHER."""
    words = plain(cell)
    known = _sense_of_whole(cell, words)
    if known is not None:
        return CellSense(known)
    if "soft" in words.split():  # a soft bounce may be temporary
        return CellSense(Sense.OPEN)
    found = concepts_of(cell)
    concepts = {each.concept for each in found}
    is_pure, negated = OTHER not in concepts, NOT in concepts
    is_mailed = is_pure and not GENERAL.isdisjoint(concepts)
    if leaving := leaving_in(found, SURELY):
        sense = Sense.OPEN if leaving.is_negated else Sense.LEFT
        return CellSense(sense, leaving.reason, is_sure=is_pure or leaving.is_everywhere)
    if negated:
        return CellSense(Sense.LEFT, is_sure=MAILED in concepts) if is_mailed else CellSense(Sense.OTHER)
    if is_pure and (leaving := leaving_in(found, PERHAPS)):
        return CellSense(Sense.LEFT, leaving.reason)
    return CellSense(Sense.MAILED if is_mailed else Sense.OTHER)


def _sense_of_whole(cell: str, words: str) -> Sense | None:
    """Return what a cell means if the table gives its meaning as a whole, or if it has no words."""
    known = _whole_cells().get(cell.strip().lower()) or (_whole_cells().get(words) if words else None)
    if known is None and not words:  # a dash or dot stands for an empty cell, but a star or question mark does not
        return Sense.OTHER if cell.strip(_EMPTY_SIGNS) else Sense.NOTHING
    return known


@cache
def _whole_cells() -> Mapping[str, Sense]:
    """Return the cells whose meaning the table gives as a whole, in plain words or as they are."""
    cells, mailed = told()["cells"], told()["mailed"]
    as_they_are = {"nothing": Sense.NOTHING, "unchecked": Sense.NO}
    in_words = {Sense.MAILED: [*mailed["values"], *mailed["others"]], Sense.OPEN: mailed["unclear"]}
    in_words |= {Sense.YES: cells["yes"], Sense.NO: cells["no"], Sense.REFUSAL: cells["refusal"]}
    in_words |= {Sense.CROSS: cells["crosses"]}
    return {plain(cell): sense for sense, listed in in_words.items() for cell in listed} | {
        cell: sense for key, sense in as_they_are.items() for cell in cells[key]
    }


def surely_left(text: str) -> LeavingReason | None:
    """Return the reason if a text, or a part of it such as one tag, means leaving whatever its column is."""
    senses = (sense_of(part) for part in (text, *_BETWEEN_PARTS.split(text)))
    return next((each.reason for each in senses if each.sense is Sense.LEFT and each.is_sure), None)


def has_no_in(cell: str) -> bool:
    """Return whether a text contains a word such as "not"."""
    return any(found.concept == NOT for found in concepts_of(cell))


def is_about_email(cell: str) -> bool:
    """Return whether a cell shows that its column, called "Status" or so, is about email."""
    sense = sense_of(cell).sense
    return sense in {Sense.LEFT, Sense.OPEN} or (sense is Sense.MAILED and plain(cell) not in _other_mailed())


@cache
def _other_mailed() -> frozenset[str]:
    """Return the values of people who may be emailed that can also be about something else, such as "member"."""
    return frozenset(map(plain, told()["mailed"]["others"]))


class LeavingWord(NamedTuple):
    """A word that means leaving."""

    reason: LeavingReason
    is_everywhere: bool  # whether it means leaving in a text about other things too
    is_negated: bool  # whether the word before it is "not" or so


def leaving_in(found: Sequence[Found], degrees: Collection[str]) -> LeavingWord | None:
    """Return a word that means leaving to one of these degrees, if there is any, and one that is not negated first."""
    words = []
    for place, each in enumerate(found):
        table, _, rest = each.concept.partition(".")
        reason, _, degree = rest.partition(".")
        if table == "left" and degree in degrees:
            is_negated = place > 0 and found[place - 1].concept == NOT
            words.append(LeavingWord(LeavingReason(reason), degree == "everywhere", is_negated))
    return min(words, key=lambda word: (word.is_negated, not word.is_everywhere), default=None)
