"""A workspace, and a database on each engine in turn."""

from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401
from tests.workspaces import write_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))
