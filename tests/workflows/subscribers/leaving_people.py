"""What a careful person with a notebook would know about who left: the model that the product is held against.

A person's notes are replayed from the start for each question, so an undo only takes notes out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.system.moments import text_of

NEVER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was learned about a person. `by` is the import that said it; None for anything else."""

    by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(Note):
    """They left, or perhaps did, and `last` is the latest time that this can mean."""

    last: str
    is_hard: bool = False  # no consent brings them back
    is_doubt: bool = False
    consent: str = NEVER  # the consent that the list knew when it said so


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted(Note):
    """Someone allowed the address again, by hand."""

    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Note):
    """A row of a list about the person that does not say that they left."""

    at: str
    has_source: bool
    is_sure: bool = True  # whether exactly this row counted
    basis: bool = False
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Note):
    """The consent on record was set or cleared by hand, which brings no one back."""

    at: str
    has_source: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Note):
    at: str
    is_hard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure(Note):
    """Something happened after which the model no longer claims that the person may be emailed."""


@dataclass(slots=True)
class Standing:
    """How a person stands: `has_left` forbids email, and `is_sure` says that nothing at all forbids it."""

    leavings: list[Left] = field(default_factory=list)  # those that still count
    erased: Erased | None = None
    last: str = NEVER  # the latest leaving ever
    doubted: str = NEVER  # the latest doubt ever
    barrier: str = NEVER  # the latest consent that was on record at a leaving
    consent: str = NEVER
    is_sourced: bool = False  # whether the consent on record surely has its source
    has_basis: bool = False
    returned: str = NEVER  # since when they may be emailed again
    lifted: str = NEVER  # when someone last allowed the address again by hand
    is_sure: bool = True

    @property
    def has_left(self) -> bool:
        return bool(self.leavings) or self.erased is not None

    @property
    def is_hard(self) -> bool:
        return any(each.is_hard for each in self.leavings)

    @property
    def may_be_mailed(self) -> bool:
        return self.is_sure and not self.has_left and bool(self.consent or self.has_basis)


def standing(notes: Iterable[Note]) -> Standing:
    found = Standing()
    for note in notes:
        match note:
            case Left():
                _leave(found, note)
            case Lifted():
                found.leavings.clear()
                found.returned = max(found.returned, note.at)
                found.lifted = note.at
            case Given():
                _give(found, note)
            case Corrected():
                found.consent, found.is_sourced = note.at, bool(note.at) and note.has_source
            case Erased():
                was_hard = found.erased is not None and found.erased.is_hard
                hard = note.is_hard or was_hard
                found = Standing(erased=replace(note, is_hard=hard), last=note.at, is_sure=found.is_sure)
            case Unsure():
                found.is_sure = False
    return found


def _leave(found: Standing, note: Left) -> None:
    if note.is_doubt and any(not each.is_doubt for each in found.leavings):
        return
    is_later = not found.leavings or note.last > max(found.last, *(each.last for each in found.leavings))
    if is_later or note.consent > found.consent:
        found.barrier = max(found.barrier, note.consent)
    if is_later:  # otherwise it says nothing of the consent that is on record now
        found.barrier = max(found.barrier, found.consent)
    if note.is_doubt:
        found.doubted = max(found.doubted, note.last)
    else:
        found.leavings = [each for each in found.leavings if not each.is_doubt]
        found.last = max(found.last, note.last)
    found.leavings.append(note)


def _give(found: Standing, note: Given) -> None:
    if found.erased:
        if found.erased.is_hard or not (note.has_source and found.erased.at < note.at <= note.now):
            return
        found.erased = None
    last = max([found.last, *(each.last for each in found.leavings)])
    is_new = note.at > found.consent
    adds = is_new or (note.at == found.consent and not found.is_sourced)
    if adds and found.leavings and note.has_source and not found.is_hard and last < note.at <= note.now:
        if note.at > found.barrier:
            found.leavings.clear()
            found.is_sure = found.is_sure and is_new and note.is_sure and note.at > found.doubted
        else:
            found.is_sure = False
    if note.has_source and not found.leavings:
        found.returned = max(found.returned, note.at)
    found.has_basis |= note.basis and not found.consent and not note.at
    if is_new:
        found.is_sourced = False
    if note.at >= found.consent:
        found.is_sourced |= note.has_source and note.is_sure and bool(note.at)
    found.consent = max(found.consent, note.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a list, as its writer meant it."""

    person: str
    consented_at: str = NEVER
    source: str = ""
    left: Left | None = None
    is_wrong: bool = False  # a cell of it cannot be read


def noted(
    rows: Sequence[Row],
    notes: Sequence[Note],
    *,
    is_known: bool,
    suppresses: bool,
    basis: bool,
    by: int,
    now: datetime,
) -> list[Note]:
    """What an import of these rows, all of one person, adds to the notes about them.

    Someone is known who is on the list or blocked.
    """
    at, found = text_of(now), standing(notes)
    leavers = [row.left for row in rows if row.left]
    until = max((max(left.last, left.consent) for left in leavers), default=NEVER)
    given = [row for row in rows if not row.left and not row.is_wrong]
    newest = max((row.consented_at for row in given), default=NEVER)
    sources = {bool(row.source) for row in given if row.consented_at == newest}
    if leavers:  # only the row that counts can outweigh them
        sources = {has_source for has_source in sources if has_source and until < newest <= at}
    added: list[Note] = []
    if is_known:
        added += [replace(left, by=by) for left in sorted(leavers, key=lambda left: left.is_doubt)]
    elif suppresses and not found.erased:
        added += [replace(left, by=by) for left in leavers if not left.is_doubt]
    if sources:
        is_sure = len(sources) == 1 and not leavers
        added.append(Given(by=by, at=newest, has_source=True in sources, is_sure=is_sure, basis=basis, now=at))
    return added
