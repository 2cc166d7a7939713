"""Parses Markdown. What it does not take is a mistake, and links and images are listed with their lines."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from msgspec import Struct
from msgspec.structs import replace

from newsletter.content.block_losses import (
    losses_in_blocks,
    losses_in_line,
    losses_in_source,
    unused_definitions,
    unused_notes,
)
from newsletter.content.flat_text import ContentLoss
from newsletter.content.inline_rules import (
    PositionedInline,
    is_unspaced,
    language_line,
    link_addresses,
    link_own_addresses,
    mark_languages,
    take_angle_brackets,
)
from newsletter.model.finding import Place
from newsletter.model.prose import Prose, ProseLink, ProsePicture

_BREAKS = frozenset({"softbreak", "hardbreak"})
_ENDS_ADDRESS = re.compile(r"""[\s"'<>\\^`{|}]""")  # signs that are not part of an address unless they are encoded
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")


class ParsedProse(Struct, frozen=True, kw_only=True):
    """Prose, and what readers would see or miss of it by accident."""

    prose: Prose
    losses: tuple[ContentLoss, ...] = ()


class _Definitions(dict[str, Any]):
    """The addresses that are defined apart from their links, with those that a link has used."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a definition, and remember that it is used."""
        self.used.add(key)
        return super().get(key, default)


def _place_tokens(state: StateCore) -> None:
    """Replace positions within a block by lines of the file, which `env` has for each line of the text."""
    lines: Sequence[int] = state.env["lines"]

    def line_of(number: int) -> int:
        return lines[min(number, len(lines) - 1)]

    for block in state.tokens:
        if block.type == "inline":
            first = block.map[0] if block.map else 0
            breaks = [match.start() for match in re.finditer("\n", block.content)]
            _place_children(block.children or [], lambda at: line_of(first + bisect_left(breaks, at)))  # noqa: B023
    for block in state.tokens:
        if block.map:
            block.map = [line_of(block.map[0]), line_of(max(block.map[1] - 1, block.map[0])) + 1]


def _place_children(children: Sequence[Token], line_at: Any) -> None:
    for child in children:
        line = line_at(child.map[0] if child.map else 0)
        child.map = [line, line + 1]
        for inner in child.children or []:
            inner.map = [line, line + 1]


def _finish_blocks(state: StateCore) -> None:
    """Link the readers' own addresses, and give task lists, languages and line breaks their final form."""
    for block in state.tokens:
        if block.type == "inline":
            block.children = link_own_addresses(block.children or [])
    _take_tasks(state.tokens)
    _take_languages(state)


def _note_losses_in_source(state: StateCore) -> None:
    if state.inlineMode:
        return
    lines, definitions = state.env["lines"], state.env["references"]
    found = [*losses_in_source(state.tokens, state.src.split("\n"))]
    found += unused_definitions(definitions, frozenset(definitions.used), state.env.get("duplicate_refs", ()))
    state.env["losses"] += [replace(loss, line=lines[min(loss.line, len(lines) - 1)]) for loss in found]


def _note_losses(state: StateCore) -> None:
    losses = losses_in_line if state.inlineMode else losses_in_blocks
    state.env["losses"] += losses(state.tokens)
    state.env["losses"] += unused_notes(state.tokens, state.env.get("footnotes", {}).get("refs", {}))


