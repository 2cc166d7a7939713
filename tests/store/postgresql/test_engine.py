"""Transactions on a server: durable, alone or side by side, and told when the connection is lost."""

import contextlib
import threading
from collections.abc import Callable

import psycopg
import pytest

from newsletter.errors import StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.store.database import Connection
from newsletter.store.opening import open_database
from newsletter.store.postgresql.engine import PostgresDatabase
from newsletter.store.subscribers import known_fields
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.postgresql import PostgresServer
from tests.store.builders import NOW, add, add_people, id_of, row

ADD_NAME = "INSERT INTO attribute (name) VALUES (:name)"


def cut_connections(url: str) -> None:
    """End all connections, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def write(database: PostgresDatabase, *statements: str, then: Callable[[], None] = lambda: None) -> None:
    """Adds an attribute's name, and runs what else is given, in one transaction."""
    with database.transaction() as connection:
        connection.execute(ADD_NAME, {"name": "country"})
        then()
        for statement in statements:
            connection.execute(statement)


def setting(database: PostgresDatabase, name: str) -> object:
    with database.read() as connection:
        return connection.execute(f"SHOW {name}").fetchone()[0]


@pytest.mark.parametrize(("default", "used"), [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")])
def test_commits_are_durable_whatever_the_servers_default(
    postgresql_server: PostgresServer, url: str, default: str, used: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    postgresql_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {default}")

    with open_database(url) as database:
        assert isinstance(database, PostgresDatabase)
        assert setting(database, "synchronous_commit") == used


def test_sessions_say_whose_they_are(database: PostgresDatabase) -> None:
    assert setting(database, "application_name") == "newsletter"


def test_connection_lost_while_idle_is_replaced(url: str, database: PostgresDatabase) -> None:
    assert "email" in known_fields(database)
    cut_connections(url)
    assert "email" in known_fields(database)
    cut_connections(url)

    assert add_suppression(database, "ana@example.org", SuppressionReason.MANUAL, now=NOW)


def test_waiting_in_vain_on_a_replaced_connection_leaves_it_usable(url: str, database: PostgresDatabase) -> None:
    with open_database(url, wait_seconds=0) as other:
        assert "email" in known_fields(other)
        cut_connections(url)
        refused = pytest.raises(StoreError, match="another program is writing to it")
        with database.transaction(), refused, other.transaction():
            pytest.fail("it began")

        assert add_suppression(other, "ana@example.org", SuppressionReason.MANUAL, now=NOW)


def test_server_that_went_away_is_reported_and_found_again(postgresql_server: PostgresServer) -> None:
    url = postgresql_server.fresh_database()
    with open_database(url) as database:
        assert "email" in known_fields(database)
        postgresql_server.stop()
        try:
            with pytest.raises(StoreError, match="no server answers; start PostgreSQL"):
                known_fields(database)
        finally:
            postgresql_server.start()

        assert "email" in known_fields(database)


def test_connection_lost_within_a_transaction_is_reported_and_nothing_is_kept(
    url: str, database: PostgresDatabase
) -> None:
    with pytest.raises(StoreError, match=r"connection was lost; .* this step saved nothing"):
        write(database, "SELECT 1", then=lambda: cut_connections(url))

    assert "country" not in known_fields(database)


def test_connection_lost_while_committing_leaves_it_open_what_was_kept(url: str, database: PostgresDatabase) -> None:
    with pytest.raises(StoreError, match=r"may not have been saved; check with `newsletter status`"):
        write(database, then=lambda: cut_connections(url))

    assert "country" not in known_fields(database)


def write_twice(database: PostgresDatabase) -> None:
    with database.transaction() as connection:
        connection.execute(ADD_NAME, {"name": "country"})
        with contextlib.suppress(psycopg.errors.UniqueViolation):
            connection.execute(ADD_NAME, {"name": "country"})


def test_transaction_in_which_a_statement_failed_is_never_taken_as_kept(database: PostgresDatabase) -> None:
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        write_twice(database)

    assert "country" not in known_fields(database)


def test_transaction_within_another_is_refused(database: PostgresDatabase) -> None:
    with database.transaction(), pytest.raises(RuntimeError, match="already open"), database.shared_transaction():
        pytest.fail("it began")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("53100", "the server's disk is full; free some space and try again; this step saved nothing"),
        ("53200", "the server is out of memory"),
        ("40P01", "another program was changing the same data; try again"),
        ("57014", "the server's administrator canceled this step"),
        ("58030", "the server's disk cannot be read or written"),
        ("XX001", "it is damaged; move it elsewhere, and restore a backup"),
    ],
)
def test_failure_of_the_server_says_what_to_do(database: PostgresDatabase, code: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        write(database, f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")

    assert "country" not in known_fields(database)


def test_fault_of_ours_stays_what_it_is(database: PostgresDatabase) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), database.read() as connection:
        connection.execute("SELECT * FROM no_such_table")


def test_text_that_postgresql_cannot_keep_is_reported(database: PostgresDatabase) -> None:
    with pytest.raises(StoreError, match="a value contains a character that PostgreSQL cannot store"):
        add(database, row("ana@example.org", first_name="A\0na"))


def test_ids_are_not_used_up_by_people_who_are_known(database: PostgresDatabase) -> None:
    add_people(database, 20)
    for _ in range(3):
        add_people(database, 20, tags=("again",))

    add(database, row("new@example.org"))

    assert id_of(database, "new@example.org") == 21


def test_thread_gets_a_connection_of_its_own(database: PostgresDatabase) -> None:
    seen: list[Connection] = []

    def work() -> None:
        with database.read() as connection:
            seen.append(connection)

    with database.read() as mine:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

        assert seen[0] is not mine


def test_closed_database_can_be_used_again(database: PostgresDatabase) -> None:
    assert find_suppression(database, "ana@example.org") is None
    database.close()

    assert find_suppression(database, "ana@example.org") is None


def test_nothing_is_said_to_be_gone_from_the_servers_files(database: PostgresDatabase) -> None:
    assert not database.scrub()


def test_runner_whose_connection_is_lost_is_dead(url: str, database: PostgresDatabase) -> None:
    with database.runner() as runner, open_database(url) as elsewhere:
        assert elsewhere.alive(runner.id)
        cut_connections(url)

        assert not elsewhere.alive(runner.id)


def test_asking_in_a_transaction_makes_nobody_alive(url: str, database: PostgresDatabase) -> None:
    with database.runner() as runner:
        pass

    with open_database(url) as elsewhere, database.shared_transaction(), elsewhere.shared_transaction():
        assert not database.alive(runner.id)
        assert not elsewhere.alive(runner.id)
