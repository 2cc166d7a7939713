"""Reads a list of addresses that must not be mailed: an address a line, or a CSV file with a column `email`.

Of a CSV file's other columns `topic`, `reason`, `detail` and `created_at` count, as `suppressions export` writes them;
any other is left out. A file that holds a mistake is refused as a whole, with all of its lines that do.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.audience.addresses import checked_address
from newsletter.audience.encodings import find_encoding
from newsletter.audience.list_moments import moment_text
from newsletter.audience.text_blocks import require_text
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.cells import unguarded
from newsletter.model.mistakes import suggestion
from newsletter.model.moments import moment_of

_DELIMITERS = ",;\t"
_MOST_SHOWN = 100  # mistakes; of a file that is no list every line is one
_CORRECT = "correct or delete the line"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REASONS = {reason.value: reason for reason in SuppressionReason}
_KNOWN_AS = {
    "email": "email",
    "emailaddress": "email",
    "email_address": "email",
    "address": "email",
    "recipient": "email",
    "topic": "topic",
    "reason": "reason",
    "detail": "detail",
    "created_at": "created_at",
    "created": "created_at",
    "date": "created_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionTerms:
    """What whoever adds a list says about those of its rows that do not say it themselves."""

    reason: SuppressionReason | None = None  # None: they left
    topic: str = ""
    detail: str = ""


def read_suppressions(
    path: Path,
    *,
    terms: SuppressionTerms,
    topics: Collection[str],
    now: datetime,
    on_row: Callable[[int], None] = lambda _: None,
) -> Iterator[Suppression]:
    """The suppressions of a file, in its order; `on_row` hears of each that one more was read.

    Raises InputError where it cannot be read, and, after its last row, MistakesError where any is wrong.
    """
    reader = _RowReader(terms=terms, topics=topics, now=now)
    mistakes: list[Mistake] = []
    count = 0
    for line, cells in _rows(path):
        on_row(1)
        try:
            yield reader.suppression(cells)
        except ValueError as err:
            count += 1
            if count <= _MOST_SHOWN:
                what, _, remedy = str(err).partition("; ")
                mistakes.append(Mistake(path=str(path), line=line, what=what, remedy=remedy or _CORRECT))
    if count > _MOST_SHOWN:
        what = f"there are {count - _MOST_SHOWN:,} more lines with a mistake"
        mistakes.append(Mistake(path=str(path), what=what, remedy="correct these first"))
    if mistakes:
        raise MistakesError(mistakes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowReader:
    """Turns cells, by the names of their columns, into suppressions; raises ValueError with a remedy."""

    terms: SuppressionTerms
    topics: Collection[str]
    now: datetime

    def suppression(self, cells: Mapping[str, str]) -> Suppression:
        reason, said = self._reason(cells.get("reason", ""))
        return Suppression(
            email=checked_address(cells["email"]),
            reason=reason,
            created_at=self._created_at(cells.get("created_at", "")),
            topic=self._topic(cells.get("topic", "")),
            detail=cells.get("detail", "") or said or self.terms.detail,
        )

    def _reason(self, cell: str) -> tuple[SuppressionReason, str]:
        """The reason, and what the cell says where it is none of ours, such as a server's words."""
        given = self.terms.reason
        known = _REASONS.get(cell.lower())
        if known is not None:
            return known, ""
        if cell and given is None:
            raise ValueError(
                f"{_short(cell)} is none of the reasons {', '.join(_REASONS)}; correct it, or say with --reason why "
                "they are not mailed, and the cell is kept as a detail"
            )
        return given or SuppressionReason.UNSUBSCRIBED, cell

    def _topic(self, cell: str) -> str:
        topic = cell or self.terms.topic
        if topic and topic not in self.topics:
            raise ValueError(f"there is no topic {_short(topic)}; {suggestion(topic, sorted(self.topics))}")
        return topic

    def _created_at(self, cell: str) -> datetime:
        moment = moment_text(cell) if cell else ""
        created_at = moment_of(moment) if moment else self.now
        if created_at > self.now:
            raise ValueError(f"{_short(cell)} is in the future; correct the date")
        return created_at


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row that is not empty, by the names of its columns, with the line on which it starts."""
    require_text(path)
    encoding = find_encoding(path)
    try:
        with path.open(encoding=encoding.codec, newline="") as file:
            yield from _rows_of(path, file)
    except UnicodeError as err:
        raise InputError(f"{path}: it is not text of one encoding; save it again as CSV UTF-8") from err
    except OSError as err:
        raise InputError(f"{path}: it cannot be read ({err.strerror}); check its permissions") from err


def _rows_of(path: Path, file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    first, head = next(
        ((number, line) for number, line in enumerate(file, start=1) if line.strip("\ufeff \r\n")), (0, "")
    )
    if not first:
        raise InputError(f"{path}: it is empty; write an address a line")
    head = head.removeprefix("\ufeff")
    columns = _columns(head)
    if columns:
        yield from _csv_rows(path, file, columns, delimiter=_delimiter(head), first=first + 1)
    elif "@" in head:
        yield first, {"email": _cell(head)}
        yield from (
            (number, {"email": _cell(line)}) for number, line in enumerate(file, start=first + 1) if line.strip()
        )
    else:
        remedy = "write an address a line, or name the columns in the first line, one of them email"
        what = "there is no address here, and no column email"
        raise MistakesError([Mistake(path=str(path), line=first, what=what, remedy=remedy)])


def _csv_rows(
    path: Path, file: TextIO, columns: Mapping[str, int], *, delimiter: str, first: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header, which begin on the line `first`."""
    rows = csv.reader(file, delimiter=delimiter, strict=True)
    line = first
    try:
        for cells in rows:
            if any(cells):
                read = {name: _cell(cells[place]) for name, place in columns.items() if place < len(cells)}
                yield line, {"email": "", **read}
            line = first + rows.line_num
    except csv.Error as err:
        what = f"from here on the file cannot be read ({err})"
        remedy = "look for a quote that is not closed, or put quotes that belong to the text twice"
        raise MistakesError([Mistake(path=str(path), line=line, what=what, remedy=remedy)]) from err


def _columns(head: str) -> dict[str, int]:
    """Where the columns that count stand, by their names; nothing where there is no column of addresses."""
    names = next(csv.reader([head], delimiter=_delimiter(head)), [])
    columns: dict[str, int] = {}
    for place, name in enumerate(names):
        known = _KNOWN_AS.get(re.sub(r"[\s-]+", "_", name.strip().lower()).replace("e_mail", "email"))
        if known is not None:
            columns.setdefault(known, place)
    return columns if "email" in columns else {}


def _delimiter(head: str) -> str:
    return max(_DELIMITERS, key=head.count)


def _cell(cell: str) -> str:
    """A cell in one line."""
    return _CONTROL.sub(" ", unguarded(cell)).strip()


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
