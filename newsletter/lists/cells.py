"""Clean up the cells of a list: strip spaces, and find characters that no cell should contain."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, field

from newsletter.errors import InputError

LONGEST_CELL = 10_000  # characters; no value of a person is longer
_LONGEST_SHOWN = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Cells = Sequence[str]


class RowFindings:
    """The faults and doubts found in the rows of a block, by the place of each row."""

    def __init__(self) -> None:
        self.faults: defaultdict[int, list[str]] = defaultdict(list)
        self.doubts: defaultdict[int, list[str]] = defaultdict(list)

    def add_faults(self, faults: Mapping[int, str], *, column: str = "") -> None:
        """Add why rows cannot be imported, each reason once. Start it with the name of the `column`, if given."""
        for place, fault in faults.items():
            if (told := f"{column} {fault}".lstrip()) not in self.faults[place]:
                self.faults[place].append(told)

    def add_doubts(self, doubts: Mapping[int, str]) -> None:
        """Add the reasons why a person should check certain rows."""
        for place, doubt in doubts.items():
            self.doubts[place].append(doubt)


class TidyColumn(Struct, frozen=True, kw_only=True):
    """A column whose cells are cleaned up."""

    cells: Cells
    different: AbstractSet[str]  # the distinct cells; most columns have few
    faults: Mapping[int, str] = field(default_factory=dict)  # why a cell cannot be imported, by its place

    def places_of(self, remarks: Mapping[str, str]) -> dict[int, str]:
        """Return each remark about a cell by every place where the cell occurs."""
        if not remarks:
            return {}
        return {place: remarks[cell] for place, cell in enumerate(self.cells) if cell in remarks}


def tidied(cells: Cells) -> TidyColumn:
    """Return the column with its cells cleaned up.

    This removes spaces around a cell. It also removes the apostrophe with which an export guards text that a
    spreadsheet would run as a formula.
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
        return f"a cell has {len(cell):,} characters; shorten it to {LONGEST_CELL:,} at most, or leave out the column"
    if not cell.isprintable() and _CONTROL.search(cell):
        return "it contains a line break or another control character; write the cell on one line"
    return ""


def on_one_line(text: str) -> str:
    """Return text without line breaks and other control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def require_one_line(option: str, text: str) -> str:
    """Return the text of an option, stripped. Raise InputError if the text is not a single line."""
    if _CONTROL.search(text):
        raise InputError(f"{option} {text!r} contains a line break or another control character; write it on one line")
    return text.strip()


def shortened(text: str) -> str:
    """Return the text in a form that is safe to show: on one line, and not too long."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_SHOWN])


_APOSTROPHE = "'"
_FIRST_OF_RISKY = frozenset("=+-@\t\r'")  # most cells are ruled out by their first character, at a tenth of the cost
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """Return the cell with an apostrophe before it if a spreadsheet might run it as a formula."""
    return f"'{cell}" if cell[:1] in _FIRST_OF_RISKY and _RISKY.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return the original of a cell from `guarded`. Other cells lose at most one guard apostrophe."""
    return cell[1:] if cell.startswith(_APOSTROPHE) and _GUARDED.match(cell) else cell
