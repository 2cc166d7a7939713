"""A database that an earlier version filled arrives whole in the schema of today."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from newsletter.store.opening import open_database
from newsletter.store.postgresql.connection import PostgresCursor, opened
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


def make_schema_before(earlier: psycopg.Connection[TupleRow]) -> None:
    earlier.execute("CREATE SCHEMA newsletter; SET search_path TO newsletter")
    earlier.execute("CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (1)")
    earlier.execute(opened(migrations("postgresql")[0]).encode())


def fill_schema_before(url: str) -> None:
    """A database as the schema before this one left it."""
    with psycopg.connect(url, autocommit=True) as earlier:
        make_schema_before(earlier)
        earlier.execute(opened(PEOPLE).encode())
        for table, last in (("subscriber", 9), ("broadcast", 1)):
            earlier.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, last))


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


PAGE = (Path(__file__).parents[3] / "docs" / "backup.md").read_text(encoding="utf-8")
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'newsletter%' ORDER BY 1"


def test_people_tags_and_suppressions_of_the_schema_before_arrive_whole(url: str) -> None:
    fill_schema_before(url)

    with open_database(url) as database:
        assert_all_arrived(database)


def test_deliveries_of_the_schema_before_count_for_their_issue_once(url: str) -> None:
    fill_schema_before(url)
    with psycopg.connect(url, autocommit=True) as earlier:
        earlier.execute("SET search_path TO newsletter")
        earlier.execute(opened(AGAIN).encode())
        earlier.execute("SELECT setval(pg_get_serial_sequence('broadcast', 'id'), 13)")

    with open_database(url) as database:
        assert_each_has_one_place(database)


def test_sharp_s_is_its_own_letter_after_the_migration(url: str) -> None:
    fill_schema_before(url)
    with psycopg.connect(url, autocommit=True) as earlier:
        earlier.execute("SET search_path TO newsletter")
        earlier.execute(opened(SHARP_S).encode())

    with open_database(url) as database:
        assert_sharp_s_is_kept(database)


def test_people_who_left_under_an_old_key_are_not_emailed_after_the_migration(url: str) -> None:
    with psycopg.connect(url, autocommit=True, cursor_factory=PostgresCursor) as earlier:
        earlier.execute("CREATE SCHEMA newsletter; SET search_path TO newsletter")
        earlier.execute("CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (4)")
        for script in migrations("postgresql")[:4]:
            earlier.execute(script)  # type: ignore[arg-type]
        leave_under_old_keys(earlier.execute)

    with open_database(url) as database:
        assert_old_keys_count(database)


def test_email_that_the_provider_holds_can_still_be_recalled_after_the_migration(url: str) -> None:
    fill_schema_before(url)
    with psycopg.connect(url, autocommit=True) as earlier:
        earlier.execute("SET search_path TO newsletter")
        earlier.execute(opened(HELD).encode())

    with open_database(url) as database:
        assert_held_can_be_recalled(database)


def test_tables_are_kept_as_they_were_before_a_migration_and_can_be_put_back_as_the_page_says(url: str) -> None:
    fill_schema_before(url)
    people, told = rows(url, "SELECT * FROM newsletter.subscriber ORDER BY id"), list[str]()

    open_database(url, on_copy=told.append).close()

    (words,) = told
    assert words.startswith("schema newsletter_before_0002 of postgresql://")
    assert rows(url, "SELECT version FROM newsletter_before_0002.schema_version") == [(1,)]
    assert rows(url, "SELECT * FROM newsletter_before_0002.subscriber ORDER BY id") == people
    (rename,) = re.findall(r"`(ALTER SCHEMA .+?)`", PAGE)
    (fill,) = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)
    with psycopg.connect(url, autocommit=True) as earlier:
        earlier.execute(rename.encode())
        make_schema_before(earlier)
        earlier.execute(fill.replace("newsletter_before_0003", "newsletter_before_0002").encode())
    assert rows(url, "SELECT * FROM newsletter.subscriber ORDER BY id") == people
    assert rows(url, "SELECT last_value FROM newsletter.subscriber_id_seq") == [(9,)]
    with open_database(url) as database:
        assert_all_arrived(database)


def test_a_new_database_and_one_of_this_version_are_not_copied(url: str) -> None:
    for _ in range(2):
        open_database(url, on_copy=pytest.fail).close()

    assert rows(url, SCHEMAS) == [("newsletter",)]


def test_only_the_newest_copies_are_kept_and_no_other_schema_is_touched(url: str) -> None:
    fill_schema_before(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for name in (
            "newsletter_before_0000",
            "newsletter_before_0001",
            *(f"newsletter_before_000{n}" for n in (3, 4)),
        ):
            connection.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.schema_version (version INTEGER)".encode())
        connection.execute("CREATE SCHEMA newsletter_before_9; CREATE SCHEMA newsletter_before_0000_mine")
        connection.execute("DROP TABLE newsletter_before_0000.schema_version")  # no copy of ours

    open_database(url).close()

    kept = ["", "_before_0000", "_before_0000_mine", "_before_0002", "_before_0003", "_before_0004", "_before_9"]
    assert rows(url, SCHEMAS) == [(f"newsletter{name}",) for name in kept]


DIE = """
import os, signal, sys
import newsletter.store.postgresql.migrations as migrations
from newsletter.store.opening import open_database
copy = migrations._copy_tables
def deadly(*args):
    copy(*args)
    os.kill(os.getpid(), signal.SIGKILL)
migrations._copy_tables = deadly
open_database(sys.argv[1])
"""


def test_process_killed_after_the_copy_leaves_neither_copy_nor_change(url: str) -> None:
    fill_schema_before(url)

    died = subprocess.run([sys.executable, "-c", DIE, url], check=False)

    assert died.returncode == -signal.SIGKILL
    with open_database(url) as database:  # waits for the lock of the dead one
        assert_all_arrived(database)
    assert rows(url, SCHEMAS) == [("newsletter",), ("newsletter_before_0002",)]
