"""Tidy cells as people write them: strip spaces, and find what no cell should hold."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, field

from newsletter.errors import InputError

LONGEST_CELL = 10_000  # characters; what is longer says nothing about a person
_LONGEST_SHOWN = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Cells = Sequence[str]


class RowFindings:
    """What is wrong with each row of a block, and what is doubtful about it, by its place."""

    def __init__(self) -> None:
        self.faults: defaultdict[int, list[str]] = defaultdict(list)
        self.doubts: defaultdict[int, list[str]] = defaultdict(list)

    def add_faults(self, faults: Mapping[int, str], *, column: str = "") -> None:
        """Add why rows cannot be taken, each fault once; `column` is named where the reason does not tell it."""
        for place, fault in faults.items():
            if (told := f"{column} {fault}".lstrip()) not in self.faults[place]:
                self.faults[place].append(told)

    def add_doubts(self, doubts: Mapping[int, str]) -> None:
        """Add why somebody should look at rows."""
        for place, doubt in doubts.items():
            self.doubts[place].append(doubt)


class TidyColumn(Struct, frozen=True, kw_only=True):
    """A column whose cells are fit to be read."""

    cells: Cells
    different: AbstractSet[str]  # the cells, each once: most columns have few
    faults: Mapping[int, str] = field(default_factory=dict)  # by its place, why a cell cannot be taken

    def places_of(self, remarks: Mapping[str, str]) -> dict[int, str]:
        """Return what is said about a cell, by the places that it stands in."""
        if not remarks:
            return {}
        return {place: remarks[cell] for place, cell in enumerate(self.cells) if cell in remarks}


def tidied(cells: Cells) -> TidyColumn:
    """Return the column, tidied.

    Spaces around a cell go, and so does the guard that an export puts before what a spreadsheet would take for a
    formula.
    """
    different = set(cells)
    if _are_tidy(list(different)):
        return TidyColumn(cells=cells, different=different)
    meant = {cell: unguarded(cell.strip()) for cell in different}
    wrong = {cell: fault for cell, found in meant.items() if (fault := _fault(found))}
    meant.update(dict.fromkeys(wrong, ""))
    return TidyColumn(
        cells=[meant[cell] for cell in cells],
        different=set(meant.values()),
        faults={place: wrong[cell] for place, cell in enumerate(cells) if cell in wrong} if wrong else {},
    )


def _are_tidy(cells: list[str]) -> bool:
    joined = "\n".join(cells)
    return (
        joined.count("\n") < max(len(cells), 1)
        and joined.replace("\n", "").isprintable()
        and "\n'" not in joined
        and not joined.startswith("'")
        and list(map(str.strip, cells)) == cells
        and max(map(len, cells), default=0) <= LONGEST_CELL
    )


def _fault(cell: str) -> str:
    if len(cell) > LONGEST_CELL:
        return f"a cell has {len(cell):,} characters; {LONGEST_CELL:,} is the most: shorten it, or leave the column out"
    if not cell.isprintable() and _CONTROL.search(cell):
        return "it holds a line break or another control character; write the cell on one line"
    return ""


def on_one_line(text: str) -> str:
    """Return text without line breaks and other control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def require_one_line(option: str, text: str) -> str:
    """Return what an option says, stripped; raise InputError where it holds more than a line of text."""
    if _CONTROL.search(text):
        raise InputError(f"{option} {text!r} holds a line break or another control character; write it on one line")
    return text.strip()


def shortened(text: str) -> str:
    """Make any text fit to be shown: on one line, and not too long."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_SHOWN])


_APOSTROPHE = "'"
_FIRST_OF_RISKY = frozenset("=+-@\t\r'")  # most cells are told by their first character, at a tenth of the cost
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """Return the cell as it is safe to write to a file that a spreadsheet program may open."""
    return f"'{cell}" if cell[:1] in _FIRST_OF_RISKY and _RISKY.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return the cell that `guarded` was given; one from elsewhere only loses an apostrophe that guards it."""
    return cell[1:] if cell.startswith(_APOSTROPHE) and _GUARDED.match(cell) else cell
