"""Query the whole list with several threads, each of which reads one part of it.

Reading a list of a million people keeps one processor busy for more than a tenth of a second. SQLite releases Python's
global lock while it works, so the threads really run in parallel.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import pairwise
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

from newsletter.store.database import ListPart
from newsletter.store.sqlite.connection import SqliteConnection

T = TypeVar("T")
Ask = Callable[
    [SqliteConnection, ListPart | None], T
]  # queries a part of the list, or the whole list if the part is None
_FEWEST = 100_000  # people on the list; if there are fewer, threads are not worthwhile
_MOST_PARTS = 4
_LONGEST_WAIT_SECONDS = 5.0


def ask_in_parts(
    mine: SqliteConnection, scan: Callable[[], AbstractContextManager[SqliteConnection]], ask: Ask[T]
) -> list[T]:
    """Call `ask` for each part of the list and return the answers in order. All calls see the same state of the data.

    `mine` is the connection of this thread, and `scan` yields the connection of the thread that calls it. If the list
    is short, a transaction is open, or someone is writing, `ask` is called only once, for the whole list.
    """
    (last,) = mine.execute("SELECT coalesce(max(id), 0) FROM subscriber").fetchone()
    count = min(os.cpu_count() or 1, _MOST_PARTS)
    if last >= _FEWEST and count > 1 and not mine.in_transaction:
        bounds = [last * number // count for number in range(count + 1)]
        answers = _ask_together(mine, scan, ask, [ListPart(*ids) for ids in pairwise(bounds)])
        if answers is not None:
            return answers
    with scan() as connection:
        return [ask(connection, None)]


def _ask_together(
    mine: SqliteConnection,
    scan: Callable[[], AbstractContextManager[SqliteConnection]],
    ask: Ask[T],
    parts: Sequence[ListPart],
) -> list[T] | None:
    """Return the answers, or None if something was written while the threads began to read.

    Each thread has its own snapshot. The version of the data is compared before the first thread begins to read and
    after the last one has begun. If the version is unchanged, all of them see the same state.
    """
    versions = [_version(mine)]
    have_begun = Barrier(len(parts), action=lambda: versions.append(_version(mine)))

    def answer(part: ListPart) -> T | None:
        with scan() as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # this takes the connection's snapshot
            try:
                have_begun.wait(_LONGEST_WAIT_SECONDS)
            except BrokenBarrierError:
                return None
            return ask(connection, part) if versions[0] == versions[1] else None

    with ThreadPoolExecutor(len(parts)) as pool:
        answers = [found for found in pool.map(answer, parts) if found is not None]
    return answers if len(answers) == len(parts) else None


def _version(connection: SqliteConnection) -> int:
    """Return a number that changes when another connection commits (https://sqlite.org/pragma.html#pragma_data_version)."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)
