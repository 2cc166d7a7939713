"""The text of a sentence with its codes: fields, links, dates and whatever else a translator may move but not change.

A sentence is a tuple of pieces. Each piece is text or a code. XLIFF, PO, the status and the Markdown are all made from
pieces. What a code means is known only here: a returned file names codes, and never says what they contain.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from unicodedata import normalize

from markdown_it.token import Token
from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.slots import MERGE_TOKEN, MergeField

NOTE_SIGN = "^"  # before the label of a footnote, in the name of the field that represents its number


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


_SURROUNDING: Mapping[str, tuple[CodeKind, str]] = {
    "em": (CodeKind.EMPHASIS, "*"),
    "strong": (CodeKind.STRONG, "**"),
    "s": (CodeKind.STRUCK, "~~"),
}
PLAIN_KINDS = frozenset({CodeKind.DATE, CodeKind.TIME, CodeKind.PRICE, CodeKind.CONTACT})  # written as words
_SPACES = re.compile(r"[ \t\r\n]+")
_TEMPLATE_SIGNS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|\{lang=")
_MARKUP = re.compile(r"[\\`*_\[\]<>~{}|&]")
_BLOCK_BEGINS = re.compile(r"(?=[#>+=~:|-])|\d{1,9}(?=[.)])")


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
Parse = Callable[[str], tuple[Sequence[Token], bool]]  # a line of Markdown → its tokens, and whether signs stay visible


class PlainSpan(Struct, frozen=True):
    """A date, a time or a price within text, and how the translation writes it."""

    start: int
    end: int
    kind: CodeKind
    translated: str


FindSpans = Callable[[str], Sequence[PlainSpan]]


def pieces_of(tokens: Sequence[Token], fields: Mapping[str, MergeField], find: FindSpans = lambda _: ()) -> Pieces:
    """Return the pieces of a block of text, without numbers. `fields` has the merge field of each token."""
    pieces = _joined(_read(list(tokens), fields))
    return tuple(part for piece in pieces for part in (_with_spans(piece, find) if isinstance(piece, str) else [piece]))


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


def _read(tokens: list[Token], fields: Mapping[str, MergeField]) -> Iterator[Piece]:
    closing: list[str] = []  # the markup with which each open link ends
    index = 0
    while index < len(tokens):
        token, kind = tokens[index], tokens[index].type
        index += 1
        name, _, side = kind.rpartition("_")
        if kind == "link_open" and token.info == "auto":
            yield from _address(token, tokens[index], fields)
            index += 2
        elif kind == "span_open":
            end = next(at for at in range(index, len(tokens)) if tokens[at].type == "span_close")
            inside = markdown_of(tuple(_read(tokens[index:end], fields)))
            marked = f"[{inside}]{{lang={token.attrs['lang']}}}"
            yield Code(CodeForm.ALONE, CodeKind.PHRASE, name=inside, markup=marked)
            index = end + 1
        elif kind == "link_open":
            href = str(token.attrs["href"])
            closing.append(_target(href, token.attrs.get("title")))
            yield Code(CodeForm.OPEN, CodeKind.LINK, markup="[", data=href)
        elif kind == "link_close":
            yield Code(CodeForm.CLOSE, CodeKind.LINK, markup=closing.pop())
        elif name in _SURROUNDING:
            surrounding, sign = _SURROUNDING[name]
            yield Code(CodeForm(side), surrounding, markup=sign)
        else:
            yield from _alone(token, fields)


def _alone(token: Token, fields: Mapping[str, MergeField]) -> Iterator[Piece]:
    """Yield what a token that surrounds no others stands for."""
    if token.type == "text":
        yield from _with_fields(token.content, fields)
    elif token.type == "softbreak":
        yield " "
    elif token.type == "hardbreak":
        yield Code(CodeForm.ALONE, CodeKind.BREAK, markup="<br>")
    elif token.type == "code_inline":
        sign = "`" * (1 + max((len(run) for run in re.findall("`+", token.content)), default=0))
        inside = f" {token.content} " if len(sign) > 1 else token.content
        yield Code(CodeForm.ALONE, CodeKind.CODE, name=token.content, markup=f"{sign}{inside}{sign}")
    elif token.type == "footnote_ref":
        yield _note(token.meta["label"])
    elif token.type == "image":
        src = str(token.attrs["src"])
        yield Code(CodeForm.OPEN, CodeKind.IMAGE, markup="![")
        yield token.content
        yield Code(CodeForm.CLOSE, CodeKind.IMAGE, markup=_target(src, token.attrs.get("title")), data=src)


def _address(opening: Token, words: Token, fields: Mapping[str, MergeField]) -> Iterator[Piece]:
    if words.content in fields and opening.markup != "autolink":
        yield from _with_fields(words.content, fields)
        return
    href = str(opening.attrs["href"])
    written = f"<{words.content}>" if opening.markup == "autolink" else words.content
    yield Code(CodeForm.ALONE, CodeKind.ADDRESS, markup=written, data=href)


def _target(address: str, title: object) -> str:
    address = f"<{address}>" if re.search(r"[\s()]", address) else address
    quoted = str(title).replace('"', '\\"') if title else ""
    return f']({address} "{quoted}")' if quoted else f"]({address})"


def _note(label: str) -> Code:
    return Code(CodeForm.ALONE, CodeKind.NOTE, name=label, markup=MergeField(f"{NOTE_SIGN}{label}").token)


def _with_fields(text: str, fields: Mapping[str, MergeField]) -> Iterator[Piece]:
    position = 0
    for match in MERGE_TOKEN.finditer(text):
        field = fields.get(match[0])
        if field is None:
            continue
        yield text[position : match.start()]
        position = match.end()
        is_note = field.name.startswith(NOTE_SIGN)
        alone = Code(CodeForm.ALONE, CodeKind.FIELD, name=field.name, markup=match[0])
        yield _note(field.name.removeprefix(NOTE_SIGN)) if is_note else alone
    yield text[position:]


def _with_spans(text: str, find: FindSpans) -> Iterator[Piece]:
    position = 0
    for span in sorted(find(text), key=lambda span: (span.start, -span.end)):
        if span.start < position:
            continue
        yield from filter(None, [text[position : span.start]])
        yield Code(CodeForm.ALONE, span.kind, name=text[span.start : span.end], markup=span.translated)
        position = span.end
    yield from filter(None, [text[position:]])


def _joined(pieces: Iterable[Piece]) -> Pieces:
    """Return the pieces with neighboring texts joined, and each run of spaces as one."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] = _SPACES.sub(" ", found[-1] + piece)
        elif piece != "":
            found.append(_SPACES.sub(" ", piece) if isinstance(piece, str) else piece)
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


