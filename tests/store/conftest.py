"""A database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.database import Database
from newsletter.store.opening import open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        yield opened
