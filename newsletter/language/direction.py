"""Which way words run: of languages, of texts, and of what stands inside a text and runs the other way."""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from newsletter.model.slots import MERGE_TOKEN


class Direction(StrEnum):
    """Which way words run, as HTML says it."""

    LEFT_TO_RIGHT = "ltr"
    RIGHT_TO_LEFT = "rtl"

    @property
    def other(self) -> "Direction":
        """The opposite one."""
        return Direction.LEFT_TO_RIGHT if self is Direction.RIGHT_TO_LEFT else Direction.RIGHT_TO_LEFT


# Languages and scripts that run from right to left.
_FROM_RIGHT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}) | frozenset(
    {"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"}
)
_SCRIPT = re.compile(r"-([A-Z][a-z]{3})\b")
# Letters of Hebrew, Arabic, Syriac, Thaana, N'Ko, Rohingya, Adlam, and what belongs to them.
_LETTER = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_MAY_RUN_FROM_RIGHT = re.compile(f"[{_LETTER}]")
# A phrase from its first such letter to its last, the marks of quotation or the brackets around it left outside.
_PHRASE_FROM_RIGHT = re.compile(f"[{_LETTER}](?:[^A-Za-z\\u00c0-\\u058f<>\\n]*[{_LETTER}])?")
# What falls apart among words from the right: addresses, and numbers that are written in groups.
_FROM_LEFT = re.compile(r"https?://[^\s،؛]*[^\s،؛.,:)]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d[\d ()./-]{5,}\d")


def direction_of_language(language: str) -> Direction:
    """By the script that the language names, else by the one that it is usually written in."""
    script = _SCRIPT.search(language)
    names = [script[1]] if script else [language.partition("-")[0]]
    return Direction.LEFT_TO_RIGHT if _FROM_RIGHT.isdisjoint(names) else Direction.RIGHT_TO_LEFT


def direction_of_text(text: str, around: Direction) -> Direction:
    """That of the words around it, unless its first letter and most of the others run the other way.

    The first letter alone would turn a sentence round that begins with a name in another script.
    """
    if around is Direction.LEFT_TO_RIGHT and not _MAY_RUN_FROM_RIGHT.search(text):
        return around
    kinds = map(unicodedata.bidirectional, MERGE_TOKEN.sub("", text))
    strong = [_STRONG[kind] for kind in kinds if kind in _STRONG]
    other = around.other
    return other if strong and strong[0] is other and strong.count(other) * 2 > len(strong) else around


def parts_by_direction(text: str, around: Direction) -> Iterator[tuple[str, Direction]]:
    """The text in parts; those must be kept apart from the words around them that run the other way."""
    pattern = _PHRASE_FROM_RIGHT if around is Direction.LEFT_TO_RIGHT else _FROM_LEFT
    last = 0
    for match in pattern.finditer(text):
        if match.start() > last:
            yield text[last : match.start()], around
        yield match[0], around.other
        last = match.end()
    if last < len(text):
        yield text[last:], around


_STRONG = {"L": Direction.LEFT_TO_RIGHT, "R": Direction.RIGHT_TO_LEFT, "AL": Direction.RIGHT_TO_LEFT}
