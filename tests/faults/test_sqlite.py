"""The promise of delivery on SQLite, in runs that are drawn from their seeds."""

from pathlib import Path

import pytest

from tests.faults.coverage import Coverage
from tests.faults.plan import draw_plan
from tests.faults.processes import Processes
from tests.faults.run import carry_out
from tests.faults.runs import BATCHES, named
from tests.faults.stores import SqliteStore


@pytest.mark.parametrize("seeds", BATCHES, ids=named)
def test_nobody_twice_and_nobody_lost(seeds: range, tmp_path: Path, processes: Processes, coverage: Coverage) -> None:
    with coverage.group(f"sqlite-{named(seeds)}") as stories:
        for seed in seeds:
            story = carry_out(draw_plan(seed), SqliteStore(tmp_path / f"{seed}.db"), processes, tmp_path)
            assert not story.broken, story.told("tests/faults/test_sqlite.py")
            stories.append(story)
