"""A database by whichever engine: opening it, and the only transactions there are."""

import subprocess
import sys
import threading
import time
from contextlib import suppress as suppressed

import pytest

from newsletter.errors import InputError, StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.subscribers import known_fields
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.store.builders import NOW
from tests.store.conftest import Location

COUNT = "SELECT count(*) FROM suppression"


def suppress(database: Database, email: str) -> None:
    add_suppression(database, email, SuppressionReason.MANUAL, now=NOW)


def test_data_is_there_when_opened_again(location: Location) -> None:
    with open_database(location) as database:
        suppress(database, "ana@example.org")

    with open_database(location) as database:
        assert find_suppression(database, "ana@example.org")


@pytest.mark.parametrize("kind", ["transaction", "shared_transaction", "filling_transaction"])
def test_writing_while_another_program_writes_is_reported(location: Location, kind: str) -> None:
    with open_database(location, wait_seconds=0) as database, open_database(location) as other:
        writing = getattr(database, kind)
        with (
            other.transaction(),
            pytest.raises(StoreError, match="another program is writing to it; wait until"),
            writing(),
        ):
            pytest.fail("two wrote at once")

        with writing() as connection:
            connection.execute("INSERT INTO attribute (name) VALUES (:name)", {"name": "country"})
        assert "country" in known_fields(other)


def test_reading_goes_on_while_another_program_writes(location: Location) -> None:
    with open_database(location, wait_seconds=0) as database, open_database(location) as other, other.transaction():
        assert find_suppression(database, "ana@example.org") is None


def test_transaction_that_raises_changes_nothing(database: Database) -> None:
    with suppressed(InputError), database.transaction() as connection:
        connection.execute("INSERT INTO attribute (name) VALUES (:name)", {"name": "country"})
        raise InputError("no")

    assert "country" not in known_fields(database)


def test_read_within_a_transaction_sees_what_it_has_written(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO attribute (name) VALUES (:name)", {"name": "country"})

        assert "country" in known_fields(database)


def test_what_is_written_in_a_read_is_dropped(database: Database) -> None:
    with database.read() as connection:
        connection.execute("CREATE TEMPORARY TABLE member (subscriber INTEGER)")

    with database.read() as connection:
        connection.execute("CREATE TEMPORARY TABLE member (subscriber INTEGER)")


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
        assert connection.execute(COUNT).fetchone() == (200,)


def test_read_sees_one_state_while_another_thread_writes(database: Database) -> None:
    with database.read() as connection:
        before = connection.execute(COUNT).fetchone()
        writer = threading.Thread(target=suppress, args=(database, "ana@example.org"))
        writer.start()
        writer.join()

        assert connection.execute(COUNT).fetchone() == before
    assert find_suppression(database, "ana@example.org")


def test_load_fills_every_column(database: Database) -> None:
    rows = [
        ("ana@example.org", "", "manual", "Ana", "", "a", "", "d"),
        ("x\t\\N\n'%s", ":name ü 💗", "", "", "\\.", "b", "c", ""),
    ]

    with database.transaction() as connection:
        connection.load("past_suppression", iter(rows))

        found = connection.execute("SELECT * FROM past_suppression ORDER BY because")
        assert found.fetchall() == rows


@pytest.mark.parametrize("count", [1, 250, 2501])
def test_columns_are_loaded_in_step_with_their_constants(database: Database, count: int) -> None:
    names = [f"tag {number:04} \t\\N'%s 💗" for number in range(count)]
    columns = {"because": [f"{number:04}" for number in range(count)], "person": names}
    constants = {"topic": "events", "reason": "it's ?1 :x", "created_at": "", "lifted_at": "now"}

    with database.transaction() as connection:
        connection.load_columns("past_suppression", columns, constants)

        found = connection.execute(
            "SELECT person, topic, reason, lifted_at, because FROM past_suppression ORDER BY person"
        )
        assert found.fetchall() == [
            (name, "events", "it's ?1 :x", "now", f"{number:04}") for number, name in enumerate(names)
        ]


def test_statement_that_brings_about_equal_keys_does_nothing(database: Database) -> None:
    with database.transaction() as connection:
        connection.load("tag", [("teacher",)])

        assert not connection.attempt("INSERT INTO tag (name) VALUES ('donor'), ('teacher')")
        assert connection.attempt("INSERT INTO tag (name) VALUES ('member')")

        assert connection.execute("SELECT name FROM tag ORDER BY name").fetchall() == [("member",), ("teacher",)]


HOLD = """
import pathlib, sys, newsletter.store.opening as d
location = sys.argv[1]
database = d.open_database(location if "://" in location else pathlib.Path(location))
with database.runner() as runner:
    print(runner.id, flush=True)
    sys.stdin.read()
"""


def test_runner_is_alive_as_long_as_its_block_lasts(database: Database) -> None:
    with database.runner() as runner:
        assert database.alive(runner.id)
    assert not database.alive(runner.id)


def test_runner_is_told_from_a_dead_one_within_a_transaction(database: Database) -> None:
    with database.runner() as one, database.transaction():
        assert database.alive(one.id)
        assert not database.alive("0123456789abcdef")


def test_runners_differ(database: Database) -> None:
    with database.runner() as one, database.runner() as other:
        assert one.id != other.id


@pytest.mark.parametrize("runner_id", ["", "0123456789abcdef", "fedcba9876543210", "dead"])
def test_runner_that_nobody_knows_is_dead(database: Database, runner_id: str) -> None:
    assert not database.alive(runner_id)


def test_runner_of_a_killed_process_is_dead(database: Database, location: Location) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(location)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    runner_id = process.stdout.readline().strip()
    assert database.alive(runner_id)

    process.kill()
    process.communicate()

    # A server learns of the end of a connection a moment after the process is gone.
    deadline = time.monotonic() + 20
    while database.alive(runner_id) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not database.alive(runner_id)


@pytest.mark.parametrize("count", [0, 1, 7, 1000, 3001])
def test_only_rows_with_new_keys_are_inserted(database: Database, count: int) -> None:
    def rows(word: str) -> list[tuple[str, str, str, str]]:
        return [(f"p{number}@example.org", "2026-02-19T08:00:00Z", word, "") for number in range(count)]

    with database.transaction() as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE noted (person TEXT, at TEXT, word TEXT, more TEXT, PRIMARY KEY (person, at))"
        )
        assert connection.insert_new("noted", rows("first")) == count
        assert connection.insert_new("noted", rows("second") + rows("third")) == 0
        assert connection.insert_new("noted", [*rows("fourth"), ("new@example.org", "", "new", "")] * 2) == 1
        words = connection.execute("SELECT DISTINCT word FROM noted ORDER BY word", {}).fetchall()
        connection.execute("DROP TABLE noted")
    assert words == ([("first",)] if count else []) + [("new",)]
