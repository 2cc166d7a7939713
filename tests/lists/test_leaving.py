"""What the columns and cells of a list say about leaving, tried on the words of many other tools.

The words of `opt_out_words.py` were collected from those tools, without a look at the table of the program.
"""

import csv
import io
import os
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import MistakesError
from newsletter.lists.csv_import import read_list
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.lists.leaving_words import told
from tests.lists.opt_out_words import COLUMNS, INNOCENT, LEFT, LEFT_ONLY, REASONS, STAYED

NOW = datetime(2026, 11, 30, tzinfo=UTC)
COUNT = int(os.environ.get("LEAVING_COLUMNS", "2000"))
SEED = int(os.environ.get("LEAVING_SEED", "20261130"))
MOST_STOPPED = 0.05  # of the innocent columns
FORMATS = ((",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-8"))


def imported(
    path: Path,
    name: str,
    cells: Sequence[str],
    form: tuple[str, str] = FORMATS[0],
    mapping: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the addresses that come in from a file with one more column, for one person per cell."""
    delimiter, encoding = form
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["email", name])
    writer.writerows([f"person{number}@example.org", cell] for number, cell in enumerate(cells))
    path.write_text(text.getvalue(), encoding=encoding)
    return [email for batch in read_list(path, mapping=mapping or {}, now=NOW) for email in batch.columns["email"]]


def test_who_left_is_not_mailed_unasked(tmp_path: Path) -> None:
    """Generate columns of other tools. Everyone who left is kept out, or the import stops and asks."""
    chosen, mistaken = random.Random(SEED), []
    for _ in range(COUNT):
        name, kind = chosen.choice(COLUMNS)
        left = chosen.sample(LEFT[kind], chosen.randint(1, 4))
        stayed = [] if name in LEFT_ONLY else chosen.sample(STAYED[kind], chosen.randint(1, 6))
        cells = chosen.sample([*left, *stayed], len(left) + len(stayed))
        try:
            emails = imported(tmp_path / "list.csv", name, cells, chosen.choice(FORMATS))
        except UnclearColumnsError:
            continue
        mailed = [cells[int(email.split("@")[0].removeprefix("person"))] for email in emails]
        mistaken += [(name, cell) for cell in mailed if cell in left]

    assert not mistaken, f"seed {SEED}"


def test_few_columns_about_other_things_stop_an_import(tmp_path: Path) -> None:
    stopped, rejected = [], []
    for name, cells in INNOCENT:
        try:
            emails = imported(tmp_path / "list.csv", name, cells)
        except UnclearColumnsError:
            stopped.append(name)
        except MistakesError:  # a second column of addresses
            continue
        else:
            rejected += [name] if len(emails) < len(cells) else []

    assert len(INNOCENT) >= 500
    assert len(stopped) + len(rejected) <= MOST_STOPPED * len(INNOCENT), (stopped, rejected)


@pytest.mark.parametrize("cell", ["Unsubscribed", "opted-out", "désinscrit", "配信停止", "Hard bounce", "Abgemeldet"])
@pytest.mark.parametrize("notes", [("Note {}", "met at fair {}, hall left"), ("Zoë {}", "François {}")])
def test_a_word_of_leaving_is_found_among_many_different_cells(
    tmp_path: Path, cell: str, notes: tuple[str, ...]
) -> None:
    cells = [note.format(number) for number in range(900) for note in notes]

    assert len(imported(tmp_path / "list.csv", "Remarks", cells)) == len(cells)
    with pytest.raises(UnclearColumnsError, match="Remarks"):
        imported(tmp_path / "list.csv", "Remarks", [*cells[:1500], cell, *cells[1500:]])


@pytest.mark.parametrize(("name", "cells"), REASONS, ids=[name for name, _ in REASONS])
def test_a_reason_for_leaving_means_that_the_person_left(tmp_path: Path, name: str, cells: tuple[str, ...]) -> None:
    try:
        emails = imported(tmp_path / "list.csv", name, ["", *cells])
    except UnclearColumnsError:
        return

    assert emails == ["person0@example.org"]


def test_the_words_of_the_tools_are_not_those_of_the_table() -> None:
    table = {entry.strip("~*") for lists in told()["left"].values() for words in lists.values() for entry in words}

    assert sum(name.casefold() not in table for name, _ in COLUMNS) >= len(COLUMNS) / 3
