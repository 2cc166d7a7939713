"""An import that is killed leaves the audience as before or as after, never between; repeating it finishes the work."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import StoreError
from newsletter.model.imports import ImportBatch, ImportReport
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.subscribers import export_subscribers
from tests.postgresql import PostgresServer

PEOPLE, A_BATCH = 1_800, 300
KNOWN = 300  # of them, who are on the list before, where the list is not empty
NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
Location = Path | str


def batches(first_name: str, people: int = PEOPLE) -> Iterator[ImportBatch]:
    """A list in which one person is listed twice."""
    for start in range(0, people, A_BATCH):
        emails = [f"person{number % (people - 1)}@example.org" for number in range(start, start + A_BATCH)]
        columns = {
            "person": emails,
            "email": emails,
            "first_name": [first_name] * A_BATCH,
            "tags": [""] * A_BATCH,
            "consented_at": ["2025-01-01T00:00:00Z"] * A_BATCH,
        }
        yield ImportBatch(lines=range(start + 2, start + 2 + A_BATCH), columns=columns)


def import_people(database: Database) -> ImportReport:
    return merge_subscribers(database, batches("After"), now=NOW)


def count_statements(database: Database, kill_at: int) -> list[int]:
    """Counts what the thread's connection is asked for, and kills the process at one of them."""
    count = [0]

    def on_statement(*_: object) -> None:
        count[0] += 1
        if count[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with database.read() as connection:
        mine: Any = connection
    if isinstance(mine, sqlite3.Connection):
        mine.set_trace_callback(on_statement)
    else:
        factory = mine.cursor_factory

        class Counting(factory):  # type: ignore[misc,valid-type]
            def execute(self, *arguments: Any, **options: Any) -> Any:
                on_statement()
                return super().execute(*arguments, **options)

            def copy(self, *arguments: Any, **options: Any) -> Any:
                on_statement()
                return super().copy(*arguments, **options)

        mine.cursor_factory = Counting
    return count


def main(location: str, kill_at: int) -> None:
    """Imports in this process, which ends at the statement of this number; prints how many there were."""
    with open_database(location if "://" in location else Path(location)) as database:
        count = count_statements(database, kill_at)
        _tell("begins")
        import_people(database)
        _tell(str(count[0]))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start_import(location: Location, *, kill_at: int = 0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.e2e.test_import_crash", str(location), str(kill_at)]
    root = Path(__file__).parents[2]
    importing = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    assert importing.stdout is not None
    assert importing.stdout.readline() == "begins\n"
    return importing


def audience(database: Database) -> dict[str, str]:
    people = [each.record for each in export_subscribers(database)]
    assert len({record.email for record in people}) == len(people)
    return {record.email: record.first_name for record in people}


def hold_to_the_promise(location: Location, before: dict[str, str]) -> None:
    """Fails where some of the import was kept and some not."""
    after = {f"person{number}@example.org": "After" for number in range(PEOPLE - 1)}
    if isinstance(location, Path):
        with sqlite3.connect(location) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    with open_database(location) as database:
        found = audience(database)
        assert found in (before, after)
        again = import_people(database)
        assert audience(database) == after
        if found == before:
            assert again.added == PEOPLE - 1 - len(before)
        else:
            assert again.unchanged == PEOPLE - 1
        assert again.rejected == 1


class Place:
    """Databases in which an import can be killed, each with the same people."""

    def __init__(self, folder: Path, server: PostgresServer | None, *, is_empty: bool) -> None:
        self.before = {} if is_empty else {f"person{number}@example.org": "Before" for number in range(KNOWN - 1)}
        self._folder, self._server, self._is_empty = folder, server, is_empty
        self._number = 0

    def fresh(self) -> Location:
        """A database of its own."""
        self._number += 1
        location = self._server.fresh_database() if self._server else self._folder / f"{self._number}.db"
        with open_database(location) as database:
            if not self._is_empty:
                merge_subscribers(database, batches("Before", KNOWN), now=NOW)
        return location


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=["empty", "not empty"])
def place(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Place:
    server = request.getfixturevalue("postgresql_server") if engine == "postgresql" else None
    return Place(tmp_path, server, is_empty=request.param == "empty")


def test_import_that_kills_itself_at_any_statement_is_kept_whole_or_not_at_all(place: Place) -> None:
    whole = start_import(place.fresh())
    told, _ = whole.communicate(timeout=60)
    statements = int(told)
    last = range(max(1, statements - 5), statements + 1)  # the index, what follows it, and the end of the transaction
    moments = sorted({1, 2, statements // 2, *last})

    for moment in moments:
        location = place.fresh()
        killed = start_import(location, kill_at=moment)
        killed.communicate(timeout=60)

        assert killed.returncode == -signal.SIGKILL
        hold_to_the_promise(location, place.before)


def test_import_that_is_killed_from_outside_is_kept_whole_or_not_at_all(place: Place) -> None:
    began = time.monotonic()
    start_import(place.fresh()).communicate(timeout=60)
    seconds = time.monotonic() - began
    draw = random.Random(20_260_219)

    for _ in range(4):
        location = place.fresh()
        killed = start_import(location)
        time.sleep(draw.uniform(0, seconds))
        killed.kill()
        killed.communicate(timeout=60)
        if not isinstance(location, Path):
            time.sleep(0.2)  # the server notices by itself
        hold_to_the_promise(location, place.before)


@pytest.mark.parametrize("is_empty", [True, False])
def test_disk_that_is_full_leaves_the_audience_as_before(tmp_path: Path, is_empty: bool) -> None:
    place = Place(tmp_path, None, is_empty=is_empty)
    location = place.fresh()
    with open_database(location) as database:
        with database.read() as connection:
            ((pages,),) = connection.execute("PRAGMA page_count")
            connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(StoreError, match="the disk is full"):
            import_people(database)
    hold_to_the_promise(location, place.before)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
