"""Reads a list from a file, a block of rows at a time, so that a list of any size takes the same memory.

Rows in which every cell is empty are passed over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.lists.columns import batch_of_rows
from newsletter.lists.csv_header import Header, read_header
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.tables import read_table
from newsletter.lists.text_blocks import require_text
from newsletter.model.imports import ImportBatch

_NO_MAPPING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """How a list is read: what its columns are taken for, and in which encoding."""

    header: Header
    encoding: Encoding


def read_list(
    path: Path,
    *,
    mapping: Mapping[str, str] = _NO_MAPPING,
    encoding: str = "",
    now: datetime | None = None,
    on_shape: Callable[[ListShape], None] = lambda _: None,
) -> Iterator[ImportBatch]:
    """The rows of a list, in their order, read as they are asked for; `on_shape` is told first how it is read.

    `mapping` says what a column is to be taken for: one of ours, the name of an attribute, or nothing. Without an
    `encoding` it is found out. With `now`, a row whose consent is yet to come is rejected. Raises InputError where the
    file cannot be read, and MistakesError where it is no list: not text, a header that is missing or impossible, a
    quote that is never closed, a byte that its encoding lacks.
    """
    require_text(path)
    found = Encoding.named(encoding) if encoding else find_encoding(path)

    def header_of(cells: Sequence[str], delimiter: str, line: int) -> Header:
        header = read_header(cells, delimiter=delimiter, mapping=mapping, path=str(path), line=line)
        on_shape(ListShape(header=header, encoding=found))
        return header

    for block in read_table(path, found, header_of):
        yield batch_of_rows(block.rows, block.header, bytes_read=block.bytes_read, now=now)
