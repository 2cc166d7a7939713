"""What a translation holds of each sentence of its original, and whether that is up to date.

The front matter of a translation lists the sentences that it was made from, under `of`: for each key and each block,
the digest of each sentence. `+` after it means that someone reviewed the translation, and `open` that there is none
yet. So a changed sentence makes only its own translation stale, and a sentence that moved stays up to date.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum

from msgspec import Struct

from newsletter.translation.units import Unit

OPEN = "open"
UNKNOWN = "unknown"  # the sentence that a translation was made from is not known
_ENTRY = re.compile(r"(?:(?P<key>[^\s=]+)=)?(?P<digests>[0-9a-z.+]+(?: [0-9a-z.+]+)*)")


class TranslationState(StrEnum):
    """The states of the translation of one sentence."""

    MISSING = "missing"
    STALE = "stale"  # the original changed since it was translated
    TRANSLATED = "translated"
    REVIEWED = "reviewed"

    @property
    def is_current(self) -> bool:
        """Whether it belongs to the sentence as it is now."""
        return self in {TranslationState.TRANSLATED, TranslationState.REVIEWED}


class Held(Struct, frozen=True, kw_only=True):
    """The translation of one sentence: its Markdown as it is written, and the digest that stands for its original."""

    state: TranslationState
    text: str = ""  # empty if there is none, or if it is part of the translation of the sentence before
    digest: str = OPEN  # without the sign for reviewed ones
    line: int = 1  # of the translation's file
    leads_elsewhere: bool = False  # an address in the original changed, and nothing else

    @property
    def mark(self) -> str:
        """Return how it is noted under `of`."""
        return f"{self.digest}+" if self.state is TranslationState.REVIEWED else self.digest


NOTHING_HELD = Held(state=TranslationState.MISSING)


class HeldText(Struct, frozen=True, kw_only=True):
    """One key or block of a translation: its sentences as written, each on its own line, and their marks."""

    lines: tuple[str, ...]
    line: int  # of the file
    marks: tuple[str, ...] = ()


def read_marks(entries: Sequence[str]) -> tuple[Mapping[str, tuple[str, ...]], tuple[tuple[str, ...], ...]] | None:
    """Return the marks of each key and of each block in order, or None if the list cannot be read."""
    keys: dict[str, tuple[str, ...]] = {}
    blocks: list[tuple[str, ...]] = []
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        if match is None:
            return None
        marks = tuple(match["digests"].split(" "))
        if match["key"]:
            keys[match["key"]] = marks
        else:
            blocks.append(marks)
    return keys, tuple(blocks)


def written_marks(units: Sequence[Unit], held: Mapping[tuple[str, int], Held]) -> tuple[str, ...]:
    """Return the list for `of`."""
    entries = []
    for unit in units:
        marks = " ".join(held.get((unit.id, index), NOTHING_HELD).mark for index in range(len(unit.segments)))
        entries.append(marks if unit.location is None else f"{unit.id}={marks}")
    return tuple(entries)


def held_by_units(
    units: Sequence[Unit], keys: Mapping[str, HeldText], blocks: Sequence[HeldText]
) -> tuple[dict[tuple[str, int], Held], int]:
    """Return what a translation holds of each sentence, by the unit's id and the sentence's index.

    The second value is the number of sentences in the translation that the original no longer has.
    """
    found: dict[tuple[str, int], Held] = {}
    surplus = 0
    own = [unit for unit in units if unit.location is None]
    for unit in units:
        if unit.location is not None and (text := keys.get(unit.id)) is not None:
            found[unit.id, 0] = _judged(unit.segments[0].digest, next(_held_in(text)))
    places = [(unit.id, index, segment.digest) for unit in own for index, segment in enumerate(unit.segments)]
    texts = [each for block in blocks for each in _held_in(block)]
    pairs = _paired([_words(digest) for _, _, digest in places], [_words(each.digest) for each in texts])
    for (unit_id, index, digest), at in zip(places, pairs, strict=True):
        if at is not None:
            found[unit_id, index] = _judged(digest, texts[at])
    used = {at for at in pairs if at is not None}
    surplus += sum(each.digest != OPEN for at, each in enumerate(texts) if at not in used)
    return found, surplus + len(keys.keys() - {unit.id for unit in units})


def _words(digest: str) -> str:
    return digest.partition(".")[0]


def _held_in(text: HeldText) -> Iterator[Held]:
    """Yield each sentence. If someone wrote more or fewer lines than sentences, the first one holds them all."""
    marks = text.marks or (UNKNOWN,) * len(text.lines)
    lines = text.lines if len(text.lines) == len(marks) else (" ".join(text.lines), *[""] * (len(marks) - 1))
    for number, (mark, written) in enumerate(zip(marks, lines, strict=True)):
        digest = mark.removesuffix("+")
        state = TranslationState.REVIEWED if mark.endswith("+") else TranslationState.TRANSLATED
        if digest == OPEN:
            yield Held(state=TranslationState.MISSING, line=text.line)
        else:
            line = text.line + (number if len(text.lines) == len(marks) else 0)
            yield Held(state=state, text=written, digest=digest, line=line)


def _judged(digest: str, held: Held) -> Held:
    """Return what is held of a sentence, with its state for the sentence as it is now."""
    if held.digest == OPEN:
        return Held(state=TranslationState.MISSING, line=held.line)
    is_current = _words(held.digest) == _words(digest)
    return Held(
        state=held.state if is_current else TranslationState.STALE,
        text=held.text,
        digest=held.digest,
        line=held.line,
        leads_elsewhere=is_current and held.digest != digest,
    )


def _paired(wanted: Sequence[str], there: Sequence[str]) -> list[int | None]:
    """Return for each sentence the index of its translation: the same one, or the one that stands in its place."""
    pairs: list[int | None] = [None] * len(wanted)
    matcher = SequenceMatcher(None, wanted, there, autojunk=False)
    for start, at, size in matcher.get_matching_blocks():
        for step in range(size):
            pairs[start + step] = at + step
    left = {at for at in range(len(there)) if at not in set(pairs)}
    for index, digest in enumerate(wanted):
        if pairs[index] is None:
            moved = next((at for at in sorted(left) if there[at] == digest), None)
            if moved is not None:
                pairs[index] = moved
                left.discard(moved)
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind == "replace":
            free = [at for at in range(first, last) if at in left]
            for index in range(start, stop):
                if pairs[index] is None and free:
                    pairs[index] = free.pop(0)
                    left.discard(pairs[index] or 0)
    return pairs
