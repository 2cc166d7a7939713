"""Turn the rows of a list of addresses that must not be emailed into suppressions."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.language.written_moments import NO_MOMENT, moment_span
from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import shortened, unguarded
from newsletter.lists.export_formats import OUR_EXPORT
from newsletter.lists.leaving import (
    LeavingColumn,
    LeavingKind,
    LeavingOutcome,
    LeavingSpan,
    LeavingVerdict,
)
from newsletter.lists.leaving_reasons import LEAVING_ORDER, SUPPRESSIONS
from newsletter.lists.left_topics import says_that_they_left, topics_called
from newsletter.lists.list_columns import ListHeader
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.settings.mistakes import suggestion
from newsletter.system.moments import moment_of, text_of

_REASONS = {reason.value: reason for reason in SuppressionReason}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# The code in a mail server's answer (RFC 3463), which appears in lists of bounces.
_ANSWER_CODE = re.compile(r"[245](?:\.\d{1,3}\.\d{1,3}|\d\d)")


class SuppressionTerms(Struct, frozen=True, kw_only=True):
    """The values that the person who adds a list gives for rows without their own."""

    reason: SuppressionReason | None = None  # None means UNSUBSCRIBED
    topic: str = ""
    detail: str = ""


class FoundInRow(NamedTuple):
    """The suppressions in a row, and the topics that its person left but that do not exist here."""

    suppressions: Sequence[Suppression]
    unknown: tuple[str, ...]


class RowReader:
    """Turns rows into suppressions. Raises ValueError, often a FaultError, if a row is wrong."""

    def __init__(self, header: ListHeader, terms: SuppressionTerms, topics: Mapping[str, str], now: datetime) -> None:
        self._header = header
        self._terms = terms
        self._topics = topics
        self._now = now
        self._is_ours = header.form is OUR_EXPORT
        self._leaving = [(column, column.leaving) for column in header.columns if column.leaving and column.judges]
        self._left_topics = [
            (column.place, column.left_topic, topics_called(column.left_topic, topics))
            for column in header.columns
            if column.left_topic
        ]

    def read(self, cells: Sequence[str]) -> FoundInRow:
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
        return FoundInRow(suppressions, tuple(unknown))

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
