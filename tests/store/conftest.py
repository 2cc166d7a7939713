"""A database of its own for each test, on each engine in turn."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from newsletter.store.database import Database
from newsletter.store.opening import open_database
from tests.postgresql import PostgresServer
from tests.store.empty_file import write_empty_file

ENGINES = ("sqlite", "postgresql")
Location = Path | str


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the test runs on; ask for it alone where a test opens its databases by itself."""
    name: str = request.param
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test saves a backup."""
    return tmp_path / "backup.db"


@pytest.fixture
def fresh_location(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Location]]:
    """Gives a place of a database without data: a file, or a database of the server."""
    if engine == "sqlite":
        yield (write_empty_file(tmp_path / f"newsletter{number}.db") for number in count()).__next__
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    lent: list[str] = []

    def fresh() -> str:
        lent.append(server.lend_database())
        return lent[-1]

    yield fresh
    for url in lent:
        server.take_back(url)


@pytest.fixture
def location(fresh_location: Callable[[], Location]) -> Location:
    """Where the `database` of the test is."""
    return fresh_location()


@pytest.fixture
def database(location: Location) -> Iterator[Database]:
    with open_database(location, wait_seconds=1) as opened:
        yield opened
