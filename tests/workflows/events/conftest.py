"""A workspace, a database on each engine in turn, and an IMAP server."""

from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from tests.mailbox.conftest import _imap_server, imap_server  # noqa: F401
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401
from tests.workspaces import write_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))
