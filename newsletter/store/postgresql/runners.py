"""Tells a running process from one that has died, so that a chunk which it left inflight is found.

Each process that hands over mail holds an advisory lock on a connection of its own. However the process or its machine
ends, the server ends the lock with the connection.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from newsletter.store.database import Connection, Runner
from newsletter.store.postgresql.connection import PostgresConnection

_BITS = 63  # a lock's key is a signed number of 64
_ID = re.compile(r"[0-7][0-9a-f]{15}")


@contextmanager
def hold_runner(connect: Callable[[], PostgresConnection]) -> Iterator[Runner]:
    """A new runner that is alive until the block, the process or its connection ends."""
    key = secrets.randbits(_BITS)
    with connect() as connection:
        connection.execute("SELECT pg_advisory_lock(:key)", {"key": key})
        try:
            yield Runner(id=f"{key:016x}")
        finally:
            # At once: the server notices the end of a connection a moment later. A lost one has lost its lock too.
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(:key)", {"key": key})


def is_alive(connection: Connection, runner_id: str) -> bool:
    """Whether the runner still holds its lock; to be asked within a transaction."""
    if not _ID.fullmatch(runner_id):
        return False  # claimed on another engine, or by nobody
    # Shared, so that two who ask at once do not take each other for the runner; it ends with the transaction.
    query = "SELECT pg_try_advisory_xact_lock_shared(:key)"
    ((is_free,),) = connection.execute(query, {"key": int(runner_id, 16)}).fetchall()
    return not is_free
