"""The table of docs/leaving.md: every name and value in it means what the page says."""

import re
from pathlib import Path

import pytest

from newsletter.lists.leaving import LeavingOutcome
from newsletter.lists.leaving_columns import column_about_leaving

PAGE = Path(__file__).parents[2] / "docs" / "leaving.md"
_SHOWN = re.compile(r"`([^`]+)`|\*([^*]+)\*")
_OUTCOMES = (LeavingOutcome.LEFT, LeavingOutcome.STAYS, LeavingOutcome.UNCLEAR)


def shown(text: str) -> list[str]:
    return [code or words for code, words in _SHOWN.findall(text)]


def rows() -> list[list[str]]:
    table = PAGE.read_text(encoding="utf-8").split("## What counts as leaving\n\n")[1].split("\n\n")[0]
    return [line.strip("|").split("|") for line in table.splitlines()[2:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].strip())
def test_the_table_is_true(row: list[str]) -> None:
    _, names, *cells = row
    for name in shown(names):
        column = column_about_leaving(name)
        assert column is not None, name
        assert column.is_certain, name
        said = {cell: column.verdict(cell).outcome for each in cells for cell in shown(each)}
        assert said == {cell: outcome for each, outcome in zip(cells, _OUTCOMES, strict=True) for cell in shown(each)}


def test_the_table_has_every_kind_of_column() -> None:
    assert len(rows()) == 4
    assert all(len(row) == 5 for row in rows())


@pytest.mark.parametrize("name", ["Left", "Newsletter"])
def test_the_columns_that_the_page_calls_unclear_are(name: str) -> None:
    column = column_about_leaving(name)

    assert column is not None
    assert not column.is_certain
