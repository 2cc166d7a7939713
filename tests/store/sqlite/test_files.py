"""The database file is its owner's alone, and holds nothing of whom it was made to forget."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.opening import open_database
from newsletter.store.sqlite.engine import SqliteDatabase
from newsletter.store.suppressions import add_suppression
from tests.store.builders import NOW, add, add_people, claim, forget, freeze, record, row

ANA = "Ana.Lima@example.org"


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """The umask of most systems, with which everyone may read a file."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What other users may read, write or enter in the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.stat().st_mode & 0o077)


def bytes_of(folder: Path) -> bytes:
    """All that stands in the folder's files, in small letters."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()).lower()


@pytest.mark.usefixtures("usual_umask")
def test_all_that_is_written_is_its_owners_alone(tmp_path: Path) -> None:
    with open_database(tmp_path / "newsletter.db") as database:
        add_people(database, 10)
        add_suppression(database, ANA, SuppressionReason.MANUAL, now=NOW)  # the first import goes without a WAL
        with database.runner(), database.read():
            assert {path.name for path in tmp_path.iterdir()} == {
                "newsletter.db",
                "newsletter.db-shm",
                "newsletter.db-wal",
                "newsletter.db.runners",
            }
            assert open_to_others(tmp_path) == []


@pytest.mark.usefixtures("usual_umask")
def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path) as before:
        add_people(before, 1)
        add_suppression(before, ANA, SuppressionReason.MANUAL, now=NOW)
        with before.runner():
            for each in (path, *tmp_path.glob("newsletter.db-*")):
                each.chmod(0o664)
            path.with_name("newsletter.db.runners").chmod(0o755)
            assert len(open_to_others(tmp_path)) == 4

            open_database(path).close()

            assert open_to_others(tmp_path) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_reached_by_a_link_is_closed_too(tmp_path: Path) -> None:
    path, link = tmp_path / "newsletter.db", tmp_path / "link.db"
    open_database(path).close()
    path.chmod(0o644)
    link.symlink_to(path)

    open_database(link).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database\n" * 200)
    path.chmod(0o644)

    with pytest.raises(StoreError, match="not a newsletter database"):
        open_database(path)

    assert path.stat().st_mode & 0o777 == 0o644


def test_no_byte_of_somebody_forgotten_stays_in_the_files(tmp_path: Path, database: SqliteDatabase) -> None:
    add_people(database, 300)
    add(database, row(ANA, first_name="Anastasia", attributes={"city": "Coimbra"}))
    add(database, row(ANA, first_name="Anastasia-Maria", tags=("teacher",)))  # written again, without the old row
    add_people(database, 300, prefix="later")
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)
    record(database, claim(database, freeze(database, chunk_size=1000)))
    for word in (b"ana.lima@example.org", b"anastasia", b"coimbra"):
        assert word in bytes_of(tmp_path)

    forget(database, ANA)
    assert database.scrub()

    for word in (b"ana.lima@example.org", b"ana.lima", b"anastasia", b"coimbra"):
        assert word not in bytes_of(tmp_path)
    assert b"person00001@example.org" in bytes_of(tmp_path)


def test_it_is_told_where_another_program_keeps_old_pages(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with open_database(path, wait_seconds=0) as database, open_database(path) as other:
        add(database, row(ANA))
        with other.read() as connection:
            connection.execute("SELECT count(*) FROM subscriber").fetchone()
            forget(database, ANA)
            assert not database.scrub()
        assert database.scrub()
    assert b"ana.lima" not in bytes_of(tmp_path)


def test_every_connection_overwrites_what_it_deletes(database: SqliteDatabase) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
