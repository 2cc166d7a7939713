"""Read a list from a file into batches, a block of rows at a time, so that memory use does not depend on its size.

A column is checked as a whole if possible. It is checked cell by cell only if one of its cells is wrong. Rows whose
cells are all empty are skipped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from newsletter.language.codes import language_of, time_zone_of
from newsletter.language.written_moments import moments, our_moments
from newsletter.lists.addresses import Addresses, checked_addresses, doubts_of, plain_addresses
from newsletter.lists.cells import Cells, RowFindings, TidyColumn, shortened, tidied
from newsletter.lists.csv_header import read_header, require_replaced
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.fields import gathered, gathered_with_json, looked_up, names
from newsletter.lists.leavers import Judge, LeavingJudgment
from newsletter.lists.leaving_rows import judgments_of, leaving_rows, topic_rows
from newsletter.lists.left_topics import find_left_topics
from newsletter.lists.list_columns import ListColumn, ListHeader
from newsletter.lists.lone_cells import doubts_about
from newsletter.lists.tables import HeaderReader, Rows, read_table
from newsletter.lists.tags import read_tags
from newsletter.lists.text_blocks import require_text
from newsletter.lists.vcards import COLUMNS as VCARD_COLUMNS
from newsletter.lists.vcards import is_vcard, read_cards
from newsletter.model.columns import COLUMNS, NAME_COLUMNS, ColumnType, SubscriberColumn
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
    topics: Mapping[str, str] = _NO_MAPPING,
    replaced: AbstractSet[str] = frozenset(),
    now: datetime | None = None,
    on_shape: Callable[[ListShape], None] = lambda _: None,
) -> Iterator[ImportBatch]:
    """Yield the rows of a list in order, reading them on demand. First call `on_shape` with how the list is read.

    `mapping` gives the target of a column: one of LIST_COLUMNS, the name of an attribute, or an empty text to skip
    the column. The encoding is detected unless `encoding` names it. `topics` gives the titles of those that people can
    leave here, by name. The list must have the columns and attributes in `replaced`, and a row is rejected if such a
    cell cannot be read, because an empty cell would clear the value. If `now` is given, rows with a time in the future
    are rejected.

    Raise InputError if the file cannot be read. Raise MistakesError if it is not a list: if it is not text, if the
    header is missing or impossible, if a quote is never closed, or if a byte is not valid in the encoding. Raise
    UnclearColumnsError, possibly after some batches, if it is not clear what a column says about leaving.
    """
    require_text(path)
    found = Encoding.named(encoding) if encoding else find_encoding(path)

    def header_of(cells: Sequence[str], delimiter: str, line: int, sample: Sequence[Sequence[str]]) -> ListHeader:
        header = read_header(cells, delimiter=delimiter, mapping=mapping, path=str(path), line=line, sample=sample)
        require_replaced(header, replaced, path=str(path), line=line)
        on_shape(ListShape(header=header, encoding=found))
        return header

    judge: Judge | None = None
    for rows in _rows_of(path, found, header_of):
        judge = judge or Judge(rows.header, str(path))
        yield _batch_of_rows(rows, judge, topics=topics, replaced=replaced, now=now)
    if judge is not None:
        judge.finish()


def _rows_of(path: Path, encoding: Encoding, read_header_of: HeaderReader) -> Iterator[Rows]:
    if is_vcard(path, encoding):
        return read_cards(path, encoding, read_header_of(VCARD_COLUMNS, ",", 1, ()))
    return read_table(path, encoding, read_header_of)


def _batch_of_rows(
    rows: Rows, judge: Judge, *, topics: Mapping[str, str], replaced: AbstractSet[str], now: datetime | None
) -> ImportBatch:
    """Return the rows that can be imported, those of people who left, the rejected rows, and the rows to check."""
    email = rows.header.email.place
    plain = plain_addresses(rows.columns[email])
    if plain is None:
        rows = _without_empty_rows(rows, email)
    conversion = _Conversion(rows, replaced, now)
    columns = conversion.columns(plain)
    findings, lines = conversion.findings, rows.lines
    left = find_left_topics(rows.header, conversion.tidy, topics)
    findings.add_doubts(left.doubts)
    judgments = judgments_of(rows, judge, conversion.tidy, left)
    doubts = doubts_about(rows, conversion.tidy)
    doubtful = tuple(
        DoubtfulRow(line=lines[place], email=columns["email"][place], doubt="; ".join(doubts))
        for place, doubts in sorted(findings.doubts.items())
        if place not in findings.faults and place not in judgments
    )
    rejected = _rejected(rows, columns["email"], findings, judgments, apart={row.line for row in doubts})
    leaving = (*leaving_rows(lines, columns, judgments), *topic_rows(lines, columns, left), *doubts)
    if findings.faults or judgments:
        kept = [place for place in range(len(lines)) if place not in findings.faults and place not in judgments]
        lines = _picked(lines, kept)
        columns = {name: _picked(cells, kept) for name, cells in columns.items()}
    return ImportBatch(
        lines=lines,
        columns=columns,
        leaving=leaving,
        rejected=rejected,
        doubtful=doubtful,
        attribute_names=conversion.attribute_names,
        tag_names=conversion.tag_names,
        bytes_read=rows.bytes_read,
    )


def _rejected(
    rows: Rows,
    emails: Cells,
    findings: RowFindings,
    judgments: Mapping[int, LeavingJudgment],
    *,
    apart: AbstractSet[int],
) -> tuple[RejectedRow, ...]:
    """Return the rejected rows in order, without those whose people left, and those on the lines in `apart`."""
    given = rows.columns[rows.header.email.place]
    rejected = [
        RejectedRow(line=each.line, email=each.email, reason=str(each.fault))
        for each in rows.misfits
        if each.line not in apart
    ]
    rejected += [
        RejectedRow(line=rows.lines[place], email=shortened(given[place].strip()), reason="; ".join(faults))
        for place, faults in findings.faults.items()
        if place not in judgments or not emails[place]
    ]
    return tuple(sorted(rejected, key=lambda row: row.line))


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

    def __init__(self, rows: Rows, replaced: AbstractSet[str], now: datetime | None) -> None:
        self.findings = RowFindings()
        self.tag_names: frozenset[str] = frozenset()
        self.attribute_names: frozenset[str] = frozenset()
        self._rows = rows
        self._replaced = replaced
        self._known: dict[int, TidyColumn] = {}  # by the place of the column
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
                columns[known.name] = self._cells(column, known)
        if self._header.tool and "consented_at" in columns and "consent_source" not in columns:
            columns["consent_source"] = [self._header.tool if moment else "" for moment in columns["consented_at"]]
        attributes = self._attributes()
        if attributes is not None:
            columns["attributes"] = attributes
        if self._latest:
            self._reject_future(columns)
        return columns

    def _reject_future(self, columns: Mapping[str, Cells]) -> None:
        for known in COLUMNS:
            column = self._header.column_of(known.name)
            if column is None or known.type is not ColumnType.MOMENT:
                continue
            cells = columns[known.name]
            if max(cells, default="") > self._latest:
                ahead = {place: moment for place, moment in enumerate(cells) if moment > self._latest}
                faults = {
                    place: f"{moment} is in the future; write a date in the past" for place, moment in ahead.items()
                }
                self.findings.add_faults(faults, column=column.name)

    def tidy(self, column: ListColumn) -> TidyColumn:
        """Return the cells of a column, cleaned up."""
        known = self._known.get(column.place)
        if known is None:
            known = self._known[column.place] = tidied(self._rows.columns[column.place])
            if not column.is_left_out:
                self.findings.add_faults(known.faults)
        return known

    def _addresses(self, column: ListColumn) -> Addresses:
        cells, separator = self.tidy(column).cells, self._header.form.separator
        if separator:
            cells = [cell.partition(separator)[0].strip() for cell in cells]
        addresses, faults = checked_addresses(cells)
        self.findings.add_faults({place: fault for place, fault in faults.items() if place not in self.findings.faults})
        return addresses

    def _cells(self, column: ListColumn, known: SubscriberColumn) -> Cells:
        kind = known.type
        if kind is ColumnType.MOMENT:
            return self._moments(column)
        tidy, form = self.tidy(column), self._header.form
        if kind is ColumnType.TAGS:
            cells, self.tag_names, faults = read_tags(tidy, separator=form.separator, skipped=form.skipped_tags)
        elif kind in _READERS:
            cells, faults = looked_up(tidy, _READERS[kind])
        elif not (NAME_COLUMNS.isdisjoint(column.fields) or self._header.is_our_whole_export):
            cells, faults = names(tidy)
        else:
            return tidy.cells
        if known.name in self._replaced:  # an empty cell would clear the value
            self.findings.add_faults(faults, column=column.name)
        else:
            without = "tags" if kind is ColumnType.TAGS else "it"
            self.findings.add_doubts({place: f"{fault}; imported without {without}" for place, fault in faults.items()})
        return cells

    def _moments(self, column: ListColumn) -> Cells:
        ours = our_moments(self._rows.columns[column.place])
        if ours is not None:
            return ours
        cells, faults = moments(self.tidy(column).cells, is_day_first=self._header.form.is_day_first)
        self.findings.add_faults(faults, column=column.name)
        return cells

    def _attributes(self) -> Cells | None:
        named = {column.attribute: self.tidy(column) for column in self._header.columns if column.attribute}
        nested = {column.name: self.tidy(column) for column in self._header.columns if column.is_json}
        if nested:
            cells, self.attribute_names, doubts = gathered_with_json(named, nested)
            self.findings.add_doubts(doubts)
            return cells
        if named:
            cells, self.attribute_names = gathered(named)
            return cells
        return None
