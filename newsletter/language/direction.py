"""The text direction of a language, of a string, and of phrases in a string that run the other way."""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import cache

from newsletter.model.slots import MERGE_TOKEN


class Direction(StrEnum):
    """A text direction, with the values of HTML's `dir` attribute."""

    LEFT_TO_RIGHT = "ltr"
    RIGHT_TO_LEFT = "rtl"

    @property
    def other(self) -> "Direction":
        """The opposite direction."""
        return Direction.LEFT_TO_RIGHT if self is Direction.RIGHT_TO_LEFT else Direction.RIGHT_TO_LEFT


# Languages and scripts that are written from right to left.
_FROM_RIGHT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}) | frozenset(
    {"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"}
)
_SCRIPT = re.compile(r"-([A-Z][a-z]{3})\b")
# Letters and marks of Hebrew, Arabic, Syriac, Thaana, N'Ko, Rohingya and Adlam.
_LETTER = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_MAY_RUN_FROM_RIGHT = re.compile(f"[{_LETTER}]")
# Text that is displayed out of order inside right-to-left text: addresses, and numbers that are written in groups.
_FROM_LEFT = re.compile(r"https?://[^\s،؛]*[^\s،؛.,:)]|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d[\d ()./-]{5,}\d")

_ADDRESS_FIRST = re.compile(r"\s*(?:https?://|[\w.+-]+@[\w-]+\.)")


def direction_of_language(language: str) -> Direction:
    """Return the direction of the script that the language tag names, else of the language's usual script."""
    script = _SCRIPT.search(language)
    names = [script[1]] if script else [language.partition("-")[0]]
    return Direction.LEFT_TO_RIGHT if _FROM_RIGHT.isdisjoint(names) else Direction.RIGHT_TO_LEFT


def may_run_from_right(text: str) -> bool:
    """Return whether the text contains a letter of a script that is written from right to left."""
    return _MAY_RUN_FROM_RIGHT.search(text) is not None


def direction_of_text(text: str, around: Direction) -> Direction:
    """Return `around`, or the other direction if the text's first letter and most of its letters run that way.

    The first letter is not enough: a sentence may begin with a name in another script.
    """
    if around is Direction.LEFT_TO_RIGHT and not may_run_from_right(text):
        return around
    kinds = map(unicodedata.bidirectional, MERGE_TOKEN.sub("", text))
    strong = [_STRONG[kind] for kind in kinds if kind in _STRONG]
    other = around.other
    return other if strong and strong[0] is other and strong.count(other) * 2 > len(strong) else around


def begins_the_other_way(line: str, around: Direction) -> bool:
    """Return whether the first letter of a line runs against the text around it. An address at its start is none."""
    if _ADDRESS_FIRST.match(line):
        return False
    first = next((_STRONG[kind] for kind in map(unicodedata.bidirectional, line) if kind in _STRONG), around)
    return first is not around


def parts_by_direction(text: str, around: Direction) -> Iterator[tuple[str, Direction]]:
    """Yield the parts of the text with their directions. A part whose direction is not `around` must be isolated."""
    if around is Direction.RIGHT_TO_LEFT:
        phrases = _FROM_LEFT.finditer(text)
    else:
        phrases = _phrase_from_right().finditer(text) if may_run_from_right(text) else iter(())
    last = 0
    for match in phrases:
        if match.start() > last:
            yield text[last : match.start()], around
        yield match[0], around.other
        last = match.end()
    if last < len(text):
        yield text[last:], around


@cache  # compiled when a text has such letters, because most issues have none
def _phrase_from_right() -> re.Pattern[str]:
    """Return the pattern for a phrase from its first such letter to its last.

    Quotation marks or brackets around it stay outside.
    """
    return re.compile(f"[{_LETTER}](?:[^A-Za-z\\u00c0-\\u058f<>\\n]*[{_LETTER}])?")


_STRONG = {"L": Direction.LEFT_TO_RIGHT, "R": Direction.RIGHT_TO_LEFT, "AL": Direction.RIGHT_TO_LEFT}
