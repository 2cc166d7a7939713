"""Looking at a database changes nothing about it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.store.opening import examine_database, open_database
from tests.store.conftest import Location


def test_a_database_of_this_version_is_whole(fresh_location: Callable[[], Location], engine: str) -> None:
    location = fresh_location()
    with open_database(location):
        pass

    facts = examine_database(location)

    assert facts.engine.lower().startswith(engine)
    assert facts.schema == facts.newest_schema > 0
    assert (facts.damages, facts.open_to) == ((), "")
    assert facts.size_bytes > 0


def test_an_empty_file_is_not_made_into_a_database(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    path.touch()

    assert examine_database(path).schema == 0
    assert path.stat().st_size == 0


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="file does not exist"):
        examine_database(tmp_path / "none.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_in_use", [False, True])
def test_nothing_is_left_beside_a_file(tmp_path: Path, is_in_use: bool) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path) as database:
        if is_in_use:
            with database.transaction() as connection:
                connection.execute("CREATE TABLE more (x)")
            before = sorted(tmp_path.iterdir())
            assert examine_database(path).journal == "wal"
            assert sorted(tmp_path.iterdir()) == before
    if not is_in_use:
        before = sorted(tmp_path.iterdir())
        assert examine_database(path).journal == "wal"
        assert sorted(tmp_path.iterdir()) == before


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    with pytest.raises(StoreError, match="another program"):
        examine_database(path)


def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path):
        pass
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xaa" * 4096
    path.write_bytes(content)

    try:
        assert examine_database(path).damages
    except StoreError as err:
        assert "damaged" in str(err)  # noqa: PT017 - either tells it


def test_a_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path):
        pass
    path.chmod(0o640)

    assert examine_database(path).open_to == "-rw-r-----"
    assert path.stat().st_mode & 0o777 == 0o640
