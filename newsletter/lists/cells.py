"""Clean up the cells of a list, and write cells that no spreadsheet runs as a formula.

Cleaning up strips spaces, and finds characters that no cell should contain.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TextIO
from unicodedata import is_normalized

from msgspec import Struct, field

from newsletter.errors import InputError
from newsletter.model.audience import normal_text

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
    """A column of cleaned-up cells. Those with faults are on one line and not too long, so that they can be judged."""

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

    This removes spaces around a cell, and writes it in NFC. It also removes what is written around text for a
    spreadsheet: the apostrophe with which an export guards text that could be run as a formula, and the signs of
    `="01234"`.
    """
    different = set(cells)
    if _are_tidy(list(different)):
        return TidyColumn(cells=cells, different=different)
    meant = {cell: unguarded(normal_text(cell)) for cell in different}
    wrong = {cell: fault for cell, found in meant.items() if (fault := _fault(found))}
    meant |= {cell: on_one_line(meant[cell])[:LONGEST_CELL] for cell in wrong}
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
        and is_normalized("NFC", joined)
        and ("'" not in joined or not _GUARDED.search(joined))
        and '="' not in joined
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
    """Return text in NFC, without line breaks and other control characters."""
    return normal_text(" ".join(_CONTROL.sub(" ", text).split()))


def require_one_line(option: str, text: str) -> str:
    """Return the text of an option in its normal form. Raise InputError if the text is not a single line."""
    if _CONTROL.search(text):
        raise InputError(f"{option} {text!r} contains a line break or another control character; write it on one line")
    return normal_text(text)


def shortened(text: str) -> str:
    """Return the text in a form that is safe to show: on one line, and not too long."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_SHOWN])


# A spreadsheet runs a cell as a formula if it begins with one of these signs (OWASP, CSV Injection). The wide forms of
# the signs count too, because spreadsheets for East Asian languages read them in the same way.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
# A spreadsheet may use another separator than the one in the file, and then it splits a cell even inside quotes. It
# may also take a cell apart at a line break.
_BREAKS = r",;|，；｜\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
# Characters before a sign that a spreadsheet may skip: spaces, control characters, invisible characters, quotes.
_SKIPPED = (
    r"\s\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\"＂"
)
_PLACE = re.compile(
    rf"(\A|[{_BREAKS}])([{_SKIPPED}]*+)('*+)([{_SIGNS}]?)"
)  # it consumes each run once, so it is linear
_GUARDED = re.compile(rf"(?:\A|[{_BREAKS}])[{_SKIPPED}]*+'++[{_SIGNS}]")
_RISKY_START = re.compile(r"'*[\t\r\n]")  # a spreadsheet may drop these characters, and run what follows them
_GUARDED_START = re.compile(r"'+[\t\r\n]")
_BETWEEN = "\x1f"  # ASCII's unit separator
# Finds a cell to guard in a row whose cells have _BETWEEN before them. Most rows have none, and one search of the row
# takes a tenth of the time of one per cell. It is fast because each match begins with one of a few characters.
_RISKY_ROW = re.compile(rf"[{_BREAKS}{_BETWEEN}](?:[{_SKIPPED}]*+'*+[{_SIGNS}]|'*+[\t\n])")
_TEXT_FORMULA = re.compile(r'="([^"]*)"')


def guarded(cell: str) -> str:
    """Return the cell with an apostrophe before everything in it that a spreadsheet might run as a formula.

    This is a sign at the start of the cell, or after a character at which a spreadsheet with other settings splits it.
    """
    found = _PLACE.sub(lambda place: f"{place[1]}{place[2]}'{place[3]}{place[4]}" if place[4] else place[0], cell)
    return f"'{found}" if _RISKY_START.match(cell) else found


def unguarded(cell: str) -> str:
    """Return the original of a cell from `guarded`. Other cells lose at most apostrophes that it could have added.

    A formula that is nothing but a text, `="01234"`, is how Excel keeps the zeros of a number. It becomes the text.
    """
    if match := _TEXT_FORMULA.fullmatch(cell):
        return match[1].strip()
    if "'" not in cell:
        return cell
    found = cell[1:] if _GUARDED_START.match(cell) else cell
    return _PLACE.sub(lambda place: f"{place[1]}{place[2]}{place[3][1:]}{place[4]}" if place[4] else place[0], found)


class CsvWriter:
    """Writes a CSV file in which a spreadsheet finds no formula. All CSV of the program is written here.

    Open the file with `newline=""` and UTF-8.
    """

    def __init__(self, file: TextIO, names: Sequence[str]) -> None:
        self._plain = csv.writer(file, lineterminator="\n")
        self._quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self.write_row(names)

    def write_row(self, cells: Sequence[str]) -> None:
        """Write one row. `unguarded` returns the original of each of its cells."""
        row = _BETWEEN + _BETWEEN.join(cells)
        if "\r" in row or _RISKY_ROW.search(row):  # csv does not quote a lone carriage return
            self._quoted.writerow(map(guarded, cells))
        else:
            self._plain.writerow(cells)
