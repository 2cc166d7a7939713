"""Tells what became of each row, in the order of the lines, a page at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from newsletter.model.imports import Fate, RowFate
from newsletter.store.database import Connection
from newsletter.store.queries import load_queries

_SQL = load_queries("import_remarks")
_PAGE = 10_000
_LAST_LINE = 2**31 - 1

Fates = Callable[[int, int], Iterable[tuple[int, str, str]]]


def row_fates(connection: Connection, taken: Fates) -> Iterator[RowFate]:
    """The fate of every row: of those that were taken, and of those for whose rejection there is a remark."""
    _SQL.index_remark(connection)
    after = 0
    while True:
        page = list(taken(after, _PAGE))
        last = page[-1][0] if len(page) == _PAGE else _LAST_LINE
        yield from _with_remarks(connection, page, after, last)
        if last == _LAST_LINE:
            return
        after = last


def _with_remarks(
    connection: Connection, taken: list[tuple[int, str, str]], after: int, last: int
) -> Iterator[RowFate]:
    """The fates of some lines; `taken` are all of them that were taken."""
    remarks: dict[int, list[str]] = defaultdict(list)
    fates = {line: (email, Fate(fate)) for line, email, fate in taken}
    for line, email, is_rejected, text in _SQL.remarks(connection, after=after, last=last):
        remarks[line].append(text)
        if is_rejected:
            fates[line] = (email, Fate.REJECTED)
    for line in sorted(fates):
        email, fate = fates[line]
        yield RowFate(line=line, email=email, fate=fate, remark="; ".join(remarks.get(line, ())))
