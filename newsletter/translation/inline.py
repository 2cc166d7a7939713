"""The text of a sentence with its codes: fields, links, dates and whatever else a translator may move but not change.

A sentence is a tuple of pieces. Each piece is text or a code. XLIFF, PO, the status and the Markdown are all made from
pieces. What a code means is known only here: a returned file names codes, and never says what they contain.
"""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace


class CodeForm(StrEnum):
    """Whether a code stands alone or surrounds text."""

    ALONE = "alone"
    OPEN = "open"
    CLOSE = "close"


class CodeKind(StrEnum):
    """What a code protects."""

    FIELD = "field"  # a merge field
    NOTE = "note"  # the number of a footnote
    DATE = "date"  # a date as people type it; in the translation it has the form of its language
    TIME = "time"  # a time of day with minutes
    PRICE = "price"
    CONTACT = "contact"  # an email or web address as words, without a link
    ADDRESS = "address"  # a web address that is written out
    CODE = "code"
    PHRASE = "phrase"  # words in another language, which stay
    BREAK = "break"
    LINK = "link"
    IMAGE = "image"  # the text inside is its description
    EMPHASIS = "emphasis"
    STRONG = "strong"
    STRUCK = "struck"


PLAIN_KINDS = frozenset({CodeKind.DATE, CodeKind.TIME, CodeKind.PRICE, CodeKind.CONTACT})  # written as words
BLANKS = re.compile(r"[ \t\r\n]+")


class Code(Struct, frozen=True):
    """A part of a sentence that a translator may move, but not change."""

    form: CodeForm
    kind: CodeKind
    number: int = 0  # from 1, among those of its kind in a block
    name: str = ""  # what a change of the sentence is judged by: a field's name, the words of a date
    markup: str = ""  # what is written for it in the translation, with tokens for merge fields
    data: str = ""  # where it leads: an address or a file

    @property
    def id(self) -> str:
        """The name of the code in its block, such as `link-1`."""
        return f"{self.kind}-{self.number}"

    @property
    def label(self) -> str:
        """What translators see: the name of a merge field, or `link-1`."""
        return self.name if self.kind is CodeKind.FIELD else self.id

    @property
    def key(self) -> tuple[CodeForm, str]:
        """What must be the same in a translation."""
        return self.form, self.id


Piece = str | Code
Pieces = tuple[Piece, ...]


def numbered(pieces: Iterable[Piece]) -> Pieces:
    """Return the pieces with the codes numbered by kind. The two codes around a text have the same number."""
    counts, opened, found = Counter[CodeKind](), list[int](), list[Piece]()
    for piece in pieces:
        if isinstance(piece, Code):
            if piece.form is CodeForm.CLOSE:
                number = opened.pop()
            else:
                counts[piece.kind] += 1
                number = counts[piece.kind]
            if piece.form is CodeForm.OPEN:
                opened.append(number)
            found.append(replace(piece, number=number))
        else:
            found.append(piece)
    return tuple(found)


def joined(pieces: Iterable[Piece]) -> Pieces:
    """Return the pieces with neighboring texts joined, and each run of spaces as one."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] = BLANKS.sub(" ", found[-1] + piece)
        elif piece != "":
            found.append(BLANKS.sub(" ", piece) if isinstance(piece, str) else piece)
    return tuple(found)


def text_of(pieces: Pieces) -> str:
    """Return what a person reads of a sentence: labels in braces stand for the codes that are not words."""
    return "".join(piece if isinstance(piece, str) else _shown(piece) for piece in pieces).strip()


def _shown(code: Code) -> str:
    if code.form is not CodeForm.ALONE or code.kind is CodeKind.BREAK:
        return " " if code.kind is CodeKind.BREAK else ""
    if code.kind in {CodeKind.FIELD, CodeKind.NOTE}:
        return f"{{{code.label}}}"
    return code.name or code.markup


def has_words(pieces: Pieces) -> bool:
    """Return whether there is anything to translate: a letter outside the codes."""
    return any(isinstance(piece, str) and any(map(str.isalpha, piece)) for piece in pieces)


def needs_translation(pieces: Pieces) -> bool:
    """Return whether a text differs between languages: it has words, or a date."""
    return has_words(pieces) or any(isinstance(piece, Code) and piece.kind is CodeKind.DATE for piece in pieces)


def digest_of(pieces: Pieces) -> str:
    """Return by what a change of a sentence is noticed: 8 digits of its words and codes, and 4 of where they lead.

    A new address changes only what is after the dot, so that no translator needs to look at the sentence again.
    """
    told = "".join(
        normalize("NFC", piece) if isinstance(piece, str) else f"\x01{piece.form}{piece.kind}{piece.name}\x02"
        for piece in joined(pieces)
    )
    words = blake2b(told.strip().encode(), digest_size=4).hexdigest()
    data = "\x01".join(piece.data for piece in pieces if isinstance(piece, Code) and piece.data)
    return f"{words}.{blake2b(data.encode(), digest_size=2).hexdigest()}" if data else words


def codes_in(pieces: Pieces) -> Counter[tuple[CodeForm, str]]:
    """Return how often each code occurs."""
    return Counter(piece.key for piece in pieces if isinstance(piece, Code))


def is_nested(pieces: Pieces) -> bool:
    """Return whether each code that opens is closed, the last one first."""
    opened: list[str] = []
    for piece in pieces:
        if not isinstance(piece, Code) or piece.form is CodeForm.ALONE:
            continue
        if piece.form is CodeForm.OPEN:
            opened.append(piece.id)
        elif not opened or opened.pop() != piece.id:
            return False
    return not opened


def with_codes_of(pieces: Pieces, source: Pieces) -> Pieces | None:
    """Return a sentence of a translation with the codes of its original, or None if it does not have the same ones."""
    left = [piece for piece in source if isinstance(piece, Code)]
    found: list[Piece] = []
    for piece in _with_plain_codes(pieces, [code for code in left if code.kind in PLAIN_KINDS]):
        if isinstance(piece, str):
            found.append(piece)
            continue
        alike = [code for code in left if (code.form, code.kind) == (piece.form, piece.kind)]
        if piece.kind is CodeKind.FIELD or piece.form is CodeForm.ALONE:
            alike = [code for code in alike if code.name == piece.name] or (
                alike if piece.kind is CodeKind.ADDRESS else []
            )
        same = next((code for code in alike if code.data == piece.data and code.markup == piece.markup), None)
        chosen = same or next(iter(alike), None)
        if chosen is None:
            return None
        left.remove(chosen)
        found.append(chosen)
    return tuple(found) if not left and is_nested(tuple(found)) else None


def _with_plain_codes(pieces: Pieces, codes: Iterable[Code]) -> Pieces:
    """Return the pieces with the dates, times and prices of the original where their words are found."""
    found = list(pieces)
    for code in codes:
        for index, piece in enumerate(found):
            if isinstance(piece, str) and code.markup in piece:
                before, after = piece.split(code.markup, 1)
                found[index : index + 1] = [part for part in (before, code, after) if part]
                break
    return tuple(found)
