"""Splits a block of text into the columns of its rows: the quick way where nothing is quoted, else as CSV says.

Both ways give the same. Which one it was shows only in the time that it takes.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from newsletter.lists.cells import shortened
from newsletter.lists.text_blocks import LONGEST_LINE
from newsletter.model.imports import RejectedRow

csv.field_size_limit(LONGEST_LINE)  # a cell that is too long costs its row alone, quoted or not

_END = "\0"  # stands between rows while a block is split into cells


class UnreadableError(Exception):
    """From some line on, the text is no CSV."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a block as columns of equal length; where each row starts; those that have another width."""

    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    rejected: Sequence[RejectedRow] = ()
    unfinished: str = ""  # the text of a row that goes on after the block


def split_rows(text: str, *, first_line: int, delimiter: str, width: int, email: int, is_last: bool) -> Rows:
    """The rows of a text of whole lines; raises UnreadableError where its quotes do not pair.

    `email` is the place of the column that holds the address.
    """
    if '"' not in text and _END not in text and (rows := _split(text, first_line, delimiter, width)) is not None:
        return rows
    return _read(text, first_line, delimiter, width, email, is_last)


def _split(text: str, first_line: int, delimiter: str, width: int) -> Rows | None:
    """The rows of a text without quotes; None where a line has more or fewer cells than the header."""
    count = text.count("\n")
    cells = text.replace("\n", f"{delimiter}{_END}{delimiter}").split(delimiter)
    if len(cells) != count * (width + 1) + 1 or cells[width :: width + 1].count(_END) != count:
        return None
    return Rows(
        lines=range(first_line, first_line + count),
        columns=[cells[place : -1 : width + 1] for place in range(width)],
    )


def _read(text: str, first_line: int, delimiter: str, width: int, email: int, is_last: bool) -> Rows:
    """The rows as CSV says; where the last one has no end and more text follows, it is left for the next block."""
    reader = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    rejected: list[RejectedRow] = []
    start, unfinished = 0, ""
    try:
        for cells in reader:
            line, start = first_line + start, reader.line_num
            if len(cells) > width and not any(cells[width:]):
                del cells[width:]  # a spreadsheet adds empty cells where another row had more
            if len(cells) == width:
                lines.append(line)
                rows.append(cells)
            elif any(cell.strip() for cell in cells):
                rejected.append(_of_another_width(line, cells, width, email))
    except csv.Error as err:
        if is_last or reader.line_num < text.count("\n"):
            raise UnreadableError(first_line + start, str(err)) from err
        unfinished = text.split("\n", start)[start]
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return Rows(lines=lines, columns=columns, rejected=rejected, unfinished=unfinished)


def _of_another_width(line: int, cells: Sequence[str], width: int, email: int) -> RejectedRow:
    address = cells[email].strip() if len(cells) > email else ""
    reason = f"it has {len(cells)} cells where the header has {width}; look for a missing quote or separator"
    return RejectedRow(line=line, email=shortened(address), reason=reason)
