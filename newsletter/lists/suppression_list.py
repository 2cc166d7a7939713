"""Read a list of addresses that must not be emailed: one per line, or a CSV file with a column of addresses.

A CSV file may have the columns `topic`, `reason`, `detail` and `created_at`, as `suppressions export` writes them. It
may also give everyone's status, as the exports of other tools do. Then only people who unsubscribed, bounced or
complained are used, with the time that the list gives. If any line has a mistake, no line of the file is used, and the
error lists all mistakes.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.errors import FaultError, InputError, Mistake, MistakesError, parts_of
from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import shortened, unguarded
from newsletter.lists.csv_header import ListColumn, ListHeader
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.export_formats import OWN, Status
from newsletter.lists.list_moments import moment_text
from newsletter.lists.suppression_header import LEFT_AT, email_places, read_suppression_header
from newsletter.lists.tables import delimiter_of, read_table
from newsletter.lists.text_blocks import read_blocks, require_text
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.settings.mistakes import suggestion
from newsletter.system.moments import moment_of

_MOST_SHOWN = 100  # mistakes; if a file is not a list, every line has one
_CORRECT = "correct or delete the line"
_REASONS = {reason.value: reason for reason in SuppressionReason}
_MEANT = {
    Status.BOUNCED: SuppressionReason.BOUNCED,
    Status.COMPLAINED: SuppressionReason.COMPLAINED,
}  # for any other status: UNSUBSCRIBED
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# The code in a mail server's answer (RFC 3463), which appears in lists of bounces.
_ANSWER_CODE = re.compile(r"[245](?:\.\d{1,3}\.\d{1,3}|\d\d)")
_LINES = ListHeader(form=OWN, delimiter="", columns=(ListColumn(name="email", place=0, fields=("email",)),))


class SuppressionTerms(Struct, frozen=True, kw_only=True):
    """The values that the person who adds a list gives for rows without their own."""

    reason: SuppressionReason | None = None  # None means UNSUBSCRIBED
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
    """Yield the suppressions of a file in order. Call `on_row` for each row, whether it is used or not.

    Raise InputError if the file cannot be read. After the last row, raise MistakesError if any row has a mistake, or if
    no row says that someone unsubscribed, bounced or complained.
    """
    require_text(path)
    mistakes = _Mistakes(path)
    reader: _RowReader | None = None
    taken = 0
    for header, line, cells in _rows(path, find_encoding(path), mistakes):
        on_row(1)
        reader = reader or _RowReader(header, terms, topics, now)
        try:
            found = reader.suppression(cells)
        except ValueError as err:
            mistakes.add(line, *parts_of(err, otherwise=_CORRECT))
            continue
        if found is not None:
            taken += 1
            yield found
    mistakes.refuse()
    if reader is not None and not taken:
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


class _RowReader:
    """Turns rows into suppressions. Raises ValueError, often a FaultError, if a row is wrong."""

    def __init__(self, header: ListHeader, terms: SuppressionTerms, topics: Collection[str], now: datetime) -> None:
        self._header = header
        self._terms = terms
        self._topics = topics
        self._now = now
        self._states = [(column, column.status) for column in header.columns if column.status]
        self._moments = [column for column in header.columns if not {LEFT_AT, "created_at"}.isdisjoint(column.fields)]

    def suppression(self, cells: Sequence[str]) -> Suppression | None:
        """Return the suppression of a row, or None if the person has not unsubscribed, bounced or complained."""
        why = self._why(cells)
        if why is None:
            return None
        reason, said = why
        return Suppression(
            email=checked_address(self._cell(cells, "email")),
            reason=reason,
            created_at=self._since(cells),
            topic=self._topic(self._cell(cells, "topic")),
            detail=self._cell(cells, "detail") or said or self._terms.detail,
        )

    def _why(self, cells: Sequence[str]) -> tuple[SuppressionReason, str] | None:
        """Return why someone must not be emailed, and the row's own text, or None if the row gives no reason."""
        words, unknown, is_mailed = self._cell(cells, "reason"), "", False
        for column, status in self._states:
            cell = _tidy(cells[column.place])
            left = status.reason_of(cell)
            if left and left is not Status.NOT_CONFIRMED and (LEFT_AT not in column.fields or self._moment(cell)):
                known = _REASONS.get(words.lower())
                return known or _MEANT.get(left, SuppressionReason.UNSUBSCRIBED), "" if known else words
            is_mailed |= left is Status.NOT_CONFIRMED or cell.lower() in (status.mailed or ())
            unknown = cell if status.is_unknown(cell) else unknown
        if is_mailed:
            return None
        words = words or _answer_code(unknown)
        return self._reason(words) if words or not self._states else None

    def _reason(self, words: str) -> tuple[SuppressionReason, str]:
        """Return the reason. If the row's text is not the name of a reason, return the text as well."""
        given = self._terms.reason
        known = _REASONS.get(words.lower())
        if known is not None:
            return known, ""
        if words and given is None:
            what = f"{_short(words)} is not a valid reason"
            remedy = f"write one of {', '.join(_REASONS)}, or add --reason unsubscribed to use it for the whole file"
            raise FaultError(what, remedy)
        return given or SuppressionReason.UNSUBSCRIBED, words

    def _topic(self, cell: str) -> str:
        topic = cell or self._terms.topic
        if topic and topic not in self._topics:
            raise FaultError(
                f"there is no topic {_short(topic)} in newsletter.toml", suggestion(topic, sorted(self._topics))
            )
        return topic

    def _since(self, cells: Sequence[str]) -> datetime:
        """Return the time of unsubscribing: the latest in the row, or the current time if the row has none."""
        told = {self._moment(cell): cell for column in self._moments if (cell := _tidy(cells[column.place]))}
        last = max(told, default="")
        since = moment_of(last) if last else self._now
        if since > self._now:
            raise FaultError(
                f"the date {_short(told[last])} is in the future", "write the day on which the person unsubscribed"
            )
        return since

    def _moment(self, cell: str) -> str:
        """Return a time in the form that the database stores, or an empty text for a date such as 0000-00-00."""
        return moment_text(cell, is_day_first=self._header.form.is_day_first)

    def _cell(self, cells: Sequence[str], name: str) -> str:
        column = self._header.column_of(name)
        return _tidy(cells[column.place]) if column else ""