def digest_of(pieces: Pieces) -> str:
    """Return by what a change of a sentence is noticed: 8 digits of its words and codes, and 4 of where they lead.

    A new address changes only what is after the dot, so that no translator needs to look at the sentence again.
    """
    told = "".join(
        normalize("NFC", piece) if isinstance(piece, str) else f"\x01{piece.form}{piece.kind}{piece.name}\x02"
        for piece in _joined(pieces)
    )
    words = blake2b(told.strip().encode(), digest_size=4).hexdigest()
    data = "\x01".join(piece.data for piece in pieces if isinstance(piece, Code) and piece.data)
    return f"{words}.{blake2b(data.encode(), digest_size=2).hexdigest()}" if data else words


def same_codes(pieces: Pieces, others: Pieces) -> bool:
    """Return whether both have the same codes, each as often, in any order, and all of them properly nested."""
    return codes_in(pieces) == codes_in(others) and is_nested(pieces)


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


def markdown_of(pieces: Pieces, *, in_source: bool = False, escapes: bool = False) -> str:
    """Return the pieces as a line of Markdown, with tokens for merge fields.

    `in_source` writes dates as the original does. Without `escapes`, signs in the text are written as they are.
    """
    written = ""
    for piece in _tidied(pieces):
        if isinstance(piece, str):
            written += _MARKUP.sub(r"\\\g<0>", piece) if escapes else piece
        else:
            written += piece.name if in_source and piece.kind in PLAIN_KINDS else piece.markup
    return _SPACES.sub(" ", written).strip()


def _tidied(pieces: Pieces) -> Pieces:
    """Return the pieces with spaces at the inner edges of emphasis moved outside, where Markdown needs them."""
    found = list(pieces)
    for index, piece in enumerate(found):
        if isinstance(piece, str) or piece.form is CodeForm.ALONE or piece.kind is CodeKind.IMAGE:
            continue
        inner = index + 1 if piece.form is CodeForm.OPEN else index - 1
        words = found[inner] if 0 <= inner < len(found) else None
        if isinstance(words, str) and words.strip():
            if piece.form is CodeForm.OPEN and words[0].isspace():
                found[inner] = words.lstrip()
                found[index - 1 : index] = [*found[index - 1 : index], " "] if index else []
            elif piece.form is CodeForm.CLOSE and words[-1].isspace():
                found[inner] = words.rstrip()
                after = found[index + 1] if index + 1 < len(found) else None
                if isinstance(after, str):
                    found[index + 1] = f" {after}"
    return tuple(found)


def safe_markdown(pieces: Pieces, parse: Parse, fields: Mapping[str, MergeField], *, begins_line: bool) -> str | None:
    """Return Markdown that is read back as exactly these pieces, or None if there is none.

    So no word of a translation can become a link, a field or other markup. `begins_line` is whether the text stands at
    the beginning of a line, where a number or a dash could begin a list.
    """
    words = "".join(piece for piece in pieces if isinstance(piece, str))
    if _TEMPLATE_SIGNS.search(words) or MERGE_TOKEN.search(words):
        return None
    wanted = _comparable(_tidied(pieces))
    for escapes in (False, True):
        text = markdown_of(pieces, escapes=escapes)
        if begins_line and (match := _BLOCK_BEGINS.match(text)):
            text = f"{text[: match.end()]}\\{text[match.end() :]}"
        tokens, has_losses = parse(text)
        if not has_losses and _comparable(pieces_of(tokens, fields)) == wanted:
            return text
    return None


def _comparable(pieces: Pieces) -> list[object]:
    flat = [piece.markup if isinstance(piece, Code) and piece.kind in PLAIN_KINDS else piece for piece in pieces]
    joined = [
        piece if isinstance(piece, str) else (piece.form, piece.kind, piece.markup, piece.data)
        for piece in _joined(flat)
    ]
    if joined and isinstance(joined[0], str):
        joined[0] = joined[0].lstrip()
    if joined and isinstance(joined[-1], str):
        joined[-1] = joined[-1].rstrip()
    return [piece for piece in joined if piece != ""]
