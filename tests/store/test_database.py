"""Opening the database file, and the only transactions there are."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.subscribers import known_fields
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.store.builders import NOW


def scalar(path: Path, sql: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def suppress(database: Database, email: str) -> None:
    add_suppression(database, email, SuppressionReason.MANUAL, now=NOW)


def test_new_file_is_private_and_marked_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"

    open_database(path).close()

    assert path.stat().st_mode & 0o777 == 0o600
    assert scalar(path, "PRAGMA application_id") == 0x4E4C5452
    assert scalar(path, "PRAGMA user_version") == 2
    assert scalar(path, "PRAGMA journal_mode") == "wal"


def test_commits_are_durable_and_references_hold(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_data_is_there_when_opened_again(tmp_path: Path) -> None:
    with open_database(tmp_path / "newsletter.db") as database:
        suppress(database, "ana@example.org")

    with open_database(tmp_path / "newsletter.db") as database:
        assert find_suppression(database, "ana@example.org")


@pytest.mark.parametrize("content", [b"name,email\n" * 200, b"\0" * 4096])
def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "newsletter.db"
    path.write_bytes(content)

    with pytest.raises(StoreError, match="it is not a newsletter database; check"):
        open_database(path)

    assert path.read_bytes() == content


def test_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE subscriber (id INTEGER)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="it is the database of another program"):
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
    with pytest.raises(StoreError, match="its folder does not exist"):
        open_database(tmp_path / "none" / "newsletter.db")


def test_missing_permission_is_reported() -> None:
    # The kernel's own folder: not even root may make a file in it.
    with pytest.raises(StoreError, match="permissions"):
        open_database(Path("/sys/newsletter.db"))


def test_writing_while_another_program_writes_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path, wait_seconds=0) as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError, match="another program is writing to it; wait"):
            suppress(database, "ana@example.org")
        other.close()


def test_reading_goes_on_while_another_program_writes(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path, wait_seconds=0) as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        assert find_suppression(database, "ana@example.org") is None
        other.close()


def test_full_disk_is_reported_and_nothing_is_kept(database: Database) -> None:
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
        suppress(database, "ana@example.org")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    with pytest.raises(StoreError, match="it is damaged; restore it"), open_database(path) as database:
        find_suppression(database, "ana@example.org")


def test_transaction_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.executemany("INSERT INTO attribute VALUES (?)", [("city",), ("country",), ("city",)])

    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM attribute").fetchone() == (0,)


def test_read_within_a_transaction_sees_what_it_has_written(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO attribute VALUES ('country')")

        assert "country" in known_fields(database)


def test_threads_write_one_after_the_other(database: Database) -> None:
    def work(name: str) -> None:
        for number in range(50):
            suppress(database, f"{name}{number}@example.org")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM suppression").fetchone() == (200,)


def test_read_sees_one_state_while_another_thread_writes(database: Database) -> None:
    with database.read() as connection:
        before = connection.execute("SELECT count(*) FROM suppression").fetchone()
        writer = threading.Thread(target=suppress, args=(database, "ana@example.org"))
        writer.start()
        writer.join()

        assert connection.execute("SELECT count(*) FROM suppression").fetchone() == before
    assert find_suppression(database, "ana@example.org")


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    code = "import sys, pathlib, newsletter.store.opening as d; d.open_database(pathlib.Path(sys.argv[1])).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "newsletter.db")], stderr=subprocess.PIPE)
        for _ in range(6)
    ]

    for process in started:
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
