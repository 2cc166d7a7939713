"""A runner whose machine has vanished is dead as soon as the server has noticed."""

from newsletter.store.opening import open_database
from newsletter.store.postgresql.database import PostgresDatabase
from tests.store.postgresql.test_database import cut_connections


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
