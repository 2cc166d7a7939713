"""Read the rows of a CSV file below its header, one block at a time.

The first line names the columns. It also shows the separator: a comma, semicolon, tab or vertical bar. Cells can be
quoted as in RFC 4180, and lines can have any line ending. Spreadsheets may write `sep=;` above the header.

A block without quotes is split at its separators, which is faster. Any other block is parsed as CSV, with the same
result.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import islice
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from newsletter.errors import FaultError, InputError, MistakesError
from newsletter.language.counts import count_of
from newsletter.lists.cells import shortened
from newsletter.lists.encodings import Encoding, mistake
from newsletter.lists.list_columns import ListHeader
from newsletter.lists.text_blocks import LONGEST_LINE, TextBlock, read_blocks, too_long

csv.field_size_limit(LONGEST_LINE)  # high enough that a cell that is too long only affects its own row

# Its arguments: the cells of the first line that is not empty, their separator, the number of that line, and the first
# rows below it.
HeaderReader = Callable[[Sequence[str], str, int, Sequence[Sequence[str]]], ListHeader]

_SAMPLE = 100  # rows
_DELIMITERS = ",;\t|"
_DELIMITER_LINE = re.compile(r'"?sep=([,;\t|])"?\n', re.I)
_QUOTED = re.compile(r'"[^"]*"')
_END = "\0"  # marks the end of a row while a block is split into cells


class Misfit(Struct, frozen=True, kw_only=True):
    """A row that does not fit the header."""

    line: int
    email: str
    fault: FaultError
    cells: Sequence[str] = ()


class Rows(Struct, frozen=True, kw_only=True):
    """Some rows of a file, as columns of equal length."""

    header: ListHeader
    lines: Sequence[int]  # the line on which each row starts
    columns: Sequence[Sequence[str]]
    misfits: Sequence[Misfit] = ()
    unfinished: str = ""  # the text after these rows, if a row continues in the next block
    bytes_read: int


def read_table(path: Path, encoding: Encoding, read_header: HeaderReader) -> Iterator[Rows]:
    """Yield the rows of a file in order, reading them on demand.

    Raise InputError if the file cannot be read or is empty, and MistakesError if it is not CSV.
    """
    header: ListHeader | None = None
    rest, line = "", 0  # the beginning of a row that continues in the next block, and its line
    for read in read_blocks(path, encoding):
        block = replace(read, text=rest + read.text, first_line=line) if rest else read
        if header is None and not block.is_last and block.text.isspace():
            continue
        if header is None:
            header, block = _headed(block, read_header, path)
        rows = _rows(block, header, path)
        rest, line = rows.unfinished, block.first_line + block.text.count("\n") - rows.unfinished.count("\n")
        if len(rest) > LONGEST_LINE:
            raise too_long(path, line)
        if rows.lines or rows.misfits or block.is_last:
            yield rows


def delimiter_of(first_line: str) -> str:
    """Return the separator that occurs most outside quotes, or a comma if there is none."""
    return max(_DELIMITERS, key=_QUOTED.sub("", first_line).count)


def _headed(block: TextBlock, read_header: HeaderReader, path: Path) -> tuple[ListHeader, TextBlock]:
    """Return the header of a file, and the first block without its header."""
    text, line, delimiter = block.text, block.first_line, ""
    if match := _DELIMITER_LINE.match(text):
        text, line, delimiter = text[match.end() :], line + 1, match[1]
    empty = len(text) - len(text.lstrip("\n"))
    text, line = text[empty:], line + empty
    if not text:
        raise InputError(f"{path}: the file is empty; its first line must name the columns, one of them email")
    delimiter = delimiter or delimiter_of(text[: text.index("\n")])
    reader = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as err:
        raise _unreadable(path, line, _lines(text, 0, reader.line_num)) from err
    rest, first_line = text.split("\n", reader.line_num)[reader.line_num], line + reader.line_num
    header = read_header(cells, delimiter, line, _sample(reader))
    return header, replace(block, text=rest, first_line=first_line)


def _sample(reader: Iterator[list[str]]) -> Sequence[Sequence[str]]:
    """Return the next rows, up to one that is not CSV."""
    rows = []
    with suppress(csv.Error):
        for row in islice(reader, _SAMPLE):
            rows.append(row)  # noqa: PERF402 - rows before an error are kept
    return rows


def _rows(block: TextBlock, header: ListHeader, path: Path) -> Rows:
    """Split a block into rows. Raise MistakesError if a quote is not closed or not doubled."""
    is_plain = '"' not in block.text and _END not in block.text
    return (_split(block, header) if is_plain else None) or _read(block, header, path)


def _split(block: TextBlock, header: ListHeader) -> Rows | None:
    """Split a block that has no quotes. Return None if a line has more or fewer cells than the header."""
    count, width, delimiter = block.text.count("\n"), header.width, header.delimiter
    cells = block.text.replace("\n", f"{delimiter}{_END}{delimiter}").split(delimiter)
    if len(cells) != count * (width + 1) + 1 or cells[width :: width + 1].count(_END) != count:
        return None
    return Rows(
        header=header,
        lines=range(block.first_line, block.first_line + count),
        columns=[cells[place : -1 : width + 1] for place in range(width)],
        bytes_read=block.bytes_read,
    )


def _read(block: TextBlock, header: ListHeader, path: Path) -> Rows:
    """Read a block as CSV. If its last row continues in the next block, return the text of that row unread."""
    text, width, email = block.text, header.width, header.email.place
    reader = csv.reader(StringIO(text, newline="\n"), delimiter=header.delimiter, strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    misfits: list[Misfit] = []
    start, unfinished, last = 0, "", text.count("\n")
    try:
        for row in reader:
            line, start = block.first_line + start, reader.line_num
            is_whole = not block.is_open or reader.line_num < last
            cells = _fitted(row, width, email) if is_whole or len(row) > width else row
            if len(cells) == width:
                lines.append(line)
                rows.append(cells)
            elif any(cell.strip() for cell in cells):
                misfits.append(_of_another_width(line, cells, header))
    except csv.Error as err:
        if block.is_last or reader.line_num < last:
            raise _unreadable(path, block.first_line + start, _lines(text, start, reader.line_num)) from err
        unfinished = text.split("\n", start)[start]
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return Rows(
        header=header,
        lines=lines,
        columns=columns,
        misfits=misfits,
        unfinished=unfinished,
        bytes_read=block.bytes_read,
    )


def _fitted(cells: list[str], width: int, email: int) -> list[str]:
    """Return a row with empty cells at its end added or removed, as spreadsheets do, if it then fits the header.

    A row is not made longer if it has no address in its place, because its cells may have shifted.
    """
    if len(cells) > width and not any(cells[width:]):
        return cells[:width]
    if email < len(cells) < width and "@" in cells[email]:
        return [*cells, *[""] * (width - len(cells))]
    return cells


def _of_another_width(line: int, cells: Sequence[str], header: ListHeader) -> Misfit:
    place = header.email.place
    address = cells[place].strip() if len(cells) > place else ""
    count = count_of(len(cells), "cell")
    if len(cells) < header.width and "@" in address:
        what = f"the file ends within this row, which has {count} instead of {header.width}"
        remedy = "if nothing is missing, add a line break at its end"
    elif len(cells) < header.width:
        what = (
            f"the row has {count} instead of {header.width}, and there is no address in cell {place + 1} "
            f"({header.email.name})"
        )
        remedy = "look for a missing separator"
    else:
        what = f"the row has {count}, and the header has {header.width}"
        remedy = "open the file in a spreadsheet, and move each cell in this row under its column heading"
    return Misfit(line=line, email=shortened(address), fault=FaultError(what, remedy), cells=cells)


def _lines(text: str, start: int, end: int) -> str:
    return "\n".join(text.split("\n", end)[start:end])


def _unreadable(path: Path, line: int, row: str) -> MistakesError:
    """Return an error to raise about a row whose quotes do not match, or that has too long a cell."""
    if len(row) > LONGEST_LINE:
        return too_long(path, line)
    what = "the file cannot be read from here on, because its quotes do not match"
    remedy = 'close each quote that opens a cell, and double any quotes inside the text: "say ""hi"""'
    return mistake(path, line, what, remedy)
