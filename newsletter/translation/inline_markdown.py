"""Turns Markdown into the pieces of a sentence and back, so that it is read back as exactly these pieces."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from markdown_it.token import Token
from msgspec import Struct

from newsletter.model.slots import MERGE_TOKEN, MergeField
from newsletter.translation.inline import BLANKS, PLAIN_KINDS, Code, CodeForm, CodeKind, Piece, Pieces, joined

NOTE_SIGN = "^"  # before the label of a footnote, in the name of the field that represents its number
_SURROUNDING: Mapping[str, tuple[CodeKind, str]] = {
    "em": (CodeKind.EMPHASIS, "*"),
    "strong": (CodeKind.STRONG, "**"),
    "s": (CodeKind.STRUCK, "~~"),
}
_TEMPLATE_SIGNS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|\{lang=")
_MARKUP = re.compile(r"[\\`*_\[\]<>~{}|&]")
_BLOCK_BEGINS = re.compile(r"(?=[#>+=~:|-])|\d{1,9}(?=[.)])")

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
    pieces = joined(_read(list(tokens), fields))
    return tuple(part for piece in pieces for part in (_with_spans(piece, find) if isinstance(piece, str) else [piece]))


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
    return BLANKS.sub(" ", written).strip()


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
    found = [
        piece if isinstance(piece, str) else (piece.form, piece.kind, piece.markup, piece.data)
        for piece in joined(flat)
    ]
    if found and isinstance(found[0], str):
        found[0] = found[0].lstrip()
    if found and isinstance(found[-1], str):
        found[-1] = found[-1].rstrip()
    return [piece for piece in found if piece != ""]
