"""The databases of the runs, and what can happen to them."""

import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from newsletter.store.database import Database
from newsletter.store.opening import open_database
from tests.faults.desk import session_name
from tests.postgresql import PostgresServer
from tests.store.empty_file import open_test_database


class Store(Protocol):
    """Where a run keeps its ledger."""

    @property
    def location(self) -> Path | str:
        """As `open_database` takes it."""

    def opened(self) -> AbstractContextManager[Database]:
        """The database, for the length of a block."""

    def cut_off(self, pid: int) -> None:
        """Ends the connections of a process, where there are any."""

    def restart(self) -> None:
        """Ends the database as a crash would, and starts it again."""


class SqliteStore:
    """A file: no server that could end."""

    def __init__(self, path: Path) -> None:
        self.location: Path | str = path

    def opened(self) -> AbstractContextManager[Database]:
        """Open the database again each time, so that a killed process is sometimes the last one that had it open."""
        return open_test_database(self.location)

    def cut_off(self, pid: int) -> None:
        """There are no connections."""

    def restart(self) -> None:
        """There is no server."""


class PostgresStore:
    """A database of a real server."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.location: Path | str = url
        self._server = server
        self._database: Database | None = None

    def opened(self) -> AbstractContextManager[Database]:
        """Opened once: to connect is most of the work."""
        if self._database is None:
            self._database = open_database(self.location)
        return nullcontext(self._database)

    def close(self) -> None:
        """Closes what was opened."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def cut_off(self, pid: int) -> None:
        """Ends all connections of the client process with this id, which its connections are named after."""
        self._server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{session_name(pid)}'"
        )

    def restart(self) -> None:
        """Ends the server as a power cut would, and starts it again."""
        self.close()
        self._server.stop(signal.SIGQUIT)
        self._server.start()
