"""Opening the database file, and what can be wrong with it."""

import errno
import fcntl
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import MachineError, StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.opening import open_database
from newsletter.store.sqlite.engine import SqliteDatabase, open_sqlite
from newsletter.store.sqlite.migrations import newest_version
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.store.builders import NOW


def scalar(path: Path, sql: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def test_new_file_is_private_and_marked_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"

    open_database(path).close()

    assert path.stat().st_mode & 0o777 == 0o600
    assert scalar(path, "PRAGMA application_id") == 0x4E4C5452
    assert scalar(path, "PRAGMA user_version") == newest_version()
    assert scalar(path, "PRAGMA journal_mode") == "wal"


def test_commits_are_durable_and_references_hold(database: SqliteDatabase) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("content", [b"name,email\n" * 200, b"\0" * 4096])
def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "newsletter.db"
    path.write_bytes(content)

    with pytest.raises(StoreError, match="it is not a newsletter database; name another file"):
        open_database(path)

    assert path.read_bytes() == content


def test_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE subscriber (id INTEGER)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="it is the database of another program; name another file"):
        open_database(path)

    assert path.read_bytes() == before


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    open_database(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()

    with pytest.raises(StoreError, match="written by a newer version of newsletter; update newsletter"):
        open_database(path)


def test_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a folder"):
        open_database(tmp_path)


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*/none/; create it"):
        open_database(tmp_path / "none" / "newsletter.db")


def test_missing_permission_is_reported() -> None:
    # The kernel's own folder: not even root may make a file in it.
    with pytest.raises(StoreError, match="permission to save files in /sys/; "):
        open_database(Path("/sys/newsletter.db"))


def test_full_disk_is_reported_and_nothing_is_kept(database: SqliteDatabase) -> None:
    with database.transaction() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    with database.read() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="the disk is full"), database.transaction() as connection:
        connection.executemany("INSERT INTO attribute VALUES (?)", [(f"{number:0500}",) for number in range(1000)])

    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM attribute").fetchone() == (0,)


def test_damaged_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path) as database:
        add_suppression(database, "ana@example.org", SuppressionReason.MANUAL, now=NOW)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    with pytest.raises(StoreError, match=r"it is damaged; move it .* and restore"), open_database(path) as database:
        find_suppression(database, "ana@example.org")


OPEN = "import sys, pathlib, newsletter.store.opening as d; d.open_database(pathlib.Path(sys.argv[1])).close()"


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path / "newsletter.db")]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1].decode() for process in started]

    assert [process.returncode for process in started] == [0] * 4, errors


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


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, None])
def test_a_drive_without_working_locks_has_no_runners(
    database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    """The lock fails, or has no effect (None)."""

    def flock(_file: int, _operation: int) -> None:
        if number is not None:
            raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(MachineError, match="this drive does not support locks"), database.runner():
        pytest.fail("nothing may be sent")
    assert list((tmp_path / "newsletter.db.runners").iterdir()) == []


def test_a_drive_that_cannot_lock_is_not_called_busy(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def lockf(_file: object, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    with open_sqlite(database.path, wait_seconds=0) as other, database.transaction():
        with pytest.raises(StoreError, match="another program is writing to it"), other.transaction():
            pytest.fail("it is locked")
        monkeypatch.setattr(fcntl, "lockf", lockf)
        with pytest.raises(MachineError, match="this drive does not support locks"), other.transaction():
            pytest.fail("it is locked")