def _rows(path: Path, encoding: Encoding, mistakes: _Mistakes) -> Iterator[tuple[ListHeader, int, Sequence[str]]]:
    """Yield the header and each row that is not empty, with the line on which it starts."""
    _, head = next(_lines(path, encoding), (0, ""))
    if not head:
        raise InputError(f"{path}: the file is empty; write one address per line")
    if "@" in head and not email_places(head.split(delimiter_of(head))):
        yield from ((_LINES, line, (cell,)) for line, cell in _lines(path, encoding))
        return

    def header_of(cells: Sequence[str], delimiter: str, line: int) -> ListHeader:
        return read_suppression_header(cells, delimiter=delimiter, path=str(path), line=line)

    for rows in read_table(path, encoding, header_of):
        for misfit in rows.misfits:
            mistakes.add(misfit.line, misfit.fault.what, misfit.fault.remedy)
        for line, cells in zip(rows.lines, zip(*rows.columns, strict=True), strict=True):
            if any(map(str.strip, cells)):
                yield rows.header, line, cells


def _lines(path: Path, encoding: Encoding) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers."""
    for block in read_blocks(path, encoding):
        for number, line in enumerate(block.text.split("\n"), start=block.first_line):
            if line.strip():
                yield number, line


def _answer_code(state: str) -> str:
    """Return a state that is a mail server's answer code, or empty. Raise FaultError for any other."""
    if state and not _ANSWER_CODE.fullmatch(state):
        what = f"{_short(state)} does not say whether this person unsubscribed"
        raise FaultError(what, "keep only the rows of people who unsubscribed, and delete this column")
    return state


def _tidy(cell: str) -> str:
    """Return a cell on one line, without its guard apostrophe and surrounding spaces."""
    return _CONTROL.sub(" ", unguarded(cell.strip())).strip()


def _short(text: str) -> str:
    return repr(shortened(text))