def _take_tasks(tokens: Sequence[Token]) -> None:
    """Turn `[ ]` and `[x]` at the beginning of an entry of a list into tokens of their own."""
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (item.type, paragraph.type, inline.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        first = inline.children[0] if inline.children else None
        match = _TASK.match(first.content) if first is not None and first.type == "text" else None
        if first is not None and match is not None:
            item.attrSet("class", "task")
            first.content = first.content[match.end() :]
            box = Token("task_box", "", 0, content=f"[{match[1].lower()}]", map=first.map)
            inline.children = [box, *(inline.children or [])]


# Around each note, the footnote plugin puts tokens for links that lead back to the text.
_UNSHOWN = frozenset({"footnote_open", "footnote_anchor", "footnote_close"})


def _number_notes(state: StateCore) -> None:
    """Write the number of each footnote into the text and before its note. Links inside an email rarely work."""
    tokens: list[Token] = []
    number: int | None = None
    for token in state.tokens:
        if token.type == "footnote_open":
            number = token.meta["id"] + 1
        elif token.type == "inline":
            for child in token.children or []:
                if child.type == "footnote_ref":
                    child.content = f"[{child.meta['id'] + 1}]"
            if number is not None:
                mark = Token("footnote_mark", "", 0, content=f"[{number}]", map=token.map)
                token.children, number = [mark, *(token.children or [])], None
        if token.type not in _UNSHOWN:
            tokens.append(token)
    state.tokens = tokens


def _take_languages(state: StateCore) -> None:
    """Turn a line such as `{lang=es}` above a block into the language of the block."""
    tokens: list[Token] = []
    pending: str | None = None
    index = 0
    while index < len(state.tokens):
        token = state.tokens[index]
        inline = state.tokens[index + 1] if token.type == "paragraph_open" else None
        language = language_line(inline.content) if inline is not None else None
        if inline is not None and language is not None and "\n" not in inline.content.strip():
            pending = language  # the paragraph is this line alone: it is about the next block
            index += 3
            continue
        if inline is not None and language is not None:
            token.attrSet("lang", language)
            _drop_first_line(inline)
        elif pending is not None and token.nesting == 1:
            token.attrSet("lang", pending)
        pending = None
        tokens.append(token)
        index += 1
    state.tokens = tokens


def _drop_first_line(inline: Token) -> None:
    children = inline.children or []
    end = next(index for index, child in enumerate(children) if child.type in _BREAKS)
    inline.children = children[end + 1 :]


def _join_lines(state: StateCore) -> None:
    """Drop a line break between ideographs or kana, where a space would be wrong."""
    for block in state.tokens:
        if block.type != "inline":
            continue
        children = block.children or []
        block.children = [child for index, child in enumerate(children) if not _is_needless(children, index)]


def _is_needless(children: Sequence[Token], index: int) -> bool:
    if children[index].type != "softbreak":
        return False
    before = next((child.content[-1] for child in reversed(children[max(index - 4, 0) : index]) if child.content), "")
    after = next((child.content[0] for child in children[index + 1 : index + 5] if child.content), "")
    return bool(before and after) and is_unspaced(before) and is_unspaced(after)


class _Parser(MarkdownIt):
    """A parser that shows addresses as they can be read and copied."""

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the parser's name
        """Return an address with its letters decoded, or as it was typed if a decoded sign would end or disguise it."""
        decoded = super().normalizeLinkText(link)
        is_plain = decoded.isprintable() and not _ENDS_ADDRESS.search(decoded)
        return decoded if is_plain else link


def _parser() -> MarkdownIt:
    """Return a parser for CommonMark with tables, strikethrough, footnotes and our own rules.

    Raw HTML is text, because content must never become markup.
    """
    parser = _Parser("zero")
    parser.inline = PositionedInline()
    parser.configure("commonmark", {"html": False, "typographer": False, "linkify": False})
    parser.enable(["table", "strikethrough", "linkify"])
    parser.inline.ruler.at("linkify", link_addresses)
    parser.inline.ruler.at("autolink", take_angle_brackets)
    parser.inline.ruler.before("link", "language", mark_languages)
    parser.use(footnote_plugin, inline=False)
    parser.core.ruler.disable("linkify")
    parser.core.ruler.after("inline", "source", _note_losses_in_source)
    parser.core.ruler.after("source", "lines", _place_tokens)
    parser.core.ruler.after("lines", "blocks", _finish_blocks)
    parser.core.ruler.after("blocks", "losses", _note_losses)
    parser.core.ruler.after("footnote_tail", "notes", _number_notes)
    parser.core.ruler.before("text_join", "joined_lines", _join_lines)
    return parser


_PARSER = _parser()


# Cached by content, which is safe because no caller changes the tokens.
@lru_cache(maxsize=128)  # each entry has the tokens of a whole file
def parse_markdown(text: str, *, path: str, lines: tuple[int, ...] = ()) -> ParsedProse:
    """Parse the Markdown of a file. `lines` has the line of the file for each line of the text."""
    return _parsed(text, path=path, lines=lines or tuple(range(1, text.count("\n") + 2)), of_key=False)


@lru_cache(maxsize=2048)
def parse_line(text: str) -> ParsedProse:
    """Parse a line of Markdown, as keys contain it. Its lines and places are of no use, because the key has its own."""
    return _parsed(text, path="", lines=(1,), of_key=True)


def _parsed(text: str, *, path: str, lines: tuple[int, ...], of_key: bool) -> ParsedProse:
    definitions = _Definitions()
    env: dict[str, Any] = {"lines": lines, "losses": [], "references": definitions}
    tokens = _PARSER.parseInline(text, env) if of_key else _PARSER.parse(text, env)
    links: list[ProseLink] = []
    pictures: list[ProsePicture] = []
    for block in tokens:
        children = block.children or []
        for index, token in enumerate(children):
            place = Place(path=path, line=token.map[0] if token.map else lines[0])
            if token.type == "link_open":
                links.append(ProseLink(text=_link_text(children, index), url=str(token.attrs["href"]), place=place))
            elif token.type == "image":
                # The parser encodes spaces and letters such as é, as in a web address. This is the name of a file.
                named, title = unquote(str(token.attrs["src"])), str(token.attrs.get("title", ""))
                token.attrs["src"] = named
                pictures.append(ProsePicture(path=named, alt=token.content, title=title, place=place))
    losses = sorted(dict.fromkeys(env["losses"]), key=lambda loss: loss.line)
    prose = Prose(tokens=tuple(tokens), links=tuple(links), pictures=tuple(pictures))
    return ParsedProse(prose=prose, losses=tuple(losses))


def _link_text(children: Sequence[Token], opening: int) -> str:
    return "".join(_words_of_link(children, opening)).strip()


def _words_of_link(children: Sequence[Token], opening: int) -> Iterator[str]:
    for index in range(opening + 1, len(children)):
        token = children[index]
        if token.type == "link_close":
            return
        yield " " if token.type in _BREAKS else token.content
