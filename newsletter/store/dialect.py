"""What is SQLite's alone in the SQL: besides it, the connections and locks of this package are SQLite's too.

The queries in `sql/` are otherwise SQL that PostgreSQL takes too, given functions `json_patch` and `json_each` over
text, and `ON COMMIT DROP` for the two temporary tables.
"""

import sqlite3
from datetime import UTC, datetime
from functools import lru_cache

DRIVER = "sqlite3"  # the aiosql adapter
APPLICATION_ID = 0x4E4C5452  # "NLTR", in the header of each of our files
OLDEST_SQLITE = (3, 38)  # the first with `->>` and UPDATE … FROM on STRICT tables

# FULL makes a commit survive a power cut: a chunk that left must never be found ready again.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA temp.cache_size = -16384",
)


def prepare_connection(connection: sqlite3.Connection, *, wait_seconds: float) -> None:
    """Sets up a new connection: how long it waits for locks, that commits are durable, that references hold."""
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def looks_numeric(expression: str) -> str:
    """SQL that is true where a text expression is written as a plain number."""
    # CASE keeps json_type from text that is not JSON, on which it fails.
    return f"CASE WHEN json_valid({expression}) THEN json_type({expression}) IN ('integer', 'real') ELSE FALSE END"


@lru_cache(maxsize=4096)
def text_of(moment: datetime) -> str:
    """A moment as the database keeps it: UTC, to the second, in an order that text comparison respects."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@lru_cache(maxsize=4096)
def moment_of(text: str) -> datetime:
    """The moment that `text_of` wrote."""
    return datetime.fromisoformat(text)
