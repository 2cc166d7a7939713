"""A dead process is told from a living one."""

import subprocess
import sys
import time

import pytest

from newsletter.store.database import Database
from tests.store.conftest import Location

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
