"""Opening a database on a server: its schema, and what can be wrong with the server or the way to it."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from rich.pretty import pretty_repr

from newsletter import install_hint
from newsletter.errors import StoreError
from newsletter.store.opening import open_database
from newsletter.store.postgresql.address import read_address
from newsletter.store.postgresql.migrations import newest_version
from newsletter.store.subscribers import known_fields
from tests.postgresql import PostgresServer


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def test_tables_stand_in_a_schema_of_their_own_beside_those_of_others(url: str) -> None:
    run(url, "CREATE TABLE subscriber (id INTEGER)")

    with open_database(url) as database:
        assert "email" in known_fields(database)

    assert rows(url, "SELECT count(*) FROM public.subscriber") == [(0,)]
    assert rows(url, "SELECT count(*) > 10 FROM pg_tables WHERE schemaname = 'newsletter'") == [(True,)]
    assert rows(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


def test_every_column_of_text_is_compared_byte_by_byte(url: str) -> None:
    open_database(url).close()

    assert not rows(
        url,
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'newsletter' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
    )


def test_schema_that_was_made_for_us_is_used(url: str) -> None:
    run(url, "CREATE SCHEMA newsletter")

    open_database(url).close()

    assert rows(url, "SELECT version FROM newsletter.schema_version") == [(newest_version(),)]


def test_schema_of_another_program_is_refused_and_kept(url: str) -> None:
    run(url, "CREATE SCHEMA newsletter; CREATE TABLE newsletter.subscriber (id INTEGER)")

    with pytest.raises(StoreError, match="its schema newsletter belongs to another program; name another database"):
        open_database(url)

    assert rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'newsletter'") == [("subscriber",)]


def test_newer_schema_is_refused(url: str) -> None:
    open_database(url).close()
    run(url, "UPDATE newsletter.schema_version SET version = 999")

    with pytest.raises(StoreError, match="written by a newer version of newsletter; update newsletter"):
        open_database(url)


def test_migration_that_fails_leaves_nothing_behind(url: str) -> None:
    run(url, "CREATE SCHEMA newsletter; CREATE FUNCTION newsletter.json_patch(TEXT, TEXT) RETURNS TEXT RETURN ''")

    with pytest.raises(psycopg.errors.DuplicateFunction):
        open_database(url)

    assert rows(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'newsletter'") == [(0,)]


def test_database_of_another_encoding_is_refused(postgresql_server: PostgresServer) -> None:
    url = postgresql_server.fresh_database(encoding="LATIN1")

    with pytest.raises(StoreError, match=r"its encoding is LATIN1, .* --encoding=UTF8"):
        open_database(url)


def test_missing_database_is_reported(postgresql_server: PostgresServer) -> None:
    with pytest.raises(StoreError, match=r"^postgresql:///none: there is no such database; create it with createdb"):
        open_database(postgresql_server.url("none"))


def test_missing_user_is_reported(postgresql_server: PostgresServer) -> None:
    with pytest.raises(StoreError, match="there is no such user; correct the user"):
        open_database(postgresql_server.url("postgres", user="nobody_here"))


def test_missing_server_is_reported(postgresql_server: PostgresServer) -> None:
    with pytest.raises(StoreError, match="no server answers; start PostgreSQL"):
        open_database("postgresql://127.0.0.1:1/newsletter")
    with pytest.raises(StoreError, match="no server answers; start PostgreSQL"):
        open_database("postgresql:///newsletter?host=/nowhere")


@pytest.fixture
def guest(postgresql_server: PostgresServer, url: str) -> Iterator[str]:
    """The same database for a user who needs a password."""
    postgresql_server.execute("CREATE ROLE guest LOGIN PASSWORD 'rightly-guessed'")
    postgresql_server.allow_only("local all guest scram-sha-256", "local all outcast reject")
    yield url.replace("user=newsletter", "user=guest")
    postgresql_server.allow_only()
    postgresql_server.drop_database(url)
    postgresql_server.execute("DROP ROLE guest")


@pytest.mark.parametrize("password", [None, "hunter2-secret"])
def test_wrong_or_missing_password_is_reported_and_not_shown(
    guest: str, monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    if password:
        monkeypatch.setenv("PGPASSWORD", password)

    with pytest.raises(StoreError, match=r"does not accept the password, .*; set .* PGPASSWORD") as error:
        open_database(guest)

    assert "hunter2" not in repr(error.value) + repr(error.value.__cause__)


def test_password_comes_from_the_environment(
    guest: str, monkeypatch: pytest.MonkeyPatch, postgresql_server: PostgresServer
) -> None:
    monkeypatch.setenv("PGPASSWORD", "rightly-guessed")

    with pytest.raises(StoreError, match=r"not have permission to use it; .* GRANT you CREATE on the database"):
        open_database(guest)

    name = psycopg.conninfo.conninfo_to_dict(guest)["dbname"]
    postgresql_server.execute(f"GRANT CREATE ON DATABASE {name} TO guest")
    with open_database(guest) as database:
        assert "email" in known_fields(database)


def test_user_whom_the_server_does_not_let_in_is_told(guest: str) -> None:
    with pytest.raises(StoreError, match="does not allow connections from this computer; ask its administrator"):
        open_database(guest.replace("user=guest", "user=outcast"))


def test_database_that_can_only_be_read_is_reported(postgresql_server: PostgresServer, url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    postgresql_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    with pytest.raises(StoreError, match="it is read-only; name the primary server"):
        open_database(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:hunter2@secret@127.0.0.1/newsletter",
        "postgresql://ana:hunter2/secret@127.0.0.1/newsletter",
        "postgresql://ana:hunter2?secret@127.0.0.1/newsletter",
        "postgresql://ana:hunter2%zz@127.0.0.1/newsletter",
        "postgresql://ana@127.0.0.1/newsletter?password=hunter2&secret",
        "postgresql://ana:hunter2@127.0.0.1:1/newsletter",
        "postgresql://127.0.0.1:1/newsletter?password=hunter2",
    ],
)
def test_no_part_of_a_password_is_shown(url: str) -> None:
    with pytest.raises(StoreError) as error:
        open_database(url)

    shown = repr(error.value) + repr(error.value.__cause__)
    assert "hunter2" not in shown
    assert "secret" not in shown


def test_address_shows_where_the_database_is_and_no_more() -> None:
    address = read_address("postgresql://ana:hunter2@db.example.org:5433/letters?sslmode=require")

    assert address.shown == "postgresql://db.example.org:5433/letters"
    assert "hunter2" not in repr(address) + pretty_repr(address)


WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from newsletter.errors import StoreError
from newsletter.store.opening import open_database
try:
    open_database("postgresql:///newsletter")
except StoreError as err:
    print(err)
"""


def test_missing_driver_is_reported_with_the_extra_that_brings_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True)

    assert install_hint("postgres") in done.stdout


OPEN = "import sys, newsletter.store.opening as d; d.open_database(sys.argv[1]).close()"


def test_processes_that_open_a_new_database_at_once_all_succeed(url: str) -> None:
    command = [sys.executable, "-c", OPEN, url]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1].decode() for process in started]

    assert [process.returncode for process in started] == [0] * 4, errors
