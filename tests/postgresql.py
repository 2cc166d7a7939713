"""A real PostgreSQL server for the tests: made in a temporary folder, reached by a socket there, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import psycopg
import pytest

OWNER = "newsletter"
_SYSTEM_USER = "postgres"  # PostgreSQL refuses to run as root
# What is lost when the machine loses power does not matter to a test; all else is as people run it.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "deadlock_timeout": "100ms",  # after this the server's own clearing up makes way: sooner than a test stops waiting
    "shared_buffers": "64MB",
    "timezone": "America/Sao_Paulo",  # nothing of ours may depend on it
    "lc_messages": "C",
}

_EMPTY = """
DO $$
DECLARE
    each TEXT;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;  -- references are not looked at
    FOR each IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'newsletter' LOOP
        IF each <> 'newsletter.schema_version' THEN
            EXECUTE 'DELETE FROM ' || each;
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename), 1, FALSE)
    FROM pg_sequences
    WHERE schemaname = 'newsletter';
END $$
"""


class PostgresServer:
    """A running server of its own; a context manager that ends it."""

    def __init__(self, *, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self._settings = {**_SETTINGS, **settings}
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-", dir="/tmp"))  # a socket's path must be short
        self._names = (f"t{number}" for number in count(1))
        self._idle: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        try:
            options = ("--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--no-sync", *self._locale())
            self._run("initdb", f"--pgdata={self._data}", *options)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def fresh_database(self, *, encoding: str = "UTF8") -> str:
        """The URL of a new, empty database."""
        name = next(self._names)
        in_another = f" TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
        self.execute(f"CREATE DATABASE {name}{'' if encoding == 'UTF8' else in_another}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database of `fresh_database`, even if it still has connections."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def lend_database(self) -> str:
        """The URL of a database without data, with or without our tables; a new one takes far longer to make."""
        return self._idle.pop() if self._idle else self.fresh_database()

    def take_back(self, url: str) -> None:
        """Empties a database of `lend_database` for the next borrower."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_EMPTY)
        self._idle.append(url)

    def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Runs a statement as the owner of everything."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql.encode())

    def url(self, database: str, *, user: str = OWNER) -> str:
        """How the database of this name is reached."""
        return f"postgresql:///{database}?host={self._folder}&user={user}"

    def allow_only(self, *rules: str) -> None:
        """Let in the users that these lines of pg_hba.conf allow, by default everyone."""
        (self._data / "pg_hba.conf").write_text("\n".join([*rules, "local all all trust", ""]), encoding="utf-8")
        self.execute("SELECT pg_reload_conf()")

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        settings = [
            f"--{name}={value}" for name, value in {**self._settings, "unix_socket_directories": self._folder}.items()
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *settings],
                user=self._user,
                extra_groups=None if self._user is None else [],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server and every connection; with SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _user(self) -> str | None:
        return _SYSTEM_USER if os.geteuid() == 0 else None

    def _locale(self) -> tuple[str, ...]:
        """English, whose order is not that of bytes: results must not depend on it. Its rules come with ICU."""
        has_icu = "--icu-locale" in self._run("initdb", "--help")
        return ("--locale=C.UTF-8", *(("--locale-provider=icu", "--icu-locale=en") if has_icu else ()))

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def find_programs() -> Path:
    """The folder of PostgreSQL's programs; skips the test where there is none, and fails it where CI is true."""
    on_path = shutil.which("initdb")
    # Debian keeps each version's programs apart and out of the path.
    folders = [*([Path(on_path).parent] if on_path else []), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    if folders and (os.geteuid() != 0 or _has_system_user()):
        return folders[-1]
    reason = "PostgreSQL is not installed: apt-get install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _has_system_user() -> bool:
    return _SYSTEM_USER in {entry.pw_name for entry in pwd.getpwall()}
