"""Cells that a spreadsheet program would run as formulas: guarded in a way that can be undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.cells import guarded, unguarded

CELLS = st.text(alphabet=st.sampled_from("'=+-@\t\r\na1 é"), max_size=6) | st.text(max_size=20)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@x", "=cmd|' /C calc'!A0"])
def test_whatever_could_be_a_formula_begins_with_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ana", "o'Brien", "'tis", "a=b", "1-2", "ana@example.org", " =1"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


@given(CELLS)
def test_the_guard_can_be_undone(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@given(CELLS)
def test_no_guarded_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell)[:1] not in tuple("=+-@\t\r")
