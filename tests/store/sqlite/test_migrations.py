"""A file that an earlier version wrote arrives whole in the schema of today."""

import sqlite3
from pathlib import Path

from newsletter.store.opening import open_database
from newsletter.store.sqlite.dialect import APPLICATION_ID
from tests.store.earlier import PEOPLE, assert_all_arrived, migrations


def test_people_tags_and_suppressions_of_the_schema_before_arrive_whole(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    earlier = sqlite3.connect(path)
    for script in (*migrations("sqlite")[:2], PEOPLE):
        earlier.executescript(script)
    earlier.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    earlier.execute("PRAGMA user_version = 2")
    earlier.close()

    with open_database(path) as database:
        assert_all_arrived(database)
        with database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
