"""A backup holds one state of everything, and is read whatever state its file is in."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.store.backup import back_up
from newsletter.store.database import Database
from newsletter.store.importing.import_record import clear_record
from newsletter.store.opening import open_database
from newsletter.store.restore import Restored, restore
from newsletter.store.sqlite import files
from newsletter.store.subscribers import export_subscribers
from tests.store.builders import (
    KEY,
    NOW,
    add,
    add_people,
    claim,
    freeze,
    id_of,
    row,
)
from tests.store.earlier import PEOPLE
from tests.store.query_world import seed
from tests.store.sqlite.test_migrations import of_the_schema_before

Location = Path | str
LATER = NOW + timedelta(days=1)


def ignore(_share: float) -> None:
    """Hears progress."""


def save(database: Database, file: Path) -> Path:
    back_up(database, file, now=NOW, on_progress=ignore)
    return file


def bring_back(database: Database, file: Path, *, key: bytes | None = KEY) -> Restored:
    return restore(database, file, key=key, now=LATER, on_progress=ignore)


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with sqlite3.connect(":memory:") as names:
        for script in sorted((Path(files.__file__).parents[1] / "sql/migrations/sqlite").glob("*.sql")):
            names.executescript(script.read_text())
        query = (
            "SELECT t.name, group_concat(c.name) FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON TRUE "
            "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' GROUP BY t.name"
        )
        tables = names.execute(query).fetchall()
    names.close()
    with database.read() as connection:
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}", {}).fetchall(), key=repr)
            for table, columns in tables
        }


def test_everything_comes_back_into_a_new_database_of_either_engine(
    database: Database, fresh_location: Callable[[], Location], file: Path, tmp_path: Path
) -> None:
    with database.transaction() as connection:
        seed(connection)
        connection.execute("UPDATE chunk SET state = 'accepted' WHERE state IN ('ready', 'inflight', 'deferred')", {})
        connection.execute("UPDATE held_batch SET state = 'doubtful' WHERE state = 'recalled'", {})
        connection.execute("DELETE FROM forgotten", {})
        connection.raise_last_ids({"broadcast": 20, "subscriber": 20})  # which were given by the product itself
        connection.execute(
            "UPDATE broadcast SET state = 'paused' WHERE state IN ('scheduled', 'running', 'watching')", {}
        )
    add(database, row("ünï@example.org", first_name="Zoë 💗"))
    save(database, file)
    with database.transaction() as connection:
        clear_record(connection)  # a restored import cannot be undone

    assert file.stat().st_mode & 0o777 == 0o600
    for location in (fresh_location(), tmp_path / "other.db"):
        with open_database(location) as other:
            done = bring_back(other, file)
            assert contents(other) == contents(database)
            last = id_of(other, "ünï@example.org")
            add(other, row("next@example.org"))
            assert id_of(other, "next@example.org") > last
        assert (done.made_at, done.replaced, done.open, done.carried) == (NOW, False, (), ())


def test_a_backup_is_of_one_state_though_others_write_meanwhile(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch, fresh_location: Callable[[], Location]
) -> None:
    monkeypatch.setattr(files, "_PAGES_AT_ONCE", 1)
    add_people(database, 50)
    told = []

    def change_names() -> None:
        with database.transaction() as connection:
            connection.execute("UPDATE subscriber SET first_name = 'changed'", {})

    def hear(share: float) -> None:
        if not told:
            with ThreadPoolExecutor(1) as aside:  # whose connection is another, as that of another process is
                aside.submit(change_names).result()
        told.append(share)

    back_up(database, file, now=NOW, on_progress=hear)

    assert len(told) > 5
    assert (sorted(told), told[-1]) == (told, 1.0)
    with open_database(fresh_location()) as other:
        bring_back(other, file)
        assert {person.record.first_name for person in export_subscribers(other)} == {""}


def test_a_file_is_never_overwritten_and_nothing_is_left_of_a_failure(database: Database, file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(StoreError, match="already exists; choose another file"):
        save(database, file)
    assert file.read_text() == "mine"
    file.unlink()

    with pytest.raises(StoreError, match=r"there is no folder .*/none/, so nothing was changed; create it"):
        save(database, file.parent / "none" / "backup.db")

    def fail(_share: float) -> None:
        file.write_text("mine")  # another file is put there in the meantime

    with pytest.raises(StoreError, match="already exists"):
        back_up(database, file, now=NOW, on_progress=fail)
    assert file.read_text() == "mine"
    assert not [each.name for each in file.parent.iterdir() if each.name.startswith(".")]


def test_a_file_that_is_none_or_damaged_is_refused(database: Database, file: Path) -> None:
    with pytest.raises(StoreError, match="there is no file "):
        bring_back(database, file)
    file.write_text("nothing of the kind, and long enough to be looked at" * 50)
    with pytest.raises(StoreError, match=r"backup\.db: it is not a newsletter backup"):
        bring_back(database, file)
    file.unlink()
    sqlite3.connect(file).executescript("CREATE TABLE a (b)").connection.close()
    with pytest.raises(StoreError, match="it is not a newsletter backup"):
        bring_back(database, file)
    file.unlink()
    add_people(database, 200)
    newer = sqlite3.connect(save(database, file))
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(StoreError, match=f"{file}: it was written by a newer version"):
        bring_back(database, file)
    file.unlink()
    data = bytearray(save(database, file).read_bytes())
    data[8192:16384] = b"\xff" * 8192
    for damaged in (data, data[:16384]):
        file.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"backup\.db: it is damaged; restore an older backup"):
            bring_back(database, file)


def test_a_backup_put_in_place_by_hand_is_refused(tmp_path: Path, database: Database) -> None:
    save(database, tmp_path / "copied.db")

    with pytest.raises(StoreError, match=r"it is a backup, .*; .* `newsletter restore`"):
        open_database(tmp_path / "copied.db")


def test_what_a_migration_kept_of_an_earlier_version_can_be_restored(database: Database, tmp_path: Path) -> None:
    earlier = of_the_schema_before(tmp_path / "earlier.db", PEOPLE)
    before = earlier.read_bytes()

    bring_back(database, earlier)

    assert id_of(database, "ana@example.org") == 1
    assert earlier.read_bytes() == before


def test_of_a_database_in_use_the_newest_is_restored_too(database: Database, tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    with open_database(source) as other:
        add_people(other, 5)
        add(other, row("last@example.org"))
        assert source.with_name("source.db-wal").stat().st_size
        bring_back(database, source)

    assert len(list(export_subscribers(database))) == 6


def test_a_plain_copy_is_as_old_as_its_latest_change(database: Database, tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    with open_database(source) as other:
        add_people(other, 5)
        add(other, row("last@example.org"))
        for each, moment in ((source, NOW), (source.with_name("source.db-wal"), LATER)):
            os.utime(each, (moment.timestamp(),) * 2)
        assert bring_back(database, source).made_at == LATER


DIES_WHILE_IT_WRITES = """
import os, signal, sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA journal_mode = DELETE")
file.execute("PRAGMA cache_size = 1")  # so that changed pages reach the file before the commit
file.execute("BEGIN IMMEDIATE")
file.execute("UPDATE subscriber SET first_name = 'half done'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("is_link", [False, True])
def test_what_a_program_left_half_written_is_undone(database: Database, tmp_path: Path, *, is_link: bool) -> None:
    source = tmp_path / "source.db"
    with open_database(source) as other:
        add_people(other, 2000)
    died = subprocess.run([sys.executable, "-c", DIES_WHILE_IT_WRITES, str(source)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert b"half done" in source.read_bytes()
    before = [source.read_bytes(), source.with_name("source.db-journal").read_bytes()]
    link = tmp_path / "link.db"
    link.symlink_to(source)

    bring_back(database, link if is_link else source)

    assert {person.record.first_name for person in export_subscribers(database)} == {""}
    assert [source.read_bytes(), source.with_name("source.db-journal").read_bytes()] == before


KILLED = """
import os, pathlib, signal, sys
from datetime import UTC, datetime
from newsletter.store.backup import back_up
from newsletter.store.opening import open_database
from newsletter.store.restore import restore
what, location, file = sys.argv[1:]
location = location if "://" in location else pathlib.Path(location)
def die(share):
    if share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
with open_database(location) as database:
    if what == "back_up":
        back_up(database, pathlib.Path(file), now=datetime.now(UTC), on_progress=die)
    restore(database, pathlib.Path(file), key=None, now=datetime.now(UTC), on_progress=die)
"""


def test_a_process_killed_while_it_restores_or_saves_changes_nothing(
    database: Database, location: Location, file: Path
) -> None:
    add_people(database, 30)
    claim(database, freeze(database))
    save(database, file)
    add(database, row("late@example.org"))
    before = contents(database)
    for what, path in (("restore", file), ("back_up", file.with_name("second.db"))):
        died = subprocess.run([sys.executable, "-c", KILLED, what, str(location), str(path)], check=False)
        assert died.returncode == -signal.SIGKILL

    with open_database(location) as again:
        assert contents(again) == before
    assert not file.with_name("second.db").exists()
