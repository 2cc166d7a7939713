"""What PostgreSQL alone does, in a database of its own for each test."""

from collections.abc import Iterator

import pytest

from newsletter.store.opening import open_database
from newsletter.store.postgresql.engine import PostgresDatabase
from tests.postgresql import PostgresServer


@pytest.fixture
def url(postgresql_server: PostgresServer) -> Iterator[str]:
    """An empty database."""
    url = postgresql_server.fresh_database()
    yield url
    postgresql_server.drop_database(url)


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    with open_database(url, wait_seconds=5) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened
