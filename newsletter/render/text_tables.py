"""Tables in the plain-text version: columns that line up, or one block per row if the table is too wide."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from newsletter.model.slots import with_usual_widths
from newsletter.model.typography import columns_of

_GAP = "  "
_SHORTEST_RULE = 3


class TextTable(Struct, frozen=True, kw_only=True):
    """A table as words. `right` has the numbers of the columns that are aligned at the right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int]


def table_lines(table: TextTable, columns: int, wrap: Callable[[str, int], str], colon: Callable[[str], str]) -> str:
    """Return a table as text that is at most `columns` wide.

    `wrap` breaks a paragraph into lines of a width, and `colon` returns the colon after a label.
    """
    widths = [
        max(_SHORTEST_RULE, *(_width(row[number]) for row in (table.head, *table.rows) if number < len(row)))
        for number in range(len(table.head))
    ]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > columns:
        return "\n\n".join(_block(table.head, row, columns, wrap, colon) for row in table.rows)
    lines = [table.head, ["-" * width for width in widths], *table.rows] if any(table.head) else table.rows
    return "\n".join(_aligned(line, widths, table.right) for line in lines)


def _aligned(cells: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> str:
    padded = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        space = " " * (width - _width(cell))
        padded.append(space + cell if number in right else cell + space)
    return _GAP.join(padded).rstrip(" ")


def _block(
    head: Sequence[str],
    row: Sequence[str],
    columns: int,
    wrap: Callable[[str, int], str],
    colon: Callable[[str], str],
) -> str:
    """Return a row as one line per cell, each after the name of its column."""
    labels = [f"{name}{colon(name)}" if name else "" for name in head]
    return "\n".join(wrap(label + cell, columns) for label, cell in zip(labels, row, strict=False) if cell)


def _width(text: str) -> int:
    return columns_of(with_usual_widths(text))
