"""The units of an issue's files: each key and each block of Markdown that has words to translate, in sentences.

A file is what stands between its units, which a translation has in common with its original, and the units.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from markdown_it.token import Token
from msgspec import Struct
from msgspec.structs import replace

from newsletter.errors import Location
from newsletter.translation.inline import (
    Code,
    CodeKind,
    Pieces,
    digest_of,
    has_words,
    needs_translation,
    numbered,
    text_of,
)
from newsletter.translation.sentences import sentences_of

_ROLES: Mapping[str, str] = {"th": "heading of a table", "td": "cell of a table", "heading": "heading"}
_AROUND: Mapping[str, str] = {"list_item": "entry of a list", "blockquote": "quotation"}
_NOT_KEPT = re.compile(r"[^>\s]")
_TASK = re.compile(r"\[[ xX]\][ \t]+")


class SourceSentence(Struct, frozen=True):
    """One sentence of an original."""

    pieces: Pieces

    @property
    def digest(self) -> str:
        """By what a change is noticed."""
        return digest_of(self.pieces)

    @property
    def text(self) -> str:
        """What a person reads."""
        return text_of(self.pieces)


class Unit(Struct, frozen=True, kw_only=True):
    """A key or a block of Markdown. `role` says what it is, for the translator."""

    id: str  # unique in its file: `title`, `notes.0.text`, `text-3`
    role: str
    line: int
    segments: tuple[SourceSentence, ...]
    location: Location | None = None  # of a key; None for a block of Markdown
    notes: tuple[str, ...] = ()  # what a translator needs to know besides its place

    @property
    def is_automatic(self) -> bool:
        """Whether it has only a date, which needs no translator."""
        return not any(has_words(sentence.pieces) for sentence in self.segments)


class SourceBlock(Struct, frozen=True, kw_only=True):
    """A block of Markdown with words, and where it stands in the text."""

    role: str
    line: int  # the index of its first line in the text
    start: int
    end: int
    lead: str  # what each line after the first begins with
    pieces: Pieces
    texts: tuple[str, ...]  # its lines, as they are written
    is_one_line: bool  # headings and cells of tables cannot continue on another line

    def written(self, lines: Sequence[str]) -> str:
        """Return the block with these lines."""
        kept = [line for line in lines if line]
        return " ".join(kept) if self.is_one_line else f"\n{self.lead}".join(kept)


def blocks_of(body: str, tokens: Sequence[Token], read: Callable[[Sequence[Token]], Pieces]) -> tuple[SourceBlock, ...]:
    """Return the blocks of a text that have words, in order. The `map` of a token has the indexes of its lines.

    Blocks in another language stay as they are, and so does code.
    """
    lines = body.split("\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    cells: dict[int, int] = {}  # of each row of a table, how far it has been read
    found = (_block(token, around, lines, offsets, cells, read) for token, around in _inline_tokens(tokens))
    return tuple(sorted((block for block in found if block is not None), key=lambda block: block.start))


def _inline_tokens(tokens: Sequence[Token]) -> Iterator[tuple[Token, list[str]]]:
    """Yield each block of text with the names of the blocks around it."""
    around: list[tuple[str, bool]] = []
    for token in tokens:
        if token.nesting == 1:
            around.append((token.type.removesuffix("_open"), "lang" in token.attrs))
        elif token.nesting == -1:
            around.pop()
        elif token.type == "inline" and token.map and not any(is_foreign for _, is_foreign in around):
            yield token, [name for name, _ in around]


def _block(
    token: Token,
    around: list[str],
    lines: Sequence[str],
    offsets: Sequence[int],
    cells: dict[int, int],
    read: Callable[[Sequence[Token]], Pieces],
) -> SourceBlock | None:
    inner = around[-1] if around else ""
    content, first = token.content.split("\n"), (token.map or [0])[0]
    is_cell = inner in {"th", "td"}
    first = next((at for at in range(first, min(first + 50, len(lines))) if content[0] in _plain(lines[at])), first)
    at = _plain(lines[first]).find(content[0], cells.get(first, 0) if is_cell else 0)
    if at < 0:
        return None
    cells[first] = at + len(content[0])
    last = min(first + len(content) - 1, len(lines) - 1)
    end = at + len(content[0]) if last == first else lines[last].rfind(content[-1]) + len(content[-1])
    children = [child for child in token.children or [] if child.type not in {"task_box", "footnote_mark"}]
    pieces = numbered(read(children))
    if not needs_translation(pieces):
        return None
    if match := _TASK.match(content[0]) if any(child.type == "task_box" for child in token.children or []) else None:
        at += match.end()
    role = _ROLES.get(inner) or next((_AROUND[name] for name in reversed(around) if name in _AROUND), "paragraph")
    is_one_line = is_cell or inner == "heading"
    texts = tuple(content) if not match else (content[0][match.end() :], *content[1:])
    return SourceBlock(
        role=role,
        line=first,
        start=offsets[first] + at,
        end=offsets[last] + end,
        lead=_NOT_KEPT.sub(" ", lines[first][:at]),
        pieces=pieces,
        texts=(" ".join(texts),) if is_one_line else texts,
        is_one_line=is_one_line,
    )


def _plain(line: str) -> str:
    """Return a line as the parser gives its content: in a table, a backslash before a bar is gone.

    A sign that no text contains takes its place, so that all positions stay.
    """
    return re.sub(r"\\\|", "\x00|", line)


def unit_of_block(block: SourceBlock, number: int, *, line: int, language: str) -> Unit:
    """Return a block as a unit. A block that must stay on one line is one sentence."""
    parts = (block.pieces,) if block.is_one_line else sentences_of(block.pieces, language)
    segments = tuple(map(SourceSentence, parts))
    notes = tuple(_notes_on(block.pieces))
    return Unit(id=f"text-{number}", role=block.role, line=line, segments=segments, notes=notes)


def unit_of_key(location: Location, pieces: Pieces, *, role: str, line: int, hint: str = "") -> Unit:
    """Return the value of a key as a unit of one sentence."""
    pieces = numbered(pieces)
    notes = (*([hint] if hint else []), *_notes_on(pieces))
    name = ".".join(map(str, location))
    return Unit(id=name, role=role, line=line, location=location, segments=(SourceSentence(pieces),), notes=notes)


def body_of(body: str, blocks: Sequence[SourceBlock], lines: Sequence[Sequence[str]]) -> str:
    """Return the text with other lines in each of its blocks."""
    written, position = "", 0
    for block, own in zip(blocks, lines, strict=True):
        written += body[position : block.start] + block.written(own)
        position = block.end
    return written + body[position:]


def _notes_on(pieces: Pieces) -> Iterator[str]:
    """Yield what each code stands for, in the words of a translator."""
    for code in dict.fromkeys(replace(piece, markup="") for piece in pieces if isinstance(piece, Code)):
        if code.kind is CodeKind.FIELD:
            yield f"{{{code.label}}} is replaced by each reader's own value"
        elif code.name:
            yield f"{code.id}: {code.name}"
        elif code.data:
            yield f"{code.id}: {code.data}"
