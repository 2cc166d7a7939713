"""Read a list from a file into batches, a block of rows at a time, so that memory use does not depend on its size.

A column is checked as a whole if possible. It is checked cell by cell only if one of its cells is wrong. Rows whose
cells are all empty are skipped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from newsletter.lists.addresses import Addresses, checked_addresses, doubts_of, plain_addresses
from newsletter.lists.cells import Cells, RowFindings, TidyColumn, shortened, tidied
from newsletter.lists.csv_header import ListColumn, ListHeader, read_header
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.export_formats import StatusColumn
from newsletter.lists.fields import gathered, gathered_with_json, language_of, looked_up, tags, time_zone_of
from newsletter.lists.list_moments import moments, our_moments
from newsletter.lists.tables import Rows, read_table
from newsletter.lists.text_blocks import require_text
from newsletter.model.columns import COLUMNS, ColumnType
from newsletter.model.imports import DoubtfulRow, ImportBatch, RejectedRow
from newsletter.system.moments import text_of

Item = TypeVar("Item")

_NO_MAPPING: Mapping[str, str] = {}
_AHEAD = timedelta(days=1)  # a local time without a zone is read as UTC, so it may be some hours ahead
_READERS = {ColumnType.LANGUAGE: language_of, ColumnType.ZONE: time_zone_of}


class ListShape(Struct, frozen=True, kw_only=True):
    """How a list is read: its encoding, and what its columns are used for."""

    header: ListHeader
    encoding: Encoding


def read_list(
    path: Path,
    *,
    mapping: Mapping[str, str] = _NO_MAPPING,
    encoding: str = "",
    now: datetime | None = None,
    on_shape: Callable[[ListShape], None] = lambda _: None,
) -> Iterator[ImportBatch]:
    """Yield the rows of a list in order, reading them on demand. First call `on_shape` with how the list is read.

    `mapping` gives the target of a column: one of LIST_COLUMNS, the name of an attribute, or an empty text to skip
    the column. The encoding is detected unless `encoding` names it. If `now` is given, rows with a consent in the
    future are rejected.

    Raise InputError if the file cannot be read. Raise MistakesError if it is not a list: if it is not text, if the
    header is missing or impossible, if a quote is never closed, or if a byte is not valid in the encoding.
    """
    require_text(path)
    found = Encoding.named(encoding) if encoding else find_encoding(path)

    def header_of(cells: Sequence[str], delimiter: str, line: int) -> ListHeader:
        header = read_header(cells, delimiter=delimiter, mapping=mapping, path=str(path), line=line)
        on_shape(ListShape(header=header, encoding=found))
        return header

    for rows in read_table(path, found, header_of):
        yield _batch_of_rows(rows, now=now)


def _batch_of_rows(rows: Rows, *, now: datetime | None) -> ImportBatch:
    """Return the rows that can be imported, the rejected rows, and the rows that a person should check."""
    email = rows.header.email.place
    plain = plain_addresses(rows.columns[email])
    if plain is None:
        rows = _without_empty_rows(rows, email)
    conversion = _Conversion(rows, now)
    columns = conversion.columns(plain)
    findings, lines = conversion.findings, rows.lines
    doubtful = tuple(
        DoubtfulRow(line=lines[place], email=columns["email"][place], doubt="; ".join(doubts))
        for place, doubts in sorted(findings.doubts.items())
        if place not in findings.faults
    )
    rejected = [RejectedRow(line=each.line, email=each.email, reason=str(each.fault)) for each in rows.misfits]
    if findings.faults:
        given = rows.columns[email]
        rejected += [
            RejectedRow(line=lines[place], email=shortened(given[place].strip()), reason="; ".join(faults))
            for place, faults in findings.faults.items()
        ]
        kept = [place for place in range(len(lines)) if place not in findings.faults]
        lines = _picked(lines, kept)
        columns = {name: _picked(cells, kept) for name, cells in columns.items()}
    return ImportBatch(
        lines=lines,
        columns=columns,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        doubtful=doubtful,
        attribute_names=conversion.attribute_names,
        tag_names=conversion.tag_names,
        bytes_read=rows.bytes_read,
    )


def _without_empty_rows(rows: Rows, email: int) -> Rows:
    """Return the rows that are not empty."""
    empty = {
        place
        for place, cell in enumerate(rows.columns[email])
        if not cell.strip() and not any(cells[place].strip() for cells in rows.columns)
    }
    if not empty:
        return rows
    kept = [place for place in range(len(rows.lines)) if place not in empty]
    return replace(rows, lines=_picked(rows.lines, kept), columns=[_picked(cells, kept) for cells in rows.columns])


def _picked(items: Sequence[Item], places: Sequence[int]) -> list[Item]:
    return [items[place] for place in places]


class _Conversion:
    """Converts the rows of a block into the columns of a batch."""

    def __init__(self, rows: Rows, now: datetime | None) -> None:
        self.findings = RowFindings()
        self.tag_names: frozenset[str] = frozenset()
        self.attribute_names: frozenset[str] = frozenset()
        self._rows = rows
        self._header = rows.header
        self._latest = text_of(now + _AHEAD) if now else ""

    def columns(self, plain: Addresses | None) -> dict[str, Cells]:
        """Return the columns of the batch. `plain` contains the addresses if all of them are certain to be valid."""
        addresses = plain or self._addresses(self._header.email)
        columns = {"person": addresses.persons, "email": addresses.emails}
        self.findings.add_doubts(doubts_of(addresses.emails))
        for known in COLUMNS:
            column = self._header.column_of(known.name)
            if column is not None and known.type is not ColumnType.ADDRESS:
                columns[known.name] = self._cells(column, known.type)
        if self._header.tool and "consented_at" in columns and "consent_source" not in columns:
            columns["consent_source"] = [self._header.tool if moment else "" for moment in columns["consented_at"]]
        attributes = self._attributes()
        if attributes is not None:
            columns["attributes"] = attributes
        consented = self._header.column_of("consented_at")
        if self._latest and consented is not None and max(columns["consented_at"], default="") > self._latest:
            moments_of_consent = enumerate(columns["consented_at"])
            ahead = {place: moment for place, moment in moments_of_consent if moment > self._latest}
            remedy = "write the day on which they consented"
            faults = {place: f"{moment} is in the future; {remedy}" for place, moment in ahead.items()}
            self.findings.add_faults(faults, column=consented.name)
        for column in self._header.columns:
            if column.status:
                self._judge(column.status, self._tidy(column))
        return columns

    def _tidy(self, column: ListColumn) -> TidyColumn:
        tidy = tidied(self._rows.columns[column.place])
        self.findings.add_faults(tidy.faults)
        return tidy

    def _addresses(self, column: ListColumn) -> Addresses:
        addresses, faults = checked_addresses(self._tidy(column).cells)
        self.findings.add_faults({place: fault for place, fault in faults.items() if place not in self.findings.faults})
        return addresses

    def _cells(self, column: ListColumn, kind: ColumnType) -> Cells:
        if kind is ColumnType.MOMENT:
            return self._moments(column)
        tidy = self._tidy(column)
        if kind is ColumnType.TAGS:
            cells, self.tag_names = tags(tidy)
            return cells
        if kind not in _READERS:
            return tidy.cells
        cells, doubts = looked_up(tidy, _READERS[kind])
        self.findings.add_doubts(doubts)
        return cells

    def _moments(self, column: ListColumn) -> Cells:
        ours = our_moments(self._rows.columns[column.place])
        if ours is not None:
            return ours
        cells, faults = moments(self._tidy(column).cells, is_day_first=self._header.form.is_day_first)
        self.findings.add_faults(faults, column=column.name)
        return cells

    def _attributes(self) -> Cells | None:
        named = {column.attribute: self._tidy(column) for column in self._header.columns if column.attribute}
        nested = {column.name: self._tidy(column) for column in self._header.columns if column.is_json}
        if nested:
            cells, self.attribute_names, doubts = gathered_with_json(named, nested)
            self.findings.add_doubts(doubts)
            return cells
        if named:
            cells, self.attribute_names = gathered(named)
            return cells
        return None

    def _judge(self, status: StatusColumn, column: TidyColumn) -> None:
        """Reject the rows of people who, according to this column, must not be emailed."""
        where = f" in {self._header.tool}" if self._header.tool else ""
        reasons, doubts = {}, {}
        for cell in column.different:
            shown = f"{status.name} {shortened(cell) or 'is empty'}"
            if why := status.reason_of(cell):
                reasons[cell] = (
                    f"{why.told}{where} ({shown}), so the row is skipped; if this address is on your list, block it too"
                )
            elif status.is_unknown(cell) and not status.is_free:
                doubts[cell] = f"{shown} is not a known value{where}; find out whether this person may be emailed"
        self.findings.add_faults(column.places_of(reasons))
        self.findings.add_doubts(column.places_of(doubts))
