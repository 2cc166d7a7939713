"""Judge the rows of a list: who left, according to the list, and which of its columns have to be explained first.

A column is judged from the first block of the file on. If its name, or its cells, may be about leaving but need not be,
the import stops and asks: nothing is guessed when a person could be emailed who left.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import FaultError, Mistake, MistakesError
from newsletter.language.commands import map_option
from newsletter.lists.cells import TidyColumn, shortened
from newsletter.lists.export_formats import OUR_EXPORT, ExportFormat
from newsletter.lists.leaving import (
    LeavingColumn,
    LeavingKind,
    LeavingOutcome,
    LeavingVerdict,
    Sense,
    has_no_in,
    is_about_email,
    sense_of,
    surely_left,
)
from newsletter.lists.leaving_columns import is_about_another_channel
from newsletter.lists.leaving_reasons import LEAVING_ORDER, SUPPRESSIONS
from newsletter.lists.leaving_words import with_words_of_leaving
from newsletter.lists.list_columns import LEFT, ListColumn, ListHeader
from newsletter.model.audience import SuppressionReason

_FEW_VALUES = 200  # a status has few different values; more of them are searched in a faster way first
_TEXTS = frozenset({"first_name", "last_name", "tags", "consent_source"})  # columns of ours that people write words in
_SHORTEST_YEAR = 4  # digits; a shorter number is a count


class LeavingJudgment(Struct, frozen=True, kw_only=True):
    """What a row says against emailing its person."""

    reason: SuppressionReason | None  # None if no one is suppressed for it, such as for an unconfirmed address
    left_at: str = ""  # the time of leaving as the list gives it, or an empty string
    until: str = ""  # the latest time that this can mean
    told: str  # the columns and cells that say so


class UnclearColumn(NamedTuple):
    """A column that may say who left, and the first cell by which someone would have left."""

    name: str
    place: int  # counted from 0
    cell: str
    line: int
    field: str = ""  # the column of ours that it fills anyway, such as the tags

    @property
    def fault(self) -> FaultError:
        """What is wrong, and what to do."""
        cell = repr(shortened(self.cell)) if self.cell else "empty"
        what = f"may say who unsubscribed: a cell in it is {cell}"
        if not self.name:
            remedy = f"if it does, write {LEFT} above it in the first line; if not, delete it"
            return FaultError(f"column {self.place + 1} has no name and {what}", remedy)
        otherwise = "import it as it is" if self.field else "leave it out"
        remedy = (
            f"if it does, add {map_option(self.name, LEFT)}; if not, {otherwise}: {map_option(self.name, self.field)}"
        )
        return FaultError(f"the column {self.name!r} {what}", remedy)


class UnclearColumnsError(MistakesError):
    """Columns have to be explained before the list can be imported."""

    def __init__(self, path: str, columns: Sequence[UnclearColumn]) -> None:
        faults = [(column.line, column.fault) for column in columns]
        super().__init__(Mistake(path=path, line=line, what=each.what, remedy=each.remedy) for line, each in faults)
        self.columns = tuple(columns)


class Judge:
    """Judges the rows of one file, block by block."""

    def __init__(self, header: ListHeader, path: str) -> None:
        self._path = path
        self._is_day_first = header.form.is_day_first
        self._columns = [column for column in header.columns if column.leaving or _may_have_words(column, header.form)]
        self._is_first_block = True
        self._free: dict[int, bool] = {}  # place of a free column → whether it is about email
        self._empty: dict[int, bool] = {}  # place of a column of kind MAILED → whether all of its cells were empty
        self._ticks: dict[
            int, set[Sense]
        ] = {}  # place of an uncertain column of kind MAILED → the meanings seen so far
        self._counts: dict[int, _Counts] = {}  # by the place of a renamed column

    def judge(self, lines: Sequence[int], tidy: Callable[[ListColumn], TidyColumn]) -> dict[int, LeavingJudgment]:
        """Return the judgments of a block of rows by their places. `tidy` returns the cells of a column.

        Raise UnclearColumnsError if a column has to be explained first.
        """
        unclear = [found for column in self._columns if (found := self._question(column, lines, tidy(column)))]
        if unclear:
            raise UnclearColumnsError(self._path, unclear)
        self._is_first_block = False
        said: dict[int, list[tuple[str, str, LeavingVerdict]]] = {}
        for column in self._columns:
            leaving = column.leaving
            if leaving is None or not self._is_judged(column, leaving):
                continue
            cells = tidy(column)
            against = self._against(leaving, cells, is_empty=self._empty.get(column.place, False))
            if against:
                for place, cell in enumerate(cells.cells):
                    if cell in against:
                        said.setdefault(place, []).append((column.name, cell, against[cell]))
        return {place: _judgment(verdicts) for place, verdicts in said.items()}

    def finish(self) -> None:
        """Raise UnclearColumnsError if most cells of a column that was given another name are words of leaving."""
        counted = self._counts.values()
        unclear = [each.sample for each in counted if each.sample and 2 * each.leaving > each.filled]
        if unclear:
            raise UnclearColumnsError(self._path, unclear)

    def _is_judged(self, column: ListColumn, leaving: LeavingColumn) -> bool:
        return leaving.is_certain and (not leaving.is_free or self._free.get(column.place, False))

    def _against(self, leaving: LeavingColumn, cells: TidyColumn, *, is_empty: bool) -> dict[str, LeavingVerdict]:
        verdicts = {
            cell: leaving.verdict(cell, is_day_first=self._is_day_first)
            for cell in cells.different
            if not (is_empty and sense_of(cell).sense is Sense.NOTHING)
        }
        return {cell: verdict for cell, verdict in verdicts.items() if verdict.outcome is not LeavingOutcome.STAYS}

    def _question(self, column: ListColumn, lines: Sequence[int], cells: TidyColumn) -> UnclearColumn | None:
        """Return the column with a cell that shows that it has to be explained first, or None."""
        leaving = column.leaving
        if leaving is None:
            return self._question_about_words(column, lines, cells)
        if not leaving.is_certain:
            is_about = any(map(is_about_email, cells.different))
            harmful = {cell for cell in cells.different if self._may_mean_left(leaving, cell, is_about=is_about)}
            harmful |= self._unticked(column, leaving, cells)
            return _first(column, harmful, lines, cells)
        if leaving.is_free and not self._free.get(column.place, False):
            about = {cell for cell in cells.different if is_about_email(cell)}
            self._free[column.place] = bool(about) and self._is_first_block
            return _first(column, about, lines, cells) if not self._is_first_block else None
        if leaving.kind is LeavingKind.MAILED and not leaving.own and self._empty.get(column.place, True):
            filled = {cell for cell in cells.different if sense_of(cell).sense is not Sense.NOTHING}
            self._empty[column.place] = not filled
            return _first(column, filled, lines, cells) if not self._is_first_block else None
        return None

    def _unticked(self, column: ListColumn, leaving: LeavingColumn, cells: TidyColumn) -> set[str]:
        """Return the empty cells of a column such as "Newsletter" if others have a tick: empty may then mean no."""
        if leaving.kind is not LeavingKind.MAILED or not leaving.names_email:
            return set()
        senses = {cell: sense_of(cell).sense for cell in cells.different}
        seen = self._ticks.setdefault(column.place, set())
        seen.update(sense for sense in senses.values() if sense in {Sense.YES, Sense.NOTHING})
        if len(seen) < len({Sense.YES, Sense.NOTHING}):
            return set()
        empty = {cell for cell, sense in senses.items() if sense is Sense.NOTHING}
        return empty or {cell for cell, sense in senses.items() if sense is Sense.YES}

    def _may_mean_left(self, leaving: LeavingColumn, cell: str, *, is_about: bool) -> bool:
        """Return whether a cell would mean that the person left, or might, if its column is about leaving.

        Any text may in a column such as "Left". In one such as "Newsletter", only a no or a text with a no in it does,
        unless other cells are words about email. A number is a count.
        """
        outcome = leaving.verdict(cell, is_day_first=self._is_day_first).outcome
        if leaving.kind is LeavingKind.MAILED and not is_about:
            return outcome is LeavingOutcome.LEFT or (outcome is LeavingOutcome.UNCLEAR and has_no_in(cell))
        if leaving.kind is LeavingKind.MAILED and sense_of(cell).sense is Sense.NOTHING:
            return False
        return outcome is LeavingOutcome.LEFT or (
            outcome is LeavingOutcome.UNCLEAR and not (cell.isdecimal() and len(cell) < _SHORTEST_YEAR)
        )

    def _question_about_words(
        self, column: ListColumn, lines: Sequence[int], cells: TidyColumn
    ) -> UnclearColumn | None:
        """Look for words of leaving in a column whose name says nothing about it."""
        if column.is_answered:
            self._count_words(column, lines, cells)
            return None
        words = {cell for cell in _searched(cells) if surely_left(cell)}
        return _first(column, words, lines, cells)

    def _count_words(self, column: ListColumn, lines: Sequence[int], cells: TidyColumn) -> None:
        counts = self._counts.setdefault(column.place, _Counts())
        counts.filled += len(cells.cells) - cells.cells.count("")
        words = {cell for cell in _searched(cells) if sense_of(cell).sense is Sense.LEFT or surely_left(cell)}
        counts.leaving += sum(cell in words for cell in cells.cells) if words else 0
        counts.sample = counts.sample or _first(column, words, lines, cells)


class _Counts(Struct):
    """The cells of a renamed column: how many are not empty, how many are words of leaving, and the first of these."""

    filled: int = 0
    leaving: int = 0
    sample: UnclearColumn | None = None


def _may_have_words(column: ListColumn, form: ExportFormat) -> bool:
    """Return whether the cells of a column without a name about leaving are searched for words of leaving.

    Our own export says who left in columns of its own.
    """
    if form is OUR_EXPORT:
        return False
    if column.is_answered:
        return bool(column.attribute or column.fields) and "email" not in column.fields
    if is_about_another_channel(column.name):
        return False
    if column.is_left_out:  # in an address book, everything that we do not need, such as notes
        return form.is_address_book or not column.name
    return bool(column.attribute) or (not form.is_ours and not _TEXTS.isdisjoint(column.fields))


def _searched(cells: TidyColumn) -> Collection[str]:
    """Return the different cells, and of many only those that may contain words that surely mean leaving."""
    return cells.different if len(cells.different) <= _FEW_VALUES else with_words_of_leaving(cells.different)


def _first(column: ListColumn, cells: set[str], lines: Sequence[int], tidy: TidyColumn) -> UnclearColumn | None:
    place = next((place for place, cell in enumerate(tidy.cells) if cell in cells), None) if cells else None
    return (
        None
        if place is None
        else UnclearColumn(
            column.name, column.place, tidy.cells[place], lines[place], column.fields[0] if column.fields else ""
        )
    )


def _judgment(said: Sequence[tuple[str, str, LeavingVerdict]]) -> LeavingJudgment:
    """Return what several columns say together."""
    told = ", ".join(f"{name} is {shortened(cell)!r}" if cell else f"{name} is empty" for name, cell, _ in said)
    left = [verdict for _, _, verdict in said if verdict.outcome is LeavingOutcome.LEFT]
    if not left:
        return LeavingJudgment(reason=SuppressionReason.IN_DOUBT, told=f"cannot tell whether this person left: {told}")
    spans = [verdict.at for verdict in left if verdict.at]
    latest = max(spans, key=lambda span: span.last, default=None)
    reason = min((verdict.reason for verdict in left), key=LEAVING_ORDER.index)
    return LeavingJudgment(
        reason=SUPPRESSIONS[reason],
        left_at=latest.first if latest else "",
        until=latest.last if latest else "",
        told=f"{reason.told} ({told})",
    )
