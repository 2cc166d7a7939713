"""The files by which SQLite's runners are known."""

from pathlib import Path

from newsletter.store.opening import open_database
from newsletter.store.sqlite.database import SqliteDatabase


def test_runner_leaves_no_file_behind(database: SqliteDatabase, tmp_path: Path) -> None:
    with database.runner():
        pass

    assert list((tmp_path / "newsletter.db.runners").iterdir()) == []


def test_runner_is_found_by_whoever_reaches_the_file_by_a_link(database: SqliteDatabase, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "letters.db"
    link.parent.mkdir()
    link.symlink_to(database.path)

    with database.runner() as runner, open_database(link) as linked:
        assert linked.alive(runner.id)
