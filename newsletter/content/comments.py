"""Drops HTML comments, which are an author's notes to themselves, and keeps the line of everything else."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from msgspec import Struct

_FENCE = r"^[ ]{0,3}(?:>[ ]?)*[ \t]*(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})"
# What can begin on the way to a comment: code, in which a comment is text, and a backslash, which makes it text.
_STOPS = re.compile(rf"{_FENCE}|(?P<ticks>`+)|\\.|(?P<comment><!--)", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_OPENING, _CLOSING = "<!--", "-->"


class PlainText(Struct, frozen=True, kw_only=True):
    """Text without comments, and the line of the file for each of its lines."""

    text: str
    lines: tuple[int, ...]
    unclosed: int | None = None  # the line of a comment that never closes


def without_comments(text: str, *, first_line: int) -> PlainText:
    """Return the text without its comments. A line that contains nothing but comments is dropped completely.

    `first_line` is the line of the file on which the text begins. The effort grows with the length of the text.
    """
    if _OPENING not in text:
        return PlainText(text=text, lines=tuple(range(first_line, first_line + text.count("\n") + 1)))
    comments, unclosed = _comments(text)
    breaks = [match.start() for match in re.finditer("\n", text)]
    kept: list[str] = [""]
    lines = [first_line]
    for start, end in _outside(comments, len(text)):
        first, *others = text[start:end].split("\n")
        line = first_line + bisect_right(breaks, start - 1)
        if start and not kept[-1].strip():
            lines[-1] = line  # what follows the comment begins this line
            first = first.lstrip(" \t")
        kept[-1] += first
        kept += others
        lines += range(line + 1, line + 1 + len(others))
    touched = {first_line + bisect_right(breaks, position - 1) for start, end in comments for position in (start, end)}
    pairs = [
        # Without the comment, spaces at the end of the line could become a line break by accident.
        (words.rstrip(" \t") if line in touched else words, line)
        for words, line in zip(kept, lines, strict=True)
        if words.strip() or line not in touched
    ]
    opened = None if unclosed is None else first_line + bisect_right(breaks, unclosed)
    shown, numbers = "\n".join(words for words, _ in pairs), tuple(line for _, line in pairs)
    return PlainText(text=shown, lines=numbers or (first_line,), unclosed=opened)


def _comments(text: str) -> tuple[list[tuple[int, int]], int | None]:
    """Return the start and end of each comment, and the start of one that never closes."""
    found: list[tuple[int, int]] = []
    runs = _Backticks(text)
    position = 0
    while match := _STOPS.search(text, position):
        position = match.end()
        if match["comment"]:
            end = text.find(_CLOSING, position)
            if end == -1:
                return found, match.start()
            position = end + len(_CLOSING)
            found.append((match.start(), position))
        elif match["fence"]:
            closing = re.compile(rf"^[ >\t]*{match['fence'][0]}{{{len(match['fence'])},}}[ \t]*$", re.MULTILINE)
            end_of_code = closing.search(text, position)
            position = end_of_code.end() if end_of_code else len(text)
        elif match["ticks"]:
            position = runs.end_of_code(position, len(match["ticks"]))
    return found, None


class _Backticks:
    """The runs of backticks in a text, by length. Code ends at the next run of its length in the same paragraph."""

    def __init__(self, text: str) -> None:
        self._starts: dict[int, list[int]] = {}
        for match in re.finditer("`+", text):
            self._starts.setdefault(len(match[0]), []).append(match.start())
        self._blanks = [match.start() for match in _BLANK_LINE.finditer(text)] + [len(text)]

    def end_of_code(self, position: int, length: int) -> int:
        """Return where the code ends that begins at a position, or the position itself if it does not end."""
        starts = self._starts.get(length, [])
        following = bisect_left(starts, position)
        if following == len(starts) or starts[following] > self._blanks[bisect_left(self._blanks, position)]:
            return position
        return starts[following] + length


def _outside(comments: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    start = 0
    for opening, closing in comments:
        yield start, opening
        start = closing
    yield start, length
