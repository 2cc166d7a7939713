"""Bars of block characters, and what stands for them where a terminal has no such characters."""

from collections.abc import Sequence
from typing import TextIO

from newsletter.cli.output import display_width

_FULL = "█"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_NEEDED = f"{_FULL}{''.join(_EIGHTHS)}…–→−·"
# What a page is drawn with → ASCII, a column for a column; the narrow pieces still show that there is something.
_IN_ASCII = str.maketrans("█▉▊▋▌▍▎▏…–→−·", "#####....->--")


def bar(value: int, *, largest: int, columns: int) -> str:
    """A bar to scale, `columns` long for the largest value; whatever is not nothing shows."""
    if value <= 0 or largest <= 0:
        return ""
    full, eighths = divmod(max(1, round(value * columns * 8 / largest)), 8)
    return _FULL * full + _EIGHTHS[eighths]


def can_draw(stream: TextIO) -> bool:
    """Whether a stream takes what a page is drawn with."""
    try:
        _NEEDED.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_ascii(line: str) -> str:
    """The line as any terminal shows it; a letter that is not in ASCII becomes a question mark."""
    return line.translate(_IN_ASCII).encode("ascii", "replace").decode("ascii")


def aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> list[str]:
    """Rows in columns two apart, those of `right` aligned to the right; indented by two."""
    widths = [max(display_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            " " * (width - display_width(cell)) + cell if index in right else cell + " " * (width - display_width(cell))
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def shortened(text: str, columns: int) -> str:
    """The text within so many columns; an ellipsis stands for what is left out, and for what is no character."""
    clean = "".join(character if character.isprintable() else "…" for character in text)
    if display_width(clean) <= columns:
        return clean
    while display_width(clean) > columns - 1:
        clean = clean[:-1]
    return clean.rstrip() + "…"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent, never rounded to nothing or to all: `95 %`, `<1 %`, `>99 %`."""
    if part in {0, whole}:
        return "100 %" if part else "0 %"
    percent = 100 * part / whole
    return "<1 %" if percent < 0.5 else ">99 %" if percent > 99.5 else f"{percent:.0f} %"
