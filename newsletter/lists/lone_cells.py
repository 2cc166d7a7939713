"""Judge cells outside the columns of a list: the members of JSON objects, and the cells of rows that do not fit.

The judge of columns decides what they say. No one can be asked about them, so what would be a question about a column
is a doubt about the person.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import orjson
from msgspec.structs import replace

from newsletter.lists.addresses import checked_address
from newsletter.lists.cells import Cells, TidyColumn, on_one_line, shortened, tidied
from newsletter.lists.export_formats import ExportFormat
from newsletter.lists.leavers import Judge, LeavingJudgment, UnclearColumnsError
from newsletter.lists.leaving import STAYS, UNCLEAR, LeavingColumn, LeavingKind, Sense, sense_of
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.lists.leaving_reasons import LEAVING_ORDER, SUPPRESSIONS, LeavingReason
from newsletter.lists.leaving_words import with_words_of_leaving
from newsletter.lists.list_columns import ListColumn, ListHeader
from newsletter.lists.tables import Misfit, Rows
from newsletter.model.address import person_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.imports import LeavingRow

_IN_ORDER = tuple(dict.fromkeys(SUPPRESSIONS[reason] for reason in LEAVING_ORDER))
_BETWEEN_MEMBERS = re.compile(r"[{}\[\],]")
_NO_WORDS = frozenset({Sense.OTHER, Sense.NOTHING})
_UNCLEAR = "cannot tell whether this person left"


def judge_members(header: ListHeader, tidy: Callable[[ListColumn], TidyColumn]) -> dict[int, LeavingJudgment]:
    """Return what the members of the JSON columns say about leaving, by the places of the rows."""
    said: defaultdict[int, list[LeavingJudgment]] = defaultdict(list)
    for column in header.columns:
        if not column.is_json:
            continue
        members: defaultdict[str, tuple[list[int], list[str]]] = defaultdict(lambda: ([], []))
        for place, cell in enumerate(tidy(column).cells):
            found = _members(cell)
            if found is None and with_words_of_leaving(_BETWEEN_MEMBERS.split(cell)):
                told = f"{_UNCLEAR}: {column.name} is {shortened(cell)!r}"
                said[place].append(LeavingJudgment(reason=SuppressionReason.IN_DOUBT, told=told))
            for path, text in found or ():
                members[path][0].append(place)
                members[path][1].append(text)
        for path, (places, cells) in members.items():
            member = ListColumn(name=f"{column.name} {path}", place=0, attribute=path, leaving=about_leaving(path))
            for number, judgment in _judged(member, header.form, cells).items():
                said[places[number]].append(judgment)
    return {place: together(judgments) for place, judgments in said.items()}


@lru_cache(maxsize=4096)
def about_leaving(path: str) -> LeavingColumn | None:
    """Return what a member of a JSON object says about leaving. Its path are the names that lead to it, with dots."""
    return column_about_leaving(path.rpartition(".")[2]) or column_about_leaving(path.replace(".", " "))


def doubts_about(rows: Rows, tidy: Callable[[ListColumn], TidyColumn]) -> tuple[LeavingRow, ...]:
    """Return the rows that do not fit the header and have an address, if not all that they may say is that it stays.

    A cell too many or too few may be anywhere, so a row may have several cells that belong to a column. Where they are
    not in their place, only words of leaving and dates count.
    """
    found = [(misfit, cells, place) for misfit in rows.misfits for cells, place in _addressed(misfit, rows.header)]
    said: defaultdict[int, list[str]] = defaultdict(list)
    for column in rows.header.columns if found else ():
        if column.is_left_out or column.is_json or column.place == rows.header.email.place:
            continue
        numbers, lone, are_in_place = list[int](), list[str](), list[bool]()
        for number, (_, cells, address) in enumerate(found):
            own = _places_of(column.place, rows.header, len(cells), address)
            numbers += [number] * len(own)
            lone += [cells[place] for place in own]
            are_in_place += [place == column.place for place in own]
        known = tidy(column).cells  # the other cells show what the column is about
        judgments = _judged(column, rows.header.form, [*known, *lone])
        for at, (number, cell, is_in_place) in enumerate(zip(numbers, lone, are_in_place, strict=True), len(known)):
            if at in judgments and (is_in_place or judgments[at].left_at or sense_of(cell).sense not in _NO_WORDS):
                said[number].append(f"{column.name} may be {shortened(cell)!r}")
    return tuple(
        LeavingRow(
            line=found[number][0].line,
            email=(email := checked_address(found[number][1][found[number][2]])),
            person=person_of(email),
            reason=SuppressionReason.IN_DOUBT,
            told=f"{_UNCLEAR}: {', '.join(told)}; {found[number][0].fault}",
        )
        for number, told in sorted(said.items())
    )


def together(judgments: Sequence[LeavingJudgment]) -> LeavingJudgment:
    """Return what several judgments say about one person: the strongest reason, and the latest time."""
    strongest = min(judgments, key=lambda judgment: _IN_ORDER.index(judgment.reason))
    latest = max(judgments, key=lambda judgment: judgment.until)
    told = "; ".join(dict.fromkeys(judgment.told for judgment in (strongest, *judgments)))
    return replace(strongest, left_at=latest.left_at, until=latest.until, told=told)


def _judged(column: ListColumn, form: ExportFormat, cells: Cells) -> dict[int, LeavingJudgment]:
    """Return what the cells of a column say, by their places. What would be a question is a doubt."""
    tidy = TidyColumn(cells=cells, different=set(cells))

    def judged(column: ListColumn) -> dict[int, LeavingJudgment]:
        judge = Judge(ListHeader(form=form, delimiter="", columns=(column,)), "")
        return judge.judge(range(len(cells)), lambda _: tidy)

    try:
        return judged(column)
    except UnclearColumnsError:
        return judged(replace(column, leaving=_doubtful(column, tidy)))


def _doubtful(column: ListColumn, tidy: TidyColumn) -> LeavingColumn:
    """Return a column whose cells raise a doubt where they would raise a question."""
    if column.leaving is not None:
        return replace(column.leaving, is_certain=True, is_free=False, reason=LeavingReason.IN_DOUBT)
    meant = {cell: sense_of(cell) for cell in tidy.different}
    own = {
        cell.lower(): UNCLEAR if found.sense is Sense.LEFT and found.is_sure else STAYS for cell, found in meant.items()
    }
    return LeavingColumn(name=column.name, kind=LeavingKind.LEFT, own=own)


def _members(cell: str) -> Sequence[tuple[str, str]] | None:
    """Return the members of a JSON object, also of those inside it, as paths and texts. Return None if it is none."""
    if not cell:
        return ()
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    return list(_flat(found)) if isinstance(found, dict) else None


def _flat(value: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, dict):
            waiting += [(f"{path}.{name}" if path else name, inner) for name, inner in each.items()]
        elif isinstance(each, list):
            waiting += [(path, inner) for inner in each]
        else:
            yield path, member_text(each)


def member_text(value: object) -> str:
    """Return a value in a JSON object as the text of a cell."""
    if value is None:
        return ""
    return on_one_line(value if isinstance(value, str) else orjson.dumps(value).decode())


def _addressed(misfit: Misfit, header: ListHeader) -> Iterator[tuple[Cells, int]]:
    """Yield the tidy cells of a row and the place of its address, if it has one near where it belongs."""
    cells = list(tidied(misfit.cells).cells)
    for place in _between(header.email.place, header.email.place + len(cells) - header.width, len(cells)):
        if (separator := header.form.separator) and separator in cells[place]:
            cells[place] = cells[place].partition(separator)[0].strip()
        try:
            checked_address(cells[place])
        except ValueError:
            continue
        yield cells, place
        return


def _places_of(column: int, header: ListHeader, size: int, address: int) -> range:
    """Return the places in a row of `size` cells that may belong to a column, given the place of the address."""
    shift, extra = address - header.email.place, size - header.width
    if column < header.email.place:
        return _between(column, column + shift, size)
    return _between(column + shift, column + extra, size)


def _between(one: int, other: int, size: int) -> range:
    return range(max(0, min(one, other)), min(size - 1, max(one, other)) + 1)
