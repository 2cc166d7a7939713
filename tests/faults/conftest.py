"""The fork server of the runs."""

from collections.abc import Iterator

import pytest

from tests.faults.processes import Processes
from tests.faults.run import rehearse
from tests.faults.stores import SqliteStore


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Processes to do things to; one server for each process that runs tests."""
    folder = tmp_path_factory.mktemp("rehearsal")
    with Processes() as running:
        rehearse(SqliteStore(folder / "newsletter.db"), running, folder)
        yield running
