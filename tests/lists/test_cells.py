"""Cells that a spreadsheet program would run as formulas: guarded in a way that can be undone."""

import csv
import re
from io import StringIO
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsletter
from newsletter.lists.cells import CsvWriter, guarded, tidied, unguarded
from newsletter.model.audience import normal_text

SIGNS = "=+-@＝＋－＠"
CELLS = st.text(alphabet=st.sampled_from("'=+-@＝－\t\r\n;|,；｜＂\"a1 é\u200b\u2800\ufe0f\x00"), max_size=8) | st.text(
    max_size=20
)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''@x", "=cmd|' /C calc'!A0"])
def test_whatever_could_be_a_formula_begins_with_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("＝1+1", "'＝1+1"),
        ("－1", "'－1"),
        ("﹦1", "'﹦1"),
        (" =1", " '=1"),
        ("\u200b=1", "\u200b'=1"),
        ("\xa0\x00@x", "\xa0\x00'@x"),
        ("a;=1;b", "a;'=1;b"),
        ("a; -1", "a; '-1"),
        ("a\t+1", "a\t'+1"),
        ("a\n=1", "a\n'=1"),
        ('a;"=1', "a;\"'=1"),
        ("a;'=1", "a;''=1"),
        ("a;＠b", "a;'＠b"),
        ("a, -b", "a, '-b"),
        ("a,=1", "a,'=1"),
        *((f"a{wide}=1", f"a{wide}'=1") for wide in "；｜，"),
        ("＂=1", "＂'=1"),
        *((f"{invisible}=1", f"{invisible}'=1") for invisible in "\u2800\u3164\ufe0f\uffa0\u115f\U000e0100"),
        ("a；\u2800＂＝1", "a；\u2800＂'＝1"),
        ("=1;=2", "'=1;'=2"),
        ("\tx", "'\tx"),
    ],
)
def test_a_sign_is_guarded_wherever_a_spreadsheet_could_find_a_cell(cell: str, written: str) -> None:
    assert guarded(cell) == written
    assert unguarded(written) == cell


@pytest.mark.parametrize(
    "cell", ["", "Ana", "o'Brien", "'tis", "a=b", "1-2", "ana@example.org", "a;b", "a, b", "x - y"]
)
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


@given(CELLS)
def test_the_guard_can_be_undone(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@given(CELLS)
def test_no_guarded_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell)[:1] not in tuple(f"{SIGNS}\t\r\n")


def cells_in_a_spreadsheet(text: str, separator: str) -> list[str]:
    """The cells that a spreadsheet could find in a line, which goes by a separator and drops invisible characters."""
    pieces = re.split(rf"[{re.escape(separator)}\r\n]", text)
    return [re.sub(r'^[\s\x00-\x20"＂\u200b\u2800\ufe0f]+', "", piece) for piece in pieces]


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_no_spreadsheet_finds_a_formula_with_any_separator(cells: list[str]) -> None:
    file = StringIO(newline="")
    CsvWriter(file, ["email"]).write_row(cells)

    written = file.getvalue().removeprefix("email\n")
    for separator in ",;\t|，；｜":
        assert [piece for piece in cells_in_a_spreadsheet(written, separator) if piece.startswith(tuple(SIGNS))] == []
    assert [cell for cell in next(csv.reader(StringIO(written, newline=""))) if cell.startswith(tuple(SIGNS))] == []


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_every_cell_comes_back_from_a_file(rows: list[list[str]]) -> None:
    file = StringIO(newline="")
    writer = CsvWriter(file, ["email", "note"])
    for row in rows:
        writer.write_row(row)

    found = list(csv.reader(StringIO(file.getvalue(), newline=""), strict=True))

    assert [list(map(unguarded, row)) for row in found[1:]] == rows


@given(st.lists(CELLS.map(normal_text).filter(str.isprintable), max_size=4))
def test_a_list_is_read_as_it_was_before_it_was_written(cells: list[str]) -> None:
    assert list(tidied(list(map(guarded, cells))).cells) == cells


def test_a_long_run_of_separators_takes_no_long_time() -> None:
    began = perf_counter()

    assert guarded("\t" * 100_000 + "x") == "'" + "\t" * 100_000 + "x"

    assert perf_counter() - began < 1


def test_all_csv_is_written_by_one_writer() -> None:
    folder = Path(newsletter.__file__).parent
    writing = [path for path in folder.rglob("*.py") if re.search(r"csv\.(writer|DictWriter)", path.read_text("utf-8"))]
    assert [path.relative_to(folder).as_posix() for path in writing] == ["lists/cells.py"]
