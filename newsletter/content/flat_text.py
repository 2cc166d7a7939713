"""The text of a block as the search for losses sees it: stand-ins replace everything that Markdown took."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import count
from operator import itemgetter

from markdown_it.token import Token
from msgspec import Struct

from newsletter.content.inline_rules import BREAK_MARKUP
from newsletter.errors import Fix

# Stand-ins for what was taken, in the text in which we look for what was not.
ESCAPED, TAKEN, ADDRESS, BRACKET, BREAK, ESCAPED_BRACKET, EMPHASIS = "\ue000\ue001\ue002\ue003\ue004\ue005\ue006"
_ANY_STAND_IN = re.compile("[\ue000-\ue006]")
_STAND_INS = re.compile(f"[{ESCAPED}{TAKEN}{BRACKET}{ESCAPED_BRACKET}{EMPHASIS}]")
_LONGEST_QUOTE = 60


class ContentLoss(Struct, frozen=True):
    """Something that readers would see or miss by accident: its line, what it is, and what to write instead."""

    line: int
    what: str
    remedy: str
    fix: Fix | None = None  # if the remedy is exactly this edit of the line


class FlatText(Struct, frozen=True, kw_only=True):
    """The text of a block, in which stand-ins replace everything that the parser took."""

    text: str
    starts: tuple[int, ...]  # where each token begins
    lines: tuple[int, ...]  # the line of each token
    addresses: tuple[tuple[int, str], ...]  # the position of each stand-in for an address, and the address

    def line_at(self, position: int) -> int:
        """Return the line of the file on which a position is."""
        return self.lines[max(bisect_right(self.starts, position) - 1, 0)]

    def written(self, start: int, end: int) -> str:
        """Return the text as it was written, as far as it is known."""
        words = _STAND_INS.sub("", self.text[start:end]).replace(BREAK, BREAK_MARKUP)
        if ADDRESS not in words:
            return words
        numbers = count(bisect_left(self.addresses, start, key=itemgetter(0)))
        return re.sub(ADDRESS, lambda _: self.addresses[next(numbers)][1], words)


def flat_text(children: Sequence[Token]) -> FlatText:
    """Return the text of a block. The map of each token must begin with its line."""
    pieces: list[str] = []
    starts, lines, addresses = [], [], []
    length, in_address = 0, False
    for token in children:
        if token.type == "link_open" and token.info == "auto":
            in_address = True
            addresses.append((length, str(token.attrs["href"])))
            piece = ADDRESS
        elif token.type == "link_close" and token.info == "auto":
            in_address, piece = False, ""
        else:
            piece = "" if in_address else _piece(token)
        starts.append(length)
        lines.append(token.map[0] if token.map else 0)
        pieces.append(piece)
        length += len(piece)
    return FlatText(text="".join(pieces), starts=tuple(starts), lines=tuple(lines), addresses=tuple(addresses))


def _piece(token: Token) -> str:
    if token.type == "text" or (token.type == "text_special" and token.content[1:2].isalnum()):
        return _ANY_STAND_IN.sub("\N{REPLACEMENT CHARACTER}", token.content)
    if token.type == "text_special" and token.content == "[":
        return ESCAPED_BRACKET
    if token.type == "hardbreak" and token.markup == BREAK_MARKUP:
        return BREAK
    return _PIECES.get(token.type, "")


_PIECES = {
    "text_special": ESCAPED,
    **dict.fromkeys(("softbreak", "hardbreak"), "\n"),
    **dict.fromkeys(("link_open", "link_close", "span_open", "span_close"), BRACKET),
    **dict.fromkeys((f"{name}_{end}" for name in ("em", "strong", "s") for end in ("open", "close")), EMPHASIS),
    **dict.fromkeys(("code_inline", "image", "footnote_ref"), TAKEN),
}


def quoted(text: str) -> str:
    """Return the beginning of a text in quotation marks, on one line."""
    text = " ".join(text.split())
    return f"“{text[:_LONGEST_QUOTE]}…”" if len(text) > _LONGEST_QUOTE else f"“{text}”"
