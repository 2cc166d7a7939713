"""Decide what a column of a list, and each of its cells, says about leaving: the one judge for every reader of files.

In doubt, a cell counts against emailing the person. A cell that cannot be understood in a column about leaving is
UNCLEAR, and a column whose name may be about leaving is not *certain*: the person who imports the list has to say what
it means, once a cell in it would mean that someone left.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.language.written_moments import NO_MOMENT, moment_span
from newsletter.lists.leaving_reasons import LeavingReason
from newsletter.lists.leaving_words import OTHER, Found, concepts_of, plain, told


class LeavingKind(StrEnum):
    """What the cells of a column say."""

    LEFT = "left"  # yes, or the time, if the person left
    REASON = "reason"  # any text if the person left
    MAILED = "mailed"  # no if the person must not be emailed
    STATUS = "status"  # a word such as "unsubscribed" or "active"


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
    own: Mapping[str, LeavingVerdict] = field(default_factory=dict)  # the meaning of a tool's own values, in lowercase

    def verdict(self, cell: str, *, is_day_first: bool | None = None) -> LeavingVerdict:
        """Return what a cell says. The cell must be without spaces around it."""
        known = self.own.get(cell.lower())
        return known if known is not None else _verdict(self.kind, self.reason, cell, is_day_first)


class Sense(StrEnum):
    """The meaning of a cell, whatever its column is."""

    NOTHING = "nothing"
    YES = "yes"
    NO = "no"
    MAILED = "mailed"
    LEFT = "left"
    OPEN = "open"  # a word such as "inactive", which leaves it open whether someone may be emailed
    MOMENT = "moment"
    OTHER = "other"


class CellSense(NamedTuple):
    """The meaning of a cell."""

    sense: Sense
    reason: LeavingReason = LeavingReason.UNSUBSCRIBED
    is_sure: bool = False  # whether the words mean this in any column


_EMPTY_SIGNS = " -._'\"/()[]{}"
_OUTCOMES = {
    LeavingKind.LEFT: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.NO: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.YES: LeavingOutcome.LEFT,
        Sense.LEFT: LeavingOutcome.LEFT,
        Sense.MOMENT: LeavingOutcome.LEFT,
    },
    LeavingKind.REASON: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.NO: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.YES: LeavingOutcome.LEFT,
        Sense.LEFT: LeavingOutcome.LEFT,
        Sense.MOMENT: LeavingOutcome.LEFT,
        Sense.OTHER: LeavingOutcome.LEFT,
    },
    LeavingKind.MAILED: {
        Sense.YES: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.MOMENT: LeavingOutcome.STAYS,
        Sense.NO: LeavingOutcome.LEFT,
        Sense.LEFT: LeavingOutcome.LEFT,
    },
    LeavingKind.STATUS: {
        Sense.NOTHING: LeavingOutcome.STAYS,
        Sense.MAILED: LeavingOutcome.STAYS,
        Sense.YES: LeavingOutcome.STAYS,
        Sense.LEFT: LeavingOutcome.LEFT,
    },
}  # everything else is UNCLEAR


@lru_cache(maxsize=4096)
def _verdict(kind: LeavingKind, reason: LeavingReason, cell: str, is_day_first: bool | None) -> LeavingVerdict:
    meaning, at = sense_of(cell), None
    sense = meaning.sense
    if sense is Sense.OTHER:
        at = _span(cell, is_day_first)
        sense = Sense.OTHER if at is None else Sense.NOTHING if at == NO_MOMENT else Sense.MOMENT
    if kind is LeavingKind.STATUS and len(cell) == 1:  # a number or letter of some code, not a yes or no
        sense = Sense.OTHER
    outcome = _OUTCOMES[kind].get(sense, LeavingOutcome.UNCLEAR)
    if outcome is not LeavingOutcome.LEFT:
        return STAYS if outcome is LeavingOutcome.STAYS else UNCLEAR
    if kind is LeavingKind.REASON and reason is not LeavingReason.UNSUBSCRIBED:
        is_own = False  # the cell is the reason for something else, such as "spam" for a bounce
    else:
        is_own = sense is Sense.LEFT and (
            meaning.reason is not LeavingReason.UNSUBSCRIBED or kind is LeavingKind.STATUS
        )
    return LeavingVerdict(LeavingOutcome.LEFT, meaning.reason if is_own else reason, LeavingSpan(*at) if at else None)


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
    is_pure, negated = OTHER not in concepts, _NOT in concepts
    is_mailed = is_pure and bool(concepts & {_MAILED, _GENERAL})
    if reason := _reason_in(found, "surely"):
        return CellSense(Sense.OPEN) if negated else CellSense(Sense.LEFT, reason, is_sure=is_pure)
    if negated:
        return CellSense(Sense.LEFT, is_sure=_MAILED in concepts) if is_mailed else CellSense(Sense.OTHER)
    if is_pure and (reason := _reason_in(found, "perhaps")):
        return CellSense(Sense.LEFT, reason)
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
    in_words |= {Sense.YES: cells["yes"], Sense.NO: cells["no"]}
    return {plain(cell): sense for sense, listed in in_words.items() for cell in listed} | {
        cell: sense for key, sense in as_they_are.items() for cell in cells[key]
    }


def is_about_email(cell: str) -> bool:
    """Return whether a cell shows that its column, called "Status" or so, is about email."""
    sense = sense_of(cell).sense
    return sense in {Sense.LEFT, Sense.OPEN} or (sense is Sense.MAILED and plain(cell) not in _other_mailed())


@cache
def _other_mailed() -> frozenset[str]:
    """Return the values of people who may be emailed that can also be about something else, such as "member"."""
    return frozenset(map(plain, told()["mailed"]["others"]))


_MAILED, _GENERAL = "mailed.names", "mailed.general"
_KIND = "names.kind"
_NOT, _STATUS, _MOMENT, _REASON = "names.not", "names.status", "names.moment", "names.reason"
_COUNT, _LINK, _OTHER_CHANNEL = "names.count", "names.link", "names.other_channel"
_MAILING, _ABOUT_EMAIL = "names.mailing", "names.about_email"
_EMAIL_ITSELF = frozenset(
    {"email", "emails", "mail", "mails", "subscriber", "subscription", "subscriptions", "mailing"}
)


def column_about_leaving(name: str) -> LeavingColumn | None:
    """Return what a column says about leaving, going by its name, or None if the name has nothing to do with it."""
    found = concepts_of(name)
    concepts = {each.concept for each in found}
    if _LINK in concepts or (_OTHER_CHANNEL in concepts and not _names_email(found)):
        return None
    meaning = _about_leaving(found, concepts) or _about_being_mailed(found, concepts)
    return meaning and replace(meaning, name=name)


def _about_leaving(found: Sequence[Found], concepts: Collection[str]) -> LeavingColumn | None:
    is_pure, negated = OTHER not in concepts, _NOT in concepts
    kind = LeavingKind.REASON if _REASON in concepts else LeavingKind.LEFT
    if reason := _reason_in(found, "surely"):
        if negated:  # "not unsubscribed"
            return LeavingColumn(name="", kind=LeavingKind.MAILED, is_certain=False)
        return LeavingColumn(name="", kind=kind, reason=reason, is_certain=is_pure and _COUNT not in concepts)
    if negated and (_MAILED in concepts or (is_pure and (_GENERAL in concepts or _names_email(found)))):
        return LeavingColumn(name="", kind=LeavingKind.LEFT, is_certain=is_pure)  # "not subscribed", "no bulk email"
    if is_pure and (reason := _reason_in(found, "perhaps")):
        return LeavingColumn(name="", kind=kind, reason=reason, is_certain=len(found) > 1 and _COUNT not in concepts)
    return None


def _about_being_mailed(found: Sequence[Found], concepts: Collection[str]) -> LeavingColumn | None:
    """Return a column that says who may be emailed. The time when someone agreed says nothing about leaving."""
    is_pure, names_email = OTHER not in concepts, _names_email(found)
    is_mailed = _MAILED in concepts or (is_pure and _GENERAL in concepts)
    if is_pure and not {_STATUS, _KIND}.isdisjoint(concepts):
        is_free = _STATUS not in concepts or (_MAILED not in concepts and not names_email)
        return LeavingColumn(name="", kind=LeavingKind.STATUS, is_free=is_free)
    may_be_mailed = is_mailed or (is_pure and (_MAILING in concepts or (names_email and len(found) > 1)))
    if not may_be_mailed or not {_MOMENT, _COUNT, _REASON}.isdisjoint(concepts):
        return None
    is_certain = is_pure and is_mailed and (_MAILED in concepts or (len(found) > 1 and names_email))
    return LeavingColumn(name="", kind=LeavingKind.MAILED, is_certain=is_certain)


def _names_email(found: Sequence[Found]) -> bool:
    return any(
        each.concept == _MAILING
        or not _EMAIL_ITSELF.isdisjoint(each.text.split())
        or (each.concept == _ABOUT_EMAIL and not each.text.isascii())
        for each in found
    )


def _reason_in(found: Sequence[Found], degree: str) -> LeavingReason | None:
    for each in found:
        table, _, rest = each.concept.partition(".")
        reason, _, found_degree = rest.partition(".")
        if table == "left" and found_degree == degree:
            return LeavingReason(reason)
    return None
