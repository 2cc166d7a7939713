"""Our own rules for Markdown within a line: addresses, line breaks, emphasis in Chinese and Japanese, and languages.

Each token's `map` holds its position in the source, because the parser itself does not keep it.
"""

import re
import unicodedata
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.autolink import autolink
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from newsletter.model.slots import LINK_FIELDS, MERGE_TOKEN, MergeField
from newsletter.model.values import is_language
from newsletter.model.web_address import WEB_ADDRESS

_BREAK = re.compile(r"<br[ \t]{0,3}/?[ \t]{0,3}>[ \t]*+\n?[ \t]*+", re.IGNORECASE)
_FIELD_IN_ANGLES = re.compile(rf"<({MERGE_TOKEN.pattern})>")
_LANGUAGE_MARK = re.compile(r"\{lang=([A-Za-z-]{2,20})\}")
_LINK_TOKENS = frozenset(MergeField(name).token for name in LINK_FIELDS)
_LONGEST_SCHEME = len("https")
ADDRESS_MARKUP = "linkify"  # what the parser's own rule for addresses calls them
BREAK_MARKUP = "<br>"


class PositionedInline(ParserInline):
    """The parser's rules for a line, with positions and with emphasis as Chinese and Japanese need it."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Return the tokens of one block of text."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    """The state of the parser. It notes positions, and sees ideographs and kana as neighbors of emphasis."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, outTokens: list[Token]) -> None:  # noqa: N803
        super().__init__(src, md, env, outTokens)
        self.states_languages = (
            "]{lang=" in src
        )  # asked here, because to search the text at each bracket takes too long

    def pushPending(self) -> Token:  # noqa: N802 - the parser's name
        token = super().pushPending()
        token.map = [self.pos, self.pos]
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        token.map = [self.pos, self.pos]
        return token

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the parser's names
        """Return whether a run of emphasis signs can open or close.

        Source: the CJK-friendly amendment to CommonMark (github.com/tats-u/markdown-cjk-friendly). Punctuation inside
        the signs does not need a space outside them if the neighbor is a character of Chinese, Japanese or Korean.
        """
        marker, end = self.src[start], start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        spaced_before, spaced_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        sign_before, sign_after = _is_sign(before), _is_sign(after)
        east_before, east_after = is_east_asian(before), is_east_asian(after)
        left = not spaced_after and (not sign_after or east_after or spaced_before or sign_before or east_before)
        right = not spaced_before and (not sign_before or east_before or spaced_after or sign_after or east_after)
        can_open = left and (canSplitWord or not right or sign_before)
        can_close = right and (canSplitWord or not left or sign_after)
        return Scanned(can_open, can_close, end - start)


def _is_sign(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def is_east_asian(character: str) -> bool:
    """Return whether a character is an ideograph, kana, Hangul, or punctuation of these scripts. Emoji are not."""
    if character < "\u1100":
        return False
    return unicodedata.east_asian_width(character) in "WFH" and unicodedata.category(character) not in {"So", "Sk"}


def is_unspaced(character: str) -> bool:
    """Return whether a character belongs to Chinese or Japanese, which put no space between words."""
    return is_east_asian(character) and not unicodedata.name(character, "").startswith(("HANGUL", "HALFWIDTH HANGUL"))


def link_addresses(state: StateInline, silent: bool) -> bool:
    """Link a complete address, because email apps would link it anyway, in a blue that dark mode makes unreadable."""
    pos = state.pos
    if state.linkLevel or not state.src.startswith("://", pos):
        return False
    word = state.src[max(pos - _LONGEST_SCHEME, 0) : pos].lower()
    scheme = next((name for name in ("https", "http") if word.endswith(name)), None)
    if scheme is None or not state.pending.lower().endswith(scheme):
        return False
    match = WEB_ADDRESS.match(state.src, pos - len(scheme), state.posMax)
    if match is None:
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme)]
        _push_link(state, match[0].replace("&amp;", "&"), ADDRESS_MARKUP)
    state.pos = match.end()
    return True


def _push_link(state: StateInline, address: str, markup: str) -> None:
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": state.md.normalizeLink(address)}
    opening.markup, opening.info = markup, "auto"
    state.push("text", "", 0).content = state.md.normalizeLinkText(address)
    closing = state.push("link_close", "a", -1)
    closing.markup, closing.info = markup, "auto"


def take_angle_brackets(state: StateInline, silent: bool) -> bool:
    """Take what may stand in angle brackets: a line break, an address, or a merge field that is an address."""
    if state.src[state.pos] != "<":
        return False
    if match := _BREAK.match(state.src, state.pos, state.posMax):
        if not silent:
            state.push("hardbreak", "br", 0).markup = BREAK_MARKUP
        state.pos = match.end()
        return True
    if match := _FIELD_IN_ANGLES.match(state.src, state.pos, state.posMax):
        if not silent:
            _push_link(state, match[1], "autolink")
        state.pos = match.end()
        return True
    return autolink(state, silent)


def link_own_addresses(tokens: list[Token]) -> list[Token]:
    """Return the tokens of a block with links around the merge fields that are a reader's own address."""
    result: list[Token] = []
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("link_") else 0
        if token.type != "text" or depth or _LINK_TOKENS.isdisjoint(MERGE_TOKEN.findall(token.content)):
            result.append(token)
            continue
        for part in re.split(f"({MERGE_TOKEN.pattern})", token.content):
            words = token.copy(content=part)
            if part not in _LINK_TOKENS:
                result += [words] if part else []
                continue
            opening = Token("link_open", "a", 1, attrs={"href": part}, markup=ADDRESS_MARKUP, map=token.map)
            result += [opening, words, Token("link_close", "a", -1, markup=ADDRESS_MARKUP, map=token.map)]
    return result


def mark_languages(state: StateInline, silent: bool) -> bool:
    """Take words in square brackets with their language: `[Gracias]{lang=es}`."""
    src, start = state.src, state.pos
    if src[start] != "[" or not (isinstance(state, _State) and state.states_languages):
        return False
    end = state.md.helpers.parseLinkLabel(state, start)
    match = _LANGUAGE_MARK.match(src, end + 1, state.posMax) if end >= 0 else None
    if match is None or not is_language(match[1]):
        return False
    if not silent:
        maximum, state.pos, state.posMax = state.posMax, start + 1, end
        state.push("span_open", "span", 1).attrs = {"lang": match[1]}
        state.md.inline.tokenize(state)
        state.push("span_close", "span", -1)
        state.posMax = maximum
    state.pos = match.end()
    return True


def language_line(text: str) -> str | None:
    """Return the language that the first line of a paragraph states for it or for the block below, or None."""
    match = _LANGUAGE_MARK.match(text)
    return match[1] if match and text[match.end() :].lstrip(" \t")[:1] in {"", "\n"} and is_language(match[1]) else None
