"""Each thread has a connection of its own, for as long as it lives."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.store.connections import ThreadConnections


def _connect() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def _of_another_thread(connections: ThreadConnections[sqlite3.Connection]) -> sqlite3.Connection:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(connections.mine).result()


def test_a_thread_keeps_its_connection() -> None:
    connections = ThreadConnections(_connect)

    mine = connections.mine()

    assert connections.mine() is mine
    assert _of_another_thread(connections) is not mine
    connections.close()


def test_connections_of_threads_that_ended_are_closed_when_another_connects() -> None:
    connections = ThreadConnections(_connect)
    mine, first = connections.mine(), _of_another_thread(connections)

    second = _of_another_thread(connections)

    assert [_is_open(each) for each in (mine, first, second)] == [True, False, True]
    connections.close()


def test_closing_closes_all_and_whoever_asks_again_is_connected_anew() -> None:
    connections = ThreadConnections(_connect)
    before = (connections.mine(), _of_another_thread(connections))

    connections.close()

    assert not any(_is_open(each) for each in before)
    assert _is_open(connections.mine())
    connections.close()


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_lost_connection_is_replaced(is_lost: bool) -> None:
    connections = ThreadConnections(_connect, is_lost=lambda _: is_lost)
    mine = connections.mine()

    assert (connections.mine() is not mine) is is_lost
    mine.close()
    connections.close()
