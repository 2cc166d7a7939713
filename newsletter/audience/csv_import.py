"""Reads a list from a CSV file, row by row: each is a valid row, or rejected with its line and the reason.

The file is UTF-8 text with a header. Columns are separated by commas, semicolons or tabs, as the header shows; tags
within a cell by `;`, `,` or `|`. A moment of consent is a date or a date with time as in ISO 8601, in UTC unless it
says otherwise. Empty lines are skipped.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from newsletter.audience.addresses import checked_address
from newsletter.audience.csv_header import Header, read_header
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.audience import ImportRow, RejectedRow, normal_tag
from newsletter.model.values import Language, TimeZone

_DELIMITERS = ",;\t"
_TAG_SEPARATOR = re.compile(r"[;,|]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
_TIME_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


def read_subscribers(path: Path) -> Iterator[ImportRow | RejectedRow]:
    """The rows of a list, in their order, read as they are asked for.

    Raises InputError where the file cannot be read, and MistakesError where it is no list: another encoding, a header
    that is missing or impossible, a quote that is never closed.
    """
    with _opened(path) as file:
        rows = _numbered_rows(path, file)
        first = next(rows, None)
        if first is None:
            raise InputError(f"{path}: it is empty; its first line must name the columns, one of them email")
        header = read_header(first[1], path=str(path), line=first[0])
        for line, cells in rows:
            yield _row(line, cells, header)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError as err:
        raise InputError(f"{path}: there is no such file; check its name and folder") from err
    except IsADirectoryError as err:
        raise InputError(f"{path}: it is a folder; name a CSV file in it") from err
    except OSError as err:
        raise InputError(f"{path}: it cannot be read ({err.strerror}); check its permissions") from err
    with file:
        yield file


def _numbered_rows(path: Path, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line on which it starts."""
    line = 1
    try:
        first_line = file.readline()
        if "\0" in first_line:
            raise _not_text(path, 1)
        rows = csv.reader(chain([first_line], file), delimiter=_delimiter(first_line), strict=True)
        for cells in rows:
            if cells:
                yield line, cells
            line = rows.line_num + 1
    except UnicodeDecodeError as err:
        raise _not_text(path, _first_line_not_text(path)) from err
    except csv.Error as err:
        what = f"from here on the file cannot be read ({err})"
        remedy = "look for a quote that is not closed, or put quotes that belong to the text twice"
        raise MistakesError([Mistake(path=str(path), line=line, what=what, remedy=remedy)]) from err


def _not_text(path: Path, line: int | None) -> MistakesError:
    remedy = "in the spreadsheet choose to save a copy as CSV UTF-8, and import that"
    return MistakesError([Mistake(path=str(path), line=line, what="it is not UTF-8 text", remedy=remedy)])


def _first_line_not_text(path: Path) -> int | None:
    """The line that cannot be decoded; the decoder reads ahead, so it does not know."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _delimiter(first_line: str) -> str:
    """Of the possible separators the one that the header has most of; the comma where it has none."""
    return max(_DELIMITERS, key=first_line.count)


def _row(line: int, cells: list[str], header: Header) -> ImportRow | RejectedRow:
    try:
        return _checked_row(line, cells, header)
    except ValueError as err:
        email = cells[header.email].strip() if len(cells) > header.email else ""
        return RejectedRow(line=line, email=email, reason=str(err))


def _checked_row(line: int, cells: list[str], header: Header) -> ImportRow:
    """The row; raises ValueError with what is wrong with it."""
    if len(cells) != header.width:
        raise ValueError(f"it has {len(cells)} cells where the header has {header.width}")
    text = "".join(cells)
    if not text.isprintable() or " " in text:  # of all spaces only this one counts as printable
        if _CONTROL.search(text):
            raise ValueError("it holds a line break or another control character")
        cells = [cell.strip() for cell in cells]
    attributes = {name: cells[place] for name, place in header.attributes if cells[place]}
    cells.append("")  # stands for the columns that the file lacks
    email, first_name, last_name, language, timezone, tags, consented_at, consent_source = header.pick(cells)
    return ImportRow(
        line,
        checked_address(email),
        first_name,
        last_name,
        _language(language) if language else "",
        _time_zone(timezone) if timezone else "",
        _tags(tags) if tags else (),
        _moment(consented_at) if consented_at else None,
        consent_source,
        attributes,
    )


@lru_cache(maxsize=1024)
def _language(cell: str) -> str:
    return _validated(_LANGUAGE, cell)


@lru_cache(maxsize=1024)
def _time_zone(cell: str) -> str:
    return _validated(_TIME_ZONE, cell)


def _validated(adapter: TypeAdapter[str], cell: str) -> str:
    try:
        return adapter.validate_python(cell)
    except ValidationError as err:
        raise ValueError(str(err.errors()[0]["ctx"]["error"])) from None


@lru_cache(maxsize=4096)
def _tags(cell: str) -> tuple[str, ...]:
    return tuple(sorted({tag for part in _TAG_SEPARATOR.split(cell) if (tag := normal_tag(part))}))


@lru_cache(maxsize=4096)
def _moment(cell: str) -> datetime:
    try:
        moment = datetime.fromisoformat(cell)
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"consented_at {cell!r} is not a date; write it as 2026-01-31 or 2026-01-31T08:00Z") from None
    return in_utc.replace(microsecond=0)
