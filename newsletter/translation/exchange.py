"""What goes to a translator, what comes back, and what may be taken of that.

A returned file only names the codes of its sentences. What they contain is never read from it, so it cannot change a
field, a link, a date or a price. A sentence is taken only if it has exactly the codes of its original.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from unicodedata import category

from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.translation.held import TranslationState
from newsletter.translation.inline import Code, CodeForm, Pieces, is_nested
from newsletter.translation.units import SourceSentence, Unit

MOST_BYTES = 10_000_000  # of a returned file
MOST_SENTENCES = 20_000
LONGEST_SENTENCE = 20_000  # characters
_NUMBER = re.compile(r"-\d+$")
_BLANKS = re.compile(r"[ \t\r\n]+")


class NamedCode(Struct, frozen=True):
    """A code as a returned file names it: by its id, such as `link-1`, or by its label, such as `first_name`."""

    form: CodeForm
    name: str


NamedPieces = tuple[str | NamedCode, ...]


class ReturnedSentence(Struct, frozen=True, kw_only=True):
    """One sentence of a returned file."""

    file: str  # the issue and the file, with `/` between them
    unit: str
    index: int  # of the sentence in the unit
    line: int  # of the returned file
    source: NamedPieces
    target: NamedPieces
    state: TranslationState  # STALE if the translator has not confirmed it
    digest: str = ""  # of the original as it was exported; empty if the tool dropped it
    exported: str = ""  # the digest of the translation that was exported, or empty


class ExportedSentence(Struct, frozen=True, kw_only=True):
    """The translation of one sentence as it is now."""

    state: TranslationState
    target: Pieces = ()  # with the codes of the original; empty if there is none, or if they differ
    written: str = ""  # a translation whose codes differ, as it is written
    exported: str = ""  # the digest of the translation


class ExportedFile(Struct, frozen=True, kw_only=True):
    """A file of an issue. `name` has the issue and the file, with `/` between them."""

    name: str
    units: Sequence[Unit]
    sentences: Mapping[tuple[str, int], ExportedSentence]

    def context_of(self, unit: Unit) -> tuple[str, ...]:
        """Return the notes for the translator of a unit: what it is, and what its codes stand for."""
        own = [self.sentences[unit.id, index] for index in range(len(unit.segments))]
        stale = any(each.state is TranslationState.STALE for each in own)
        hint = ("The original has changed since it was translated.",) if stale else ()
        written = tuple(f"translated by hand: {each.written}" for each in own if each.written)
        return (f"{unit.role[:1].upper()}{unit.role[1:]}", *hint, *unit.notes, *written)


class OtherVersionError(Exception):
    """The original has changed since the file was exported."""


def text_digest(text: str) -> str:
    """Return by what a translation is recognized."""
    return blake2b(text.encode(), digest_size=4).hexdigest()


def segment_for(sentence: ReturnedSentence, units: Sequence[Unit]) -> tuple[Unit, int]:
    """Return the sentence of an original that this is the translation of: the same words and codes, wherever they are.

    Raise OtherVersionError if there is none, and FaultError if a program or a person changed the original sentence.
    """
    wanted = _shape(sentence.source)
    own = next((unit for unit in units if unit.id == sentence.unit), None)
    segment = own.segments[sentence.index] if own and 0 <= sentence.index < len(own.segments) else None
    if own is not None and segment is not None and _is_same(sentence, segment, wanted):
        return own, sentence.index
    for unit in units:
        for index, each in enumerate(unit.segments):
            if _is_same(sentence, each, wanted):
                return unit, index
    if segment is not None and segment.digest == sentence.digest:
        raise FaultError(
            "the original sentence was changed in this file", "change only translations, or export the issue again"
        )
    raise OtherVersionError


def _is_same(sentence: ReturnedSentence, segment: SourceSentence, shape: list[object]) -> bool:
    """Return whether a sentence came back as it is in the original. The digest shows other fields and dates."""
    if sentence.digest and sentence.digest.partition(".")[0] != segment.digest.partition(".")[0]:
        return False
    return shape in (_shape(segment.pieces), _shape(segment.pieces, by_label=True))


def translated_pieces(sentence: ReturnedSentence, segment: SourceSentence) -> Pieces:
    """Return the translation with the codes of the original. Raise FaultError unless it has exactly these."""
    codes = [piece for piece in segment.pieces if isinstance(piece, Code)]
    named = [piece for piece in sentence.source if isinstance(piece, NamedCode)]
    known: dict[NamedCode, list[Code]] = {}
    for name, code in zip(named, codes, strict=True):
        known.setdefault(name, []).append(code)
    wanted, there = Counter(named), Counter(piece for piece in sentence.target if isinstance(piece, NamedCode))
    if foreign := [name for name in there if name not in known]:
        raise FaultError(f"the original has no {_told(foreign)}", f"use only {_told(wanted) or 'words'}")
    if missing := list((wanted - there).elements()):
        raise FaultError(f"the translation lacks {_told(missing)}", "put it where it belongs in the translation")
    if twice := list((there - wanted).elements()):
        raise FaultError(f"the translation has {_told(twice)} too often", "use it as often as the original does")
    pieces: Pieces = tuple(
        _BLANKS.sub(" ", piece) if isinstance(piece, str) else known[piece].pop(0) for piece in sentence.target
    )
    if not is_nested(pieces):
        raise FaultError("a link or emphasis ends before it begins", "put both of its codes around the words")
    words = "".join(piece for piece in pieces if isinstance(piece, str))
    if len(words) > LONGEST_SENTENCE:
        raise FaultError(f"the translation has {len(words):,} characters", f"the most is {LONGEST_SENTENCE:,}")
    if odd := next((sign for sign in words if category(sign) in {"Cc", "Cs", "Co", "Zl", "Zp"}), None):
        raise FaultError(f"the translation contains the invisible character U+{ord(odd):04X}", "delete it")
    if not words.strip() and any(isinstance(piece, str) and piece.strip() for piece in segment.pieces):
        raise FaultError("the translation has no words", "translate it, or leave it empty without any codes")
    return pieces


def _shape(pieces: Iterable[str | NamedCode | Code], *, by_label: bool = False) -> list[object]:
    """Return the words, and the names of the codes between them, without numbers."""
    found: list[object] = []
    for piece in pieces:
        if isinstance(piece, str):
            before = found.pop() if found and isinstance(found[-1], str) else ""
            found.append(_BLANKS.sub(" ", f"{before}{piece}"))
        else:
            name = piece.name if isinstance(piece, NamedCode) else piece.label if by_label else piece.id
            found.append((piece.form, _NUMBER.sub("", name)))
    if found and isinstance(found[0], str):
        found[0] = found[0].lstrip()
    if found and isinstance(found[-1], str):
        found[-1] = found[-1].rstrip()
    return [piece for piece in found if piece != ""]


def _told(names: Iterable[NamedCode] | Mapping[NamedCode, int]) -> str:
    return ", ".join(dict.fromkeys(each.name[:40] for each in names))
