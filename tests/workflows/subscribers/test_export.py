"""Taking the list out: into a file that is its owner's alone, whole or not at all."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.store.database import Database
from newsletter.workflows.subscribers.export import export_person, export_to_file, write_person
from tests.store.builders import NOW, add, row
from tests.store.empty_file import open_test_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        add(opened, row("ana@example.org", first_name="=1+1"), row("bo@example.org", attributes={"city": "-"}))
        yield opened


def test_everybody_is_in_the_file_and_only_its_owner_reads_it(database: Database, tmp_path: Path) -> None:
    path, told = tmp_path / "out.csv", list[int]()
    before = os.umask(0o022)
    try:
        assert export_to_file(database, path, on_progress=told.append).people == 2
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["email"], row["first_name"], row["city"]) for row in rows] == [
        ("ana@example.org", "'=1+1", ""),
        ("bo@example.org", "", "'-"),
    ]
    assert told == [2]


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")

    with pytest.raises(InputError, match="already exists"):
        export_to_file(database, path)
    assert path.read_text() == "mine"
    assert export_to_file(database, path, overwrite=True).people == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_not_finished_is_not_there(database: Database, tmp_path: Path) -> None:
    def interrupt(_more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_to_file(database, tmp_path / "out.csv", on_progress=interrupt)
    assert [path.name for path in tmp_path.iterdir() if "out.csv" in path.name] == []


def test_one_person_is_json(database: Database, tmp_path: Path) -> None:
    text = export_person(database, "ANA@example.org", key=None, now=NOW)
    write_person(text, tmp_path / "ana.json")

    found = json.loads((tmp_path / "ana.json").read_text(encoding="utf-8"))
    assert (found["schema"], found["version"], found["subscriber"]["first_name"]) == ("newsletter.person", 1, "=1+1")
    assert (tmp_path / "ana.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="nothing is known about"):
        export_person(database, "cy@example.org", key=None, now=NOW)
