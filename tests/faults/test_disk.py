"""The promise of delivery where SQLite's disk is full, or its folder is gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.store.opening import open_database
from tests.faults import commands
from tests.faults.desk import NOT_KEPT
from tests.faults.director import Director
from tests.faults.plan import QUIET, Round, Sender
from tests.faults.processes import Processes
from tests.faults.run import directed
from tests.faults.stores import SqliteStore

PLAN = replace(QUIET, people=150, chunk_size=5)
TABLES = ("broadcast", "chunk", "delivery", "settlement", "variant", "picture", "journal")


def failures(director: Director) -> list[str]:
    """What the commands said that could not use the database."""
    return [
        event.facts["message"]
        for event in director.log.events()
        if event.facts.get("error") in {"StoreError", "MachineError"}
    ]


@pytest.mark.parametrize("scarce", [{"most_bytes": size} for size in (36_000, 50_000, 70_000)] + [{"most_pages": 1}])
def test_a_freeze_without_room_keeps_nothing_of_itself(
    tmp_path: Path, processes: Processes, scarce: dict[str, int]
) -> None:
    plan = replace(PLAN, people=4000, chunk_size=500)
    with directed(plan, SqliteStore(tmp_path / "newsletter.db"), processes, tmp_path) as director:
        scene = replace(director.scene, **scarce)
        assert processes.start(commands.freeze, scene=scene).wait(30) == NOT_KEPT
        (words,) = failures(director)
        assert "this step saved nothing" in words
        with open_database(scene.location) as database, database.read() as connection:
            left = [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES]
        assert left == [(0,)] * len(TABLES)
        director.tell()
        assert director.judge().broken == ()


def test_a_disk_that_fills_at_any_step_of_a_broadcast_costs_nothing_but_time(
    tmp_path: Path, processes: Processes
) -> None:
    """The less room, the earlier a claim or a record fails; in either case it goes on once there is room."""
    ended = []
    for most_bytes in range(36_000, 160_000, 8_111):
        plan = replace(PLAN, seed=most_bytes, rounds=(Round(senders=(Sender(most_bytes=most_bytes),)),))
        with directed(plan, SqliteStore(tmp_path / f"{most_bytes}.db"), processes, tmp_path) as director:
            director.tell()
            story = director.judge()
            assert not story.broken, story.told("tests/faults/test_disk.py")
            assert all("this step saved nothing" in words for words in failures(director))
            ended += failures(director)
            unknown = sum(account.tally.unknown for account in story.accounts)
            assert unknown <= plan.chunk_size
    assert len(ended) > 8


def test_a_folder_that_goes_away_while_mail_leaves_is_missed_by_newcomers_alone(
    tmp_path: Path, processes: Processes
) -> None:
    folder, away = tmp_path / "workspace", tmp_path / "away"
    folder.mkdir()
    with directed(PLAN, SqliteStore(folder / "newsletter.db"), processes, tmp_path) as director:
        statuses = []

        def visit(request: int, is_queued: bool) -> None:
            if (request, is_queued) == (4, False):
                folder.rename(away)
                statuses.append(processes.start(commands.send, scene=director.scene, broadcast=1).wait(30))
            if (request, is_queued) == (9, False):
                away.rename(folder)

        assert processes.start(commands.freeze, scene=director.scene).wait(30) == 0
        director.post.visit = visit
        assert processes.start(commands.send, scene=director.scene, broadcast=1).wait(30) == 0
        assert statuses == [NOT_KEPT]
        assert "create it" in failures(director)[0]
        assert director.judge().broken == ()
