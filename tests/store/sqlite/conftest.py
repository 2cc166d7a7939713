"""What SQLite alone does, on a file of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.opening import open_database
from newsletter.store.sqlite.engine import SqliteDatabase


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    with open_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        assert isinstance(opened, SqliteDatabase)
        yield opened
