"""Quotes and invisible characters in the files that people write, and how messages and plain text show text.

YAML and TOML share these rules. Word processors replace straight quotes with curly ones and spaces with special ones,
and both mean something else to a computer.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

STRAIGHT_QUOTES: Final = "\"'"
CURLY_QUOTES: Final = "“”„‟‘’‚‛"
IDEOGRAPHS: Final = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"))  # with kana
IDEOGRAPHS_IN_SET: Final = "".join(f"{first}-{last}" for first, last in IDEOGRAPHS)  # as a pattern has them in brackets
_LONGEST_SHOWN: Final = 300
# Space characters that may not indent a line, except those that YAML counts as line breaks.
ODD_SPACE: Final = r"(?:[^\S\n\r\t \x85\u2028\u2029]|[\u200b\u2060\ufeff])"
_IN_CURLY_QUOTES = re.compile(r"(?P<opening>[“„‟”‘‚‛’])(?P<inside>.*)(?P<closing>[“”‘’\"'])", re.DOTALL)
_DIGITS_OF: Final = {"x": 2, "u": 4, "U": 8}  # how many digits follow the letter, in the escapes that have any
_CODES = "|".join(f"(?<={sign})[0-9A-Fa-f]{{{digits}}}" for sign, digits in _DIGITS_OF.items())
_ESCAPE = re.compile(rf"\\(?P<sign>.)(?P<code>{_CODES})?", re.DOTALL)
_DOUBLE = re.compile("[“„‟”]")
_SINGLE_OPENING = re.compile("[‘‚‛]")


def has_ideographs(text: str) -> bool:
    """Return whether the text contains kana or ideographs, which stand without spaces between words."""
    return has_sign_in(text, IDEOGRAPHS)


def has_sign_in(text: str, ranges: Sequence[tuple[str, str]]) -> bool:
    """Return whether the text contains a character of the ranges, of which the lowest comes first.

    A pattern would do the same, but takes milliseconds to compile.
    """
    if text.isascii() or max(text) < ranges[0][0]:
        return False
    return any(first <= sign <= last for sign in text for first, last in ranges)


def shortened(text: str, *, longest: int = _LONGEST_SHOWN) -> str:
    """Return text as messages show it: on one line, and cut off if it has more than `longest` characters."""
    text = text if len(text) <= longest else f"{text[:longest]}…"
    return " ".join(text.splitlines())


def columns_of(text: str) -> int:
    """Return how many columns a text takes where every character is equally wide. Ideographs take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def in_quotes(text: str) -> str:
    """Return text in quotes, so that both YAML and TOML read it back unchanged."""
    if '"' not in text and "\\" not in text:
        return f'"{shortened(text)}"'
    if "'" not in text:
        return f"'{shortened(text)}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shortened(escaped)}"'


def inside_curly_quotes(text: str) -> str | None:
    """Return the text inside one pair of curly quotes, or None unless the pair surrounds the whole text."""
    match = _IN_CURLY_QUOTES.fullmatch(text)
    if match is None:
        return None
    between = _DOUBLE if _DOUBLE.match(match["opening"]) else _SINGLE_OPENING
    pairs = between.search(match["inside"])
    is_pair = (match["closing"] in '“”"') == (between is _DOUBLE)
    return None if pairs or not is_pair else match["inside"]


def end_of_quotes(text: str, start: int, sign: str, *, doubles_apostrophes: bool = False) -> int | None:
    """Return the position after the closing quote, or None if there is no closing quote.

    `start` is the position after the opening quote. In YAML, two apostrophes in single quotes stand for one apostrophe.
    """
    position = start
    while position < len(text):
        if sign == '"' and text[position] == "\\":
            position += 2
        elif text[position] != sign:
            position += 1
        elif sign == "'" and doubles_apostrophes and text.startswith("''", position):
            position += 2
        else:
            return position + 1
    return None


def unknown_escape(quoted: str, known: str) -> str | None:
    """Return the first escape (backslash and character) whose character is not in `known`, or None if there is none."""
    for match in _ESCAPE.finditer(quoted):
        if match["sign"] not in known or (match["sign"] in _DIGITS_OF and match["code"] is None):
            return f"\\{match['sign']}"
    return None


# Embeddings and overrides turn the order of letters around; Unicode advises against them (UAX 9, section 2.7). Isolates
# are what programs should use, so they count only if one is not closed.
_TURNING = re.compile("[\u202a-\u202e]")
_ISOLATE = re.compile("[\u2066-\u2069]")


def sign_that_turns(text: str) -> re.Match[str] | None:
    """Return the first invisible character that turns the order of letters around, also beyond its own text."""
    if (match := _TURNING.search(text)) is not None:
        return match
    opened: list[re.Match[str]] = []
    for match in _ISOLATE.finditer(text):
        if match[0] != "\u2069":
            opened.append(match)
        elif not opened:
            return match
        else:
            opened.pop()
    return opened[0] if opened else None
