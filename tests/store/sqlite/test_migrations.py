"""A file that an earlier version wrote arrives whole in the schema of today."""

import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.lists.exports import batch_of
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.sqlite.connection import APPLICATION_ID
from newsletter.store.sqlite.files import KEPT_COPIES
from newsletter.store.sqlite.migrations import newest_version
from tests.store.builders import NOW, add, id_of, row
from tests.store.earlier import (
    AGAIN,
    HELD,
    PEOPLE,
    SHARP_S,
    assert_all_arrived,
    assert_each_has_one_place,
    assert_held_can_be_recalled,
    assert_old_keys_count,
    assert_sharp_s_is_kept,
    leave_under_old_keys,
    migrations,
)


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


def test_deliveries_of_the_schema_before_count_for_their_issue_once(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", f"{PEOPLE}{AGAIN}")

    with open_database(path) as database:
        assert_each_has_one_place(database)


def test_sharp_s_is_its_own_letter_after_the_migration(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", f"{PEOPLE}{SHARP_S}")

    with open_database(path) as database:
        assert_sharp_s_is_kept(database)


def test_people_who_left_under_an_old_key_are_not_emailed_after_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as earlier:
        for script in migrations("sqlite")[:5]:
            earlier.executescript(script)
        leave_under_old_keys(earlier.execute)
        earlier.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        earlier.execute("PRAGMA user_version = 5")

    with open_database(path) as database:
        assert_old_keys_count(database)


def test_email_that_the_provider_holds_can_still_be_recalled_after_the_migration(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", f"{PEOPLE}{HELD}")

    with open_database(path) as database:
        assert_held_can_be_recalled(database)


def copies_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("newsletter-before-*"))


def version_in(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    finally:
        connection.close()
    return int(version)


def test_a_copy_is_kept_before_a_migration_and_opens_in_its_place(tmp_path: Path) -> None:
    path, told = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE), list[str]()

    open_database(path, on_copy=told.append).close()

    (copy,) = copies_in(tmp_path)
    assert told == [str(copy)]
    assert copy.name.startswith("newsletter-before-0003-20")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (version_in(copy), version_in(path)) == (2, newest_version())
    assert sorted(each.name for each in tmp_path.iterdir()) == [copy.name, "newsletter.db"]
    path.unlink()
    copy.rename(path)
    with open_database(path) as database:
        assert_all_arrived(database)


def test_a_new_file_and_one_of_this_version_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        open_database(tmp_path / "newsletter.db", on_copy=pytest.fail).close()

    assert not copies_in(tmp_path)


def test_what_others_wrote_into_the_wal_is_in_the_copy(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("INSERT INTO tag VALUES (9, 'late')")

    open_database(path).close()
    other.close()

    copied = sqlite3.connect(copies_in(tmp_path)[0])
    assert copied.execute("SELECT count(*) FROM tag WHERE tag = 'late'").fetchone() == (1,)
    copied.close()


def test_only_the_newest_copies_are_kept_and_no_other_file_is_touched(tmp_path: Path) -> None:
    others = ["newsletter-before-0001-20200101.txt", "newsletter-before-1-20200101.db", "news-before-0001-20200101.db"]
    notes = tmp_path / "newsletter-before-0001-20190101.db"  # named like a copy, and none
    for other in (*(tmp_path / name for name in others), notes):
        other.write_text("mine")
    older = tmp_path / "newsletter-before-0002-20200101.db"
    for number in range(KEPT_COPIES + 2):
        path = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE)
        open_database(path).close()
        path.unlink()
        if not number:
            next(each for each in copies_in(tmp_path) if each.read_bytes() != b"mine").rename(older)

    copies = [each for each in copies_in(tmp_path) if each.read_bytes() != b"mine"]
    assert [version_in(copy) for copy in copies] == [2] * KEPT_COPIES
    assert older not in copies
    assert all((tmp_path / name).read_text() == "mine" for name in others)
    assert notes.read_text() == "mine"


def test_without_room_for_the_copy_nothing_is_migrated(tmp_path: Path) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"newsletter-before-0003-\d+\.db: the disk .*; .*this step saved nothing"):
            open_database(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)

    assert version_in(path) == 2
    assert [each.name for each in tmp_path.iterdir()] == ["newsletter.db"]


DIE = """
import os, pathlib, signal, sys
import newsletter.store.sqlite.files as copies, newsletter.store.sqlite.migrations as migrations
from newsletter.store.opening import open_database
module, name, when, path = sys.argv[1:]
module = {"copies": copies, "migrations": migrations}[module]
function = vars(module)[name]
def deadly(*args, **options):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = function(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(module, name, deadly)
open_database(pathlib.Path(path))
"""


@pytest.mark.parametrize(
    ("module", "name", "when", "version", "copies"),
    [
        ("migrations", "copy_before_migration", "before", 2, 0),
        ("copies", "copy_pages", "after", 2, 0),
        ("copies", "_give_name", "after", 2, 1),
        ("migrations", "_statements", "before", 2, 1),
        ("migrations", "drop_old_copies", "before", newest_version(), 1),
    ],
)
def test_process_killed_at_any_moment_leaves_the_old_state_or_the_new(
    tmp_path: Path, module: str, name: str, when: str, version: int, copies: int
) -> None:
    path = of_the_schema_before(tmp_path / "newsletter.db", PEOPLE)

    died = subprocess.run([sys.executable, "-c", DIE, module, name, when, str(path)], check=False)

    assert died.returncode == -signal.SIGKILL
    assert version_in(path) == version
    assert [version_in(copy) for copy in copies_in(tmp_path)] == [2] * copies
    with open_database(path) as database:
        assert_all_arrived(database)
