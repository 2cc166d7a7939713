"""Shared transactions run beside each other; a transaction beside none."""

import subprocess
import sys
import threading

import pytest

from newsletter.errors import StoreError
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.status import tally_of
from newsletter.store.opening import open_database
from newsletter.store.postgresql.engine import PostgresDatabase
from tests.store.builders import NOW, add_people, claim, freeze, record

LOCK_FIRST = "SELECT number FROM chunk WHERE state = 'ready' ORDER BY number LIMIT 1 /*+ FOR UPDATE SKIP LOCKED */"


def test_chunk_is_claimed_while_another_is_being_claimed(url: str, database: PostgresDatabase) -> None:
    add_people(database, 30)
    broadcast = freeze(database, chunk_size=10)

    with open_database(url, wait_seconds=0) as other, database.shared_transaction() as connection:
        assert connection.execute(LOCK_FIRST).fetchone() == (1,)

        assert claim(other, broadcast).number == 2
        assert claim(other, broadcast).number == 3
        assert claim_chunk(other, broadcast.id, "", (), now=NOW) is None
    assert claim(database, broadcast).number == 1


def test_outcome_is_recorded_while_a_chunk_is_being_claimed(url: str, database: PostgresDatabase) -> None:
    add_people(database, 20)
    broadcast = freeze(database, chunk_size=10)
    first = claim(database, broadcast)

    with open_database(url, wait_seconds=0) as other, database.shared_transaction() as connection:
        assert connection.execute(LOCK_FIRST).fetchone() == (2,)

        record(other, first)
        assert tally_of(other, broadcast.id).accepted == 10


def test_transaction_waits_for_shared_ones_and_they_for_it(url: str, database: PostgresDatabase) -> None:
    refused = pytest.raises(StoreError, match="another program is writing to it; wait")
    with open_database(url, wait_seconds=0) as other:
        with database.shared_transaction(), refused, other.transaction():
            pytest.fail("it began")
        with database.transaction(), refused, other.shared_transaction():
            pytest.fail("it began")


def test_threads_claim_every_chunk_once(database: PostgresDatabase) -> None:
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=2)
    claimed: list[int] = []

    def work() -> None:
        while chunk := claim_chunk(database, broadcast.id, "", (), now=NOW):
            claimed.append(chunk.number)
            record(database, chunk)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == list(range(1, 31))
    assert tally_of(database, broadcast.id).accepted == 60


CLAIM_ALL = """
import sys
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.opening import open_database
from tests.store.builders import NOW, record

with open_database(sys.argv[1]) as database:
    while chunk := claim_chunk(database, int(sys.argv[2]), "", (), now=NOW):
        print(*[delivery.email for delivery in chunk.deliveries])
        record(database, chunk)
"""


def test_processes_claim_everybody_once(url: str, database: PostgresDatabase) -> None:
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=2)

    command = [sys.executable, "-c", CLAIM_ALL, url, str(broadcast.id)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    emails = [email for process in processes for email in process.communicate()[0].split()]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(emails) == len(set(emails)) == 60
