"""Mark text that runs against the email's direction, so that punctuation and numbers stay in place."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup, escape

from newsletter.language.direction import Direction, direction_of_text, may_run_from_right, parts_by_direction
from newsletter.model.slots import MERGE_TOKEN

_TABLE_CELLS = {"th", "td"}
_BETWEEN_TAGS = re.compile(r"(?:<title[^>]*>|>)[^<]+")
_FIRST, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_BLOCKS = {"paragraph", "heading", "blockquote", "table", *_TABLE_CELLS}
_LISTS = {"bullet_list", "ordered_list"}


def directed(text: str, around: Direction) -> Markup:
    """Return a line of a template with `dir` on every part that runs the other way. Markup is returned unchanged."""
    if isinstance(text, Markup):
        return text
    own = direction_of_text(text, around)
    words = Markup("").join(_marked(part, way, own) for part, way in parts_by_direction(text, own))
    return _marked(words, own, around)


def isolated_fields(text: str) -> str:
    """Return plain text in which each merge field is isolated, because the direction of its value is not known."""
    return MERGE_TOKEN.sub(lambda token: token[0] if _is_in_word(text, token) else f"{_FIRST}{token[0]}{_END}", text)


def isolated_fields_in_html(html: str) -> str:
    """Return HTML in which each merge field between tags has a direction of its own."""

    def isolated(words: re.Match[str]) -> str:
        if words[0].startswith("<title"):
            return isolated_fields(words[0])
        return MERGE_TOKEN.sub(
            lambda token: token[0] if _is_in_word(words[0], token) else f'<span dir="auto">{token[0]}</span>', words[0]
        )

    return _BETWEEN_TAGS.sub(isolated, html)


def _is_in_word(text: str, token: re.Match[str]) -> bool:
    """Return whether a token is part of an address or of a longer word."""
    before, after = text[max(0, token.start() - 1) : token.start()], text[token.end() : token.end() + 1]
    return any(sign.isalnum() or sign in "/=&?@" for sign in before + after)


def with_directions(tokens: Sequence[Token], around: Direction) -> list[Token]:
    """Return the tokens with `dir` on each block and phrase that runs against the text around it.

    The returned tokens are copies if anything is marked, because other variants share the original tokens.
    """
    if around is Direction.LEFT_TO_RIGHT and not any(map(_may_run_from_right, tokens)):
        return list(tokens)
    copied = [token.copy(attrs=dict(token.attrs)) for token in tokens]
    _direct(SyntaxTreeNode(copied), around)
    return copied


def _may_run_from_right(block: Token) -> bool:
    return any(child.type == "text" and may_run_from_right(child.content) for child in block.children or [])


def _marked(words: str, way: Direction, around: Direction) -> Markup:
    return escape(words) if way is around else Markup('<span dir="{}">{}</span>').format(way.value, words)


def _direct(node: SyntaxTreeNode, around: Direction) -> None:
    for child in node.children:
        if child.type == "inline" and child.token is not None:
            child.token.children = list(_inline(child.token.children or [], around))
        elif child.type in _LISTS:
            _direct(child, _state(child, _direction_of_list(child, around), around))
        elif child.type == "list_item":
            _direct_item(child, around)
        elif child.type in _BLOCKS:
            _direct(child, _state(child, direction_of_text(_text(child), around), around))
        else:
            _direct(child, around)


def _direct_item(item: SyntaxTreeNode, around: Direction) -> None:
    """Set the direction of an item that differs from that of its list for its words only.

    The bullet then stays in place.
    """
    for child in item.children:
        inline = child.children[0].token if child.type == "paragraph" else None
        own = direction_of_text(_text(child), around) if inline is not None else around
        if inline is None or own is around:
            _direct(SyntaxTreeNode(child.to_tokens()), around)
            continue
        inline.children = [
            Token("html_inline", "", 0, content=f'<span dir="{own.value}">'),
            *_inline(inline.children or [], own),
            Token("html_inline", "", 0, content="</span>"),
        ]


def _state(block: SyntaxTreeNode, own: Direction, around: Direction) -> Direction:
    if own is not around and block.nester_tokens is not None:
        block.nester_tokens.opening.attrSet("dir", own.value)
    return own


def _direction_of_list(block: SyntaxTreeNode, around: Direction) -> Direction:
    """Return the other direction if every item of the list runs that way, else `around`."""
    ways = {direction_of_text(_text(item), around) for item in block.children}
    return around.other if ways == {around.other} else around


def _inline(tokens: Sequence[Token], around: Direction) -> Iterator[Token]:
    """Yield the tokens of a block, with `dir` around the parts that run the other way."""
    for token in tokens:
        if token.type != "text":
            yield token
            continue
        for part, way in parts_by_direction(token.content, around):
            words = token.copy(content=part)
            if way is around:
                yield words
                continue
            yield Token("html_inline", "", 0, content=f'<span dir="{way.value}">')
            yield words
            yield Token("html_inline", "", 0, content="</span>")


def _text(node: SyntaxTreeNode) -> str:
    """Return the words of a node, without URLs and code, which say nothing about its direction."""
    return " ".join(
        child.content
        for inline in node.walk()
        if inline.type == "inline" and inline.token is not None
        for child in inline.token.children or []
        if child.type == "text" and not child.content.startswith(("https://", "http://"))
    )
