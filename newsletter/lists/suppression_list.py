"""Read a list of addresses that must not be emailed: one per line, or a CSV file with a column of addresses.

A CSV file may have the columns `topic`, `reason`, `detail` and `created_at`, as `suppressions export` writes them. It
may also give everyone's status, as the exports of other tools do. Then only people who unsubscribed, bounced or
complained are used, with the time that the list gives. If any line has a mistake, no line of the file is used, and the
error lists all mistakes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from newsletter.errors import InputError, Mistake, MistakesError, parts_of
from newsletter.lists.cells import tidied
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.export_formats import OWN
from newsletter.lists.leavers import UnclearColumn, UnclearColumnsError
from newsletter.lists.leaving import LeavingOutcome, Sense, sense_of
from newsletter.lists.list_columns import ListColumn, ListHeader
from newsletter.lists.suppression_header import email_places, read_suppression_header
from newsletter.lists.suppression_rows import RowReader, SuppressionTerms
from newsletter.lists.tables import Rows, delimiter_of, read_table
from newsletter.lists.text_blocks import read_blocks, require_text
from newsletter.model.audience import Suppression

_NO_MAPPING: Mapping[str, str] = {}
_SHORTEST_YEAR = 4  # digits; a shorter number is a count
_MOST_SHOWN = 100  # mistakes; if a file is not a list, every line has one
_CORRECT = "correct or delete the line"
_LINES = ListHeader(form=OWN, delimiter="", columns=(ListColumn(name="email", place=0, fields=("email",)),))


def read_suppressions(
    path: Path,
    *,
    terms: SuppressionTerms,
    topics: Mapping[str, str],
    mapping: Mapping[str, str] = _NO_MAPPING,
    now: datetime,
    on_row: Callable[[int], None] = lambda _: None,
    on_skipped: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> Iterator[Suppression]:
    """Yield the suppressions of a file in order. Call `on_row` for each row, whether it is used or not.

    `mapping` says of columns whether they say who left: LEFT, or an empty text. Raise UnclearColumnsError if one that
    may say so is not in it.

    `topics` gives the titles of topics by name. Call `on_skipped` for each row of someone who did not unsubscribe, with
    an empty tuple, and for each row of someone who left topics that do not exist here, with their names in the file.

    Raise InputError if the file cannot be read. After the last row, raise MistakesError if any row has a mistake, or if
    no row says that someone unsubscribed, bounced, complained or left a topic.
    """
    require_text(path)
    mistakes = _Mistakes(path)
    reader: RowReader | None = None
    taken, has_unknown = 0, False
    for header, line, cells in _rows(path, find_encoding(path), mapping, mistakes):
        on_row(1)
        reader = reader or RowReader(header, terms, topics, now)
        try:
            found = reader.read(cells)
        except ValueError as err:
            mistakes.add(line, *parts_of(err, otherwise=_CORRECT))
            continue
        if found.unknown or not found.suppressions:
            has_unknown |= bool(found.unknown)
            on_skipped(found.unknown)
        taken += len(found.suppressions)
        yield from found.suppressions
    mistakes.refuse()
    if reader is not None and not taken and not has_unknown:
        what = "no row says that someone unsubscribed, bounced or complained"
        raise MistakesError(
            [Mistake(path=str(path), what=what, remedy="name a file that lists people who unsubscribed")]
        )


class _Mistakes:
    """The mistakes in the lines of a file."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._count = 0
        self._shown: list[Mistake] = []

    def add(self, line: int, what: str, remedy: str) -> None:
        """Add what is wrong with a line, and what to do."""
        self._count += 1
        if self._count <= _MOST_SHOWN:
            self._shown.append(Mistake(path=self._path, line=line, what=what, remedy=remedy))

    def refuse(self) -> None:
        """Raise MistakesError if there are any."""
        self._shown.sort(key=lambda mistake: mistake.line or 0)
        if self._count > _MOST_SHOWN:
            what = f"there are {self._count - _MOST_SHOWN:,} more lines with mistakes"
            self._shown.append(
                Mistake(path=self._path, what=what, remedy="correct the lines above first, then run the command again")
            )
        if self._shown:
            raise MistakesError(self._shown)


def _rows(
    path: Path, encoding: Encoding, mapping: Mapping[str, str], mistakes: _Mistakes
) -> Iterator[tuple[ListHeader, int, Sequence[str]]]:
    """Yield the header and each row that is not empty, with the line on which it starts."""
    _, head = next(_lines(path, encoding), (0, ""))
    if not head:
        raise InputError(f"{path}: the file is empty; write one address per line")
    if "@" in head and not email_places(head.split(delimiter_of(head))):
        yield from ((_LINES, line, (cell,)) for line, cell in _lines(path, encoding))
        return

    def header_of(cells: Sequence[str], delimiter: str, line: int, _: object) -> ListHeader:
        return read_suppression_header(cells, delimiter=delimiter, mapping=mapping, path=str(path), line=line)

    for rows in read_table(path, encoding, header_of):
        if unclear := [found for column in rows.header.columns if (found := _question(column, rows))]:
            raise UnclearColumnsError(str(path), unclear)
        for misfit in rows.misfits:
            mistakes.add(misfit.line, misfit.fault.what, misfit.fault.remedy)
        for line, cells in zip(rows.lines, zip(*rows.columns, strict=True), strict=True):
            if any(map(str.strip, cells)):
                yield rows.header, line, cells


def _question(column: ListColumn, rows: Rows) -> UnclearColumn | None:
    """Return a column that may say who left, with the first cell that says something, or None."""
    leaving = column.leaving
    if leaving is None or leaving.is_certain:
        return None
    for line, cell in zip(rows.lines, tidied(rows.columns[column.place]).cells, strict=True):
        is_count = (
            cell.isdecimal() and len(cell) < _SHORTEST_YEAR and leaving.verdict(cell).outcome is LeavingOutcome.UNCLEAR
        )
        if sense_of(cell).sense is not Sense.NOTHING and not is_count:
            return UnclearColumn(column.name, column.place, cell, line)
    return None


def _lines(path: Path, encoding: Encoding) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers."""
    for block in read_blocks(path, encoding):
        for number, line in enumerate(block.text.split("\n"), start=block.first_line):
            if line.strip():
                yield number, line
