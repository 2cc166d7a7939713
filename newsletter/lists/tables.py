"""Reads the rows of a CSV file below its header, a block at a time.

The first line names the columns. They are separated by commas, semicolons, tabs or bars, as that line shows; cells may
be quoted as in RFC 4180; lines end in any way that lines end in. Spreadsheets may write `sep=;` above the header.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.lists.csv_header import Header
from newsletter.lists.encodings import Encoding
from newsletter.lists.rows import Rows, UnreadableError, split_rows
from newsletter.lists.text_blocks import LONGEST_LINE, TextBlock, read_blocks, too_long

# Of the cells of the first line that is not empty, what stands between them, and which line it is.
HeaderReader = Callable[[Sequence[str], str, int], Header]

_DELIMITERS = ",;\t|"
_DELIMITER_LINE = re.compile(r'"?sep=([,;\t|])"?\n', re.I)
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBlock:
    """Some rows of a file, and how much of it they and all before them take."""

    header: Header
    rows: Rows
    bytes_read: int
    is_last: bool


def read_table(path: Path, encoding: Encoding, read_header: HeaderReader) -> Iterator[TableBlock]:
    """The rows of a file, in their order, read as they are asked for; the last block says so.

    Raises InputError where the file cannot be read or is empty, and MistakesError where it is no CSV.
    """
    header: Header | None = None
    rest = _Rest()
    for read in read_blocks(path, encoding):
        block = rest.before(read)
        if header is None and not block.is_last and block.text.isspace():
            continue
        if header is None:
            header, block = _headed(block, read_header, path)
        rows = _rows(block, header, path)
        rest = _Rest(text=rows.unfinished, line=block.first_line + block.text.count("\n") - rows.unfinished.count("\n"))
        if len(rest.text) > LONGEST_LINE:
            raise too_long(path, rest.line)
        if rows.lines or rows.rejected or block.is_last:
            yield TableBlock(header=header, rows=rows, bytes_read=block.bytes_read, is_last=block.is_last)


def delimiter_of(first_line: str) -> str:
    """Of the possible separators the one that the header has most of outside of quotes; the comma where it has none."""
    return max(_DELIMITERS, key=_QUOTED.sub("", first_line).count)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """The beginning of a row that goes on in the next block, and the line on which it starts."""

    text: str = ""
    line: int = 0

    def before(self, block: TextBlock) -> TextBlock:
        """The block with the rest before it."""
        return replace(block, text=self.text + block.text, first_line=self.line) if self.text else block


def _headed(block: TextBlock, read_header: HeaderReader, path: Path) -> tuple[Header, TextBlock]:
    """The header of a file, and the first block without it."""
    text, line, delimiter = block.text, block.first_line, ""
    if match := _DELIMITER_LINE.match(text):
        text, line, delimiter = text[match.end() :], line + 1, match[1]
    empty = len(text) - len(text.lstrip("\n"))
    text, line = text[empty:], line + empty
    if not text:
        raise InputError(f"{path}: it is empty; its first line must name the columns, one of them email")
    delimiter = delimiter or delimiter_of(text[: text.index("\n")])
    reader = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as err:
        raise _unreadable(path, line, str(err)) from err
    header = read_header(cells, delimiter, line)
    rest = text.split("\n", reader.line_num)[reader.line_num]
    return header, replace(block, text=rest, first_line=line + reader.line_num)


def _rows(block: TextBlock, header: Header, path: Path) -> Rows:
    try:
        return split_rows(
            block.text,
            first_line=block.first_line,
            delimiter=header.delimiter,
            width=header.width,
            email=header.email.place,
            is_last=block.is_last,
        )
    except UnreadableError as err:
        raise _unreadable(path, err.line, str(err)) from err


def _unreadable(path: Path, line: int, why: str) -> MistakesError:
    what = f"from here on the file cannot be read ({why})"
    remedy = "look for a quote that is not closed, or put quotes that belong to the text twice"
    return MistakesError([Mistake(path=str(path), line=line, what=what, remedy=remedy)])
