"""A file that an earlier version wrote arrives whole in the schema of today."""

import sqlite3
from pathlib import Path

import pytest

from newsletter.lists.exports import batch_of
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.sqlite.dialect import APPLICATION_ID
from tests.store.builders import NOW, add, id_of, row
from tests.store.earlier import PEOPLE, assert_all_arrived, migrations


def of_the_schema_before(path: Path, script: str) -> Path:
    """A file as it was before the audience had its own schema, filled by a script."""
    earlier = sqlite3.connect(path)
    for each in (*migrations("sqlite")[:2], script):
        earlier.executescript(each)
    earlier.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    earlier.execute("PRAGMA user_version = 2")
    earlier.close()
    return path


@pytest.mark.parametrize("script", [PEOPLE, f"{PEOPLE} DELETE FROM tag; DELETE FROM subscriber;"])
def test_no_id_is_given_again_that_somebody_had_before(tmp_path: Path, script: str) -> None:
    with open_database(of_the_schema_before(tmp_path / "newsletter.db", script)) as database:
        add(database, row("new@example.org"))
        merge_subscribers(database, [batch_of([row("newer@example.org")])], now=NOW)

        assert (id_of(database, "new@example.org"), id_of(database, "newer@example.org")) == (10, 11)


def test_people_tags_and_suppressions_of_the_schema_before_arrive_whole(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE)

    with open_database(path) as database:
        assert_all_arrived(database)
        with database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
