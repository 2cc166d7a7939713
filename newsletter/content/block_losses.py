"""Finds the blocks of a text that Markdown would drop, or that became something else by accident."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from newsletter.content.flat_text import ContentLoss, flat_text, quoted
from newsletter.content.line_beginnings import losses_at_beginnings
from newsletter.content.losses import losses_in
from newsletter.model.picture_files import read_picture_title

_LARGEST_NUMBER = 999  # of the first entry of a list; 2026. is a year
_LONGEST_HEADING = 100
_SHORTEST_UNDERLINE = 3
_WITH_WORDS = frozenset({"text", "text_special", "code_inline"})
_SENTENCE_END = re.compile(r"[.,;:!?…。、！？؟،]\Z")


def losses_in_blocks(tokens: Sequence[Token]) -> Iterator[ContentLoss]:
    """Yield the losses of all blocks."""
    for token, after in zip_longest(tokens, tokens[1:]):
        match token.type:
            case "heading_open" if after is not None:
                yield from _of_heading(token, after)
            case "list_item_open" if after is not None and after.type == "list_item_close":
                yield ContentLoss(_line(token), "an empty entry of a list", "give it words or remove it")
            case "ordered_list_open" if int(token.attrs.get("start", 1)) > _LARGEST_NUMBER:
                number = token.attrs["start"]
                what = f"a line that begins with {number}. becomes a list"
                yield ContentLoss(_line(token), what, rf"write {number}\. to show it as text")
            case "code_block":
                what = f"{quoted(token.content)} would be shown as code, because four spaces indent it"
                yield ContentLoss(
                    _line(token), what, "delete the spaces, or put a line of three backticks above and below it"
                )
            case "inline":
                flat = flat_text(token.children or [])
                yield from losses_in(flat)
                yield from losses_at_beginnings(flat)


def losses_in_line(tokens: Sequence[Token]) -> Iterator[ContentLoss]:
    """Yield the losses of the value of a key, which is one line without blocks."""
    for token in tokens:
        flat = flat_text(token.children or [])
        yield from losses_in(flat)
        if match := re.match(r"(#{1,6})[ \t]+", flat.text):
            yield ContentLoss(
                flat.line_at(0), f"a key has no headings, so readers would see {match[1]}", f"delete {match[1]}"
            )


def _of_heading(opening: Token, inline: Token) -> Iterator[ContentLoss]:
    words = inline.content.strip()
    if not any(unicodedata.category(sign)[0] not in "ZC" for token in inline.children or [] for sign in _seen(token)):
        yield ContentLoss(_line(opening), "an empty heading", "give it words or remove it")
    elif opening.markup == "-" and ("\n" in words or len(words) > _LONGEST_HEADING or _SENTENCE_END.search(words)):
        what = f"the line of dashes below makes {quoted(words)} a heading"
        yield ContentLoss(_line(opening), what, "put an empty line above the dashes, or write `## ` before a heading")


def _seen(token: Token) -> str:
    """Return what readers see of a token: its words, or the description of an image."""
    if token.type == "image":
        title = read_picture_title(str(token.attrs.get("title", "")))
        return "" if title.is_decorative else token.content
    return token.content if token.type in _WITH_WORDS else ""


def _line(token: Token) -> int:
    return token.map[0] if token.map else 1


def losses_in_source(tokens: Sequence[Token], source: Sequence[str]) -> Iterator[ContentLoss]:
    """Yield the losses that only the source shows, each with the index of its line."""
    columns = 0
    for token in tokens:
        first, end = token.map or (0, 0)
        match token.type:
            case "fence" if not _is_closed(token, source[first:end]):
                what = f"the code that begins with {token.markup} never ends, so readers would see the rest as code"
                yield ContentLoss(first, what, f"write a line with {token.markup} where it ends, or delete this line")
            case "fence" if len(token.info.split()) > 1:
                what = f"readers would not see {quoted(token.info)}, because it is on the line that begins the code"
                yield ContentLoss(first, what, "put it on a line of its own")
            case "heading_open" if token.markup in {"-", "="} and _is_short(source[end - 1]):
                what = f"the line {source[end - 1].strip()} makes the words above it a heading"
                yield ContentLoss(end - 1, what, "put an empty line above it, or write `## ` before a heading")
            case "thead_open":
                columns = len(_cells(source[first]))
            case "tr_open" if (cells := len(_cells(source[first]))) > columns:
                what = f"the row has {cells} cells, but the table has {columns} columns, so readers would miss the rest"
                yield ContentLoss(first, what, "delete cells, or add columns to the first two lines of the table")


def _is_short(line: str) -> bool:
    return len(re.sub(r"[ >\t]", "", line)) < _SHORTEST_UNDERLINE


def _is_closed(fence: Token, lines: Sequence[str]) -> bool:
    sign = re.escape(fence.markup[0])
    return len(lines) > 1 and re.fullmatch(rf"[ >\t]*{sign}{{{len(fence.markup)},}}[ \t]*", lines[-1]) is not None


def _cells(row: str) -> list[str]:
    cells = escapedSplit(re.sub(r"\A[ \t]*(?:>[ \t]*)*", "", row).rstrip())
    return cells[1 if cells[:1] == [""] else 0 : -1 if cells[-1:] == [""] else None]


def unused_definitions(
    definitions: Mapping[str, Mapping[str, Any]], used: frozenset[str], repeated: Sequence[Mapping[str, Any]]
) -> Iterator[ContentLoss]:
    """Yield the definitions of addresses that no link uses or that are repeated, with the index of their line."""
    for label, definition in definitions.items():
        if label not in used:
            what = f"no link uses the address that is defined as [{label.lower()}]"
            remedy = f"write [link text][{label.lower()}] where the link belongs, or delete this line"
            yield ContentLoss(definition["map"][0], what, remedy)
    for definition in repeated:
        what = f"[{definition['label'].lower()}] is defined twice, so only the first address is used"
        yield ContentLoss(definition["map"][0], what, "delete one of them, or give it another name")


def unused_notes(tokens: Sequence[Token], numbers: Mapping[str, int]) -> Iterator[ContentLoss]:
    """Yield the footnotes that no sign in the text leads to, and those that are written twice."""
    seen: set[str] = set()
    for token in tokens:
        if token.type != "footnote_reference_open":
            continue
        label = token.meta["label"]
        if label in seen:
            yield ContentLoss(
                _line(token), f"the footnote [^{label}] is written twice", "give one of them another name"
            )
        elif numbers.get(f":{label}", -1) < 0:
            what = f"nothing in the text leads to the footnote [^{label}], so readers would not see it"
            yield ContentLoss(_line(token), what, f"write [^{label}] where it belongs, or delete the note")
        seen.add(label)
