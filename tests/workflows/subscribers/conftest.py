"""Databases for the lists of other people and tools."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.store.conftest import Location, engine, fresh_location  # noqa: F401 - fixtures
from tests.store.empty_file import open_test_database
from tests.workflows.subscribers.here import Here


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Here]:
    """For what depends on how a file is read, not on the engine."""
    with open_test_database(tmp_path / "newsletter.db") as database:
        yield Here(database, tmp_path)


@pytest.fixture
def here(fresh_location: Callable[[], Location], tmp_path: Path) -> Iterator[Here]:  # noqa: F811
    with open_test_database(fresh_location()) as database:
        yield Here(database, tmp_path)


@pytest.fixture
def there(fresh_location: Callable[[], Location], tmp_path: Path) -> Iterator[Here]:  # noqa: F811
    folder = tmp_path / "there"
    folder.mkdir()
    with open_test_database(fresh_location()) as database:
        yield Here(database, folder)
