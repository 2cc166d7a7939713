"""A dead process is told from a living one."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.store.database import Database
from newsletter.store.opening import open_database

HOLD = """
import pathlib, sys, newsletter.store.opening as d
database = d.open_database(pathlib.Path(sys.argv[1]))
with database.runner() as runner:
    print(runner.id, flush=True)
    sys.stdin.read()
"""


def test_runner_is_alive_as_long_as_its_block_lasts(database: Database) -> None:
    with database.runner() as runner:
        assert database.alive(runner.id)
    assert not database.alive(runner.id)


def test_runner_leaves_no_file_behind(database: Database, tmp_path: Path) -> None:
    with database.runner():
        pass

    assert list((tmp_path / "newsletter.db.runners").iterdir()) == []


def test_runners_differ(database: Database) -> None:
    with database.runner() as one, database.runner() as other:
        assert one.id != other.id


@pytest.mark.parametrize("runner_id", ["", "0123456789abcdef"])
def test_runner_that_nobody_knows_is_dead(database: Database, runner_id: str) -> None:
    assert not database.alive(runner_id)


def test_runner_is_found_by_whoever_reaches_the_file_by_a_link(database: Database, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "letters.db"
    link.parent.mkdir()
    link.symlink_to(database.path)

    with database.runner() as runner, open_database(link) as linked:
        assert linked.alive(runner.id)


def test_runner_of_a_killed_process_is_dead(database: Database) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    runner_id = process.stdout.readline().strip()
    assert database.alive(runner_id)

    process.kill()
    process.communicate()

    assert not database.alive(runner_id)
    assert not database.alive(runner_id)
