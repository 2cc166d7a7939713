"""Staged runs: the promise holds there too, and every transition of the ledger is reached somewhere."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.coverage import Coverage
from tests.faults.processes import Processes
from tests.faults.run import directed
from tests.faults.staged import STAGES, run_stage
from tests.faults.stores import PostgresStore, SqliteStore, Store
from tests.postgresql import PostgresServer


@pytest.fixture
def postgresql(postgresql_server: PostgresServer) -> Iterator[PostgresStore]:
    """One database for all stages: each has people of its own."""
    url = postgresql_server.fresh_database()
    with closing(PostgresStore(postgresql_server, url)) as opened:
        yield opened
    postgresql_server.drop_database(url)


def carry_out_all(store: Store, processes: Processes, folder: Path, coverage: Coverage, *, engine: str) -> None:
    is_postgresql = engine == "postgresql"
    with coverage.group(f"{engine}-staged") as stories:
        for seed, (name, stage) in enumerate(STAGES.items(), start=1):
            if stage.needs_postgresql and not is_postgresql:
                continue
            with directed(stage.plan(seed), store, processes, folder) as director:
                run_stage(stage, director)
                story = director.judge()
                assert not story.broken, f"{name}\n{story.told('tests/faults/test_staged.py')}"
                stories.append(story)


def test_on_sqlite(tmp_path: Path, processes: Processes, coverage: Coverage) -> None:
    carry_out_all(SqliteStore(tmp_path / "newsletter.db"), processes, tmp_path, coverage, engine="sqlite")


def test_on_postgresql(tmp_path: Path, postgresql: PostgresStore, processes: Processes, coverage: Coverage) -> None:
    carry_out_all(postgresql, processes, tmp_path, coverage, engine="postgresql")
