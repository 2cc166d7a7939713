"""Read a list of addresses that must not be emailed: one per line, or a CSV file with a column of addresses.

A CSV file may have the columns `topic`, `reason`, `detail` and `created_at`, as `suppressions export` writes them. It
may also give everyone's status, as the exports of other tools do. Then only people who unsubscribed, bounced or
complained are used, with the time that the list gives. If any line has a mistake, no line of the file is used, and the
error lists all mistakes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import FaultError, InputError, Mistake, MistakesError, parts_of
from newsletter.language.written_moments import NO_MOMENT, moment_span
from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import shortened, unguarded
from newsletter.lists.csv_header import ListColumn, ListHeader
from newsletter.lists.encodings import Encoding, find_encoding
from newsletter.lists.export_formats import OUR_EXPORT, OWN
from newsletter.lists.leaving import (
    LeavingColumn,
    LeavingKind,
    LeavingOutcome,
    LeavingSpan,
    LeavingVerdict,
)
from newsletter.lists.leaving_reasons import LEAVING_ORDER, SUPPRESSIONS
from newsletter.lists.left_topics import says_that_they_left, topics_called
from newsletter.lists.suppression_header import email_places, read_suppression_header
from newsletter.lists.tables import delimiter_of, read_table
from newsletter.lists.text_blocks import read_blocks, require_text
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.settings.mistakes import suggestion
from newsletter.system.moments import moment_of, text_of

_MOST_SHOWN = 100  # mistakes; if a file is not a list, every line has one
_CORRECT = "correct or delete the line"
_REASONS = {reason.value: reason for reason in SuppressionReason}
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
    topics: Mapping[str, str],
    now: datetime,
    on_row: Callable[[int], None] = lambda _: None,
    on_skipped: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> Iterator[Suppression]:
    """Yield the suppressions of a file in order. Call `on_row` for each row, whether it is used or not.

    `topics` gives the titles of topics by name. Call `on_skipped` for each row of someone who did not unsubscribe, with
    an empty tuple, and for each row of someone who left topics that do not exist here, with their names in the file.

    Raise InputError if the file cannot be read. After the last row, raise MistakesError if any row has a mistake, or if
    no row says that someone unsubscribed, bounced, complained or left a topic.
    """
    require_text(path)
    mistakes = _Mistakes(path)
    reader: _RowReader | None = None
    taken, has_unknown = 0, False
    for header, line, cells in _rows(path, find_encoding(path), mistakes):
        on_row(1)
        reader = reader or _RowReader(header, terms, topics, now)
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


class _FoundInRow(NamedTuple):
    """The suppressions in a row, and the topics that its person left but that do not exist here."""

    suppressions: Sequence[Suppression]
    unknown: tuple[str, ...]


class _RowReader:
    """Turns rows into suppressions. Raises ValueError, often a FaultError, if a row is wrong."""

    def __init__(self, header: ListHeader, terms: SuppressionTerms, topics: Mapping[str, str], now: datetime) -> None:
        self._header = header
        self._terms = terms
        self._topics = topics
        self._now = now
        self._is_ours = header.form is OUR_EXPORT
        self._leaving = [(column, column.leaving) for column in header.columns if column.leaving]
        self._left_topics = [
            (column.place, column.left_topic, topics_called(column.left_topic, topics))
            for column in header.columns
            if column.left_topic
        ]

    def read(self, cells: Sequence[str]) -> _FoundInRow:
        """Return what a row says. Someone who left all email is not asked about topics that do not exist here."""
        whole = self._suppression(cells)
        left, unknown = dict[str, LeavingVerdict](), list[str]()
        for place, name, topics in self._left_topics:
            cell = _tidy(cells[place])
            verdict = says_that_they_left(cell, is_day_first=self._header.form.is_day_first)
            if verdict.outcome is LeavingOutcome.UNCLEAR and whole is None:
                raise _unclear(cell)
            if verdict.outcome is LeavingOutcome.LEFT:
                left |= dict.fromkeys(topics, verdict)
                unknown += [] if topics or whole else [name]
        suppressions = [] if whole is None else [whole]
        for topic, verdict in left.items():
            at = [("", verdict.at)] if verdict.at else []
            suppressions.append(self._built(cells, SuppressionReason.UNSUBSCRIBED, at, topic=topic))
        return _FoundInRow(suppressions, tuple(unknown))

    def _suppression(self, cells: Sequence[str]) -> Suppression | None:
        """Return the suppression of a row, or None if the person has not unsubscribed, bounced or complained."""
        said = [(leaving, _tidy(cells[column.place])) for column, leaving in self._leaving]
        verdicts = [leaving.verdict(cell, is_day_first=self._header.form.is_day_first) for leaving, cell in said]
        why = self._why(self._cell(cells, "reason"), said, verdicts)
        if why is None:
            return None
        reason, words = why
        left = [(cell, found.at) for (_, cell), found in zip(said, verdicts, strict=True) if found.at]
        return self._built(cells, reason, left, topic=self._topic(self._cell(cells, "topic")), words=words)

    def _built(
        self,
        cells: Sequence[str],
        reason: SuppressionReason,
        left: Sequence[tuple[str, LeavingSpan]],
        *,
        topic: str,
        words: str = "",
    ) -> Suppression:
        span = self._span(cells, left)
        return Suppression(
            email=checked_address(self._cell(cells, "email")),
            reason=reason,
            created_at=moment_of(span.first),
            topic=topic,
            detail=self._cell(cells, "detail") or words or self._terms.detail,
            repeated_at=moment_of(span.last) if span.last > span.first else None,
            consent_on_record=self._moment(cells, "consented_at" if self._is_ours else "consent_on_record"),
        )

    def _why(
        self, words: str, said: Sequence[tuple[LeavingColumn, str]], verdicts: Sequence[LeavingVerdict]
    ) -> tuple[SuppressionReason, str] | None:
        """Return why someone must not be emailed, and the row's own text, or None if the row gives no reason."""
        left = {verdict.reason for verdict in verdicts if verdict.outcome is LeavingOutcome.LEFT}
        reason = SUPPRESSIONS[min(left, key=LEAVING_ORDER.index)] if left else None
        if reason is not None:
            known = _REASONS.get(words.lower())
            return known or reason, "" if known else words
        is_mailed, unclear = bool(left), ""  # not confirmed, which is not leaving
        for (leaving, cell), verdict in zip(said, verdicts, strict=True):
            is_mailed |= (
                bool(cell)
                and leaving.kind in {LeavingKind.STATUS, LeavingKind.MAILED}
                and verdict.outcome is LeavingOutcome.STAYS
            )
            unclear = unclear or (cell if verdict.outcome is LeavingOutcome.UNCLEAR else "")
        if is_mailed:
            return None
        words = words or _answer_code(unclear)
        return self._reason(words) if words or not (self._leaving or self._left_topics) else None

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

    def _span(self, cells: Sequence[str], left: Sequence[tuple[str, LeavingSpan]]) -> LeavingSpan:
        """Return the time of unsubscribing, which is the latest in the row, or the current time if the row has none.

        `left` gives the cells that say when the person left, and their meaning.
        """
        now = text_of(self._now)
        told = [*left, *self._times(cells, "created_at")]
        for cell, span in told:
            if span.first > now:
                raise FaultError(
                    f"the date {_short(cell)} is in the future", "write the day on which the person unsubscribed"
                )
        first = max((span.first for _, span in told), default=now)
        return LeavingSpan(
            first, max((span.last for _, span in [*told, *self._times(cells, "repeated_at")]), default=now)
        )

    def _times(self, cells: Sequence[str], name: str) -> list[tuple[str, LeavingSpan]]:
        """Return a cell and the time in it as a list, which is empty if there is none."""
        cell = self._cell(cells, name)
        found = moment_span(cell, is_day_first=self._header.form.is_day_first) if cell else NO_MOMENT
        return [] if found == NO_MOMENT else [(cell, LeavingSpan(*found))]

    def _moment(self, cells: Sequence[str], name: str) -> datetime | None:
        return next((moment_of(span.first) for _, span in self._times(cells, name)), None)

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

    def header_of(cells: Sequence[str], delimiter: str, line: int, _: object) -> ListHeader:
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
        raise _unclear(state)
    return state


def _unclear(cell: str) -> FaultError:
    what = f"{_short(cell)} does not say whether this person unsubscribed"
    return FaultError(what, "keep only the rows of people who unsubscribed, and delete this column")


def _tidy(cell: str) -> str:
    """Return a cell on one line, without its guard apostrophe and surrounding spaces."""
    return _CONTROL.sub(" ", unguarded(cell.strip())).strip()


def _short(text: str) -> str:
    return repr(shortened(text))
