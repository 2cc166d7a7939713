"""The fork server of the runs, and what they reach together."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.coverage import Coverage
from tests.faults.processes import Processes
from tests.faults.run import rehearse
from tests.faults.runs import BATCHES, DEFAULT_RUNS, RUNS, named
from tests.faults.stores import SqliteStore

_ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Processes to do things to; one server for each process that runs tests."""
    folder = tmp_path_factory.mktemp("rehearsal")
    with Processes() as running:
        rehearse(SqliteStore(folder / "newsletter.db"), running, folder)
        yield running


@pytest.fixture(scope="session")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    """What all runs reach; with fewer runs than the default, it is not judged."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    groups = [f"{engine}-{named(batch)}" for engine in _ENGINES for batch in BATCHES]
    staged = [f"{engine}-staged" for engine in _ENGINES]
    never = ["never"] if RUNS < DEFAULT_RUNS else []
    return Coverage(shared / "reached", [*groups, *staged, *never])
