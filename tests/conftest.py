"""Guards that every test runs under: nothing leaves loopback, nothing is written to the home folder."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.postgresql import PostgresServer

LOOPBACK = ("127.", "::1", "localhost")

settings.register_profile("without a clock", deadline=None)  # a slow machine finds no fault in an example
settings.load_profile("without a clock")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the tests' own, one for each process that runs tests."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(autouse=True)
def stay_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that opens a socket to anywhere else."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            pytest.fail(f"the test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def keep_home_clean(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives each test a home folder of its own, and fails one that writes to it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    yield home
    left = [path.name for path in home.iterdir()]
    assert not left, f"the test wrote to the home folder: {left}"
