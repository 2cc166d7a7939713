"""Changes of many requests in one transaction: each is saved or fails alone, and no result comes before the disk."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from newsletter.errors import StoreError
from newsletter.store import group_writer
from newsletter.store.database import Connection, Database
from newsletter.store.group_writer import GroupWriter
from newsletter.store.service import keep_remark
from tests.store.builders import NOW


def remarks(database: Database) -> list[int]:
    with database.read() as connection:
        rows = connection.execute("SELECT subscriber FROM leaving_remark ORDER BY subscriber").fetchall()
    return [number for (number,) in rows if isinstance(number, int)]


def note(connection: Connection, number: int) -> int:
    keep_remark(connection, number, reason="other", remark="", now=NOW)
    return number


def noting(number: int) -> Callable[[Connection], int]:
    return lambda connection: note(connection, number)


def failing_at_three(number: int) -> Callable[[Connection], int]:
    """Every third change fails after it has changed something."""
    return lambda connection: (fail_after if number % 3 == 0 else note)(connection, number)


def fail_after(connection: Connection, number: int) -> int:
    note(connection, number)
    raise LookupError(str(number))


class Counted:
    """A database that counts its transactions, and may refuse to save."""

    def __init__(self, database: Database, *, refuses: bool = False) -> None:
        self.database = database
        self.saved = 0
        self.began = threading.Event()
        self.may_begin = threading.Event()
        self.refuses = refuses

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.began.set()
        assert self.may_begin.wait(20)
        with self.database.transaction() as connection:
            yield connection
            if self.refuses:
                raise StoreError("the disk is full")
        self.saved += 1


def test_a_change_that_fails_takes_nothing_else_with_it(database: Database) -> None:
    with GroupWriter(database) as writer:
        results = [writer.submit(failing_at_three(n)) for n in range(1, 10)]
        answers = [result.exception() or result.result() for result in results]

    assert [str(answer) for answer in answers] == [str(number) for number in range(1, 10)]
    assert [isinstance(answer, LookupError) for answer in answers] == [number % 3 == 0 for number in range(1, 10)]
    assert remarks(database) == [1, 2, 4, 5, 7, 8]


def test_changes_that_wait_are_saved_together(database: Database) -> None:
    counted = Counted(database)
    with GroupWriter(counted) as writer:  # type: ignore[arg-type]
        first = writer.submit(noting(1))
        assert counted.began.wait(20)
        others = [writer.submit(noting(n)) for n in range(2, 100)]
        assert not first.done()
        counted.may_begin.set()
        assert [first.result(20), *(each.result(20) for each in others)] == list(range(1, 100))

    assert counted.saved == 2
    assert remarks(database) == list(range(1, 100))


def test_every_caller_hears_that_nothing_was_saved(database: Database) -> None:
    counted = Counted(database, refuses=True)
    counted.may_begin.set()
    with GroupWriter(counted) as writer:  # type: ignore[arg-type]
        results = [writer.submit(noting(n)) for n in range(1, 4)]
        for result in results:
            with pytest.raises(StoreError, match="the disk is full"):
                result.result(20)

    assert remarks(database) == []


def test_closing_saves_what_waits_first(database: Database) -> None:
    writer = GroupWriter(database)
    results = [writer.submit(noting(n)) for n in range(1, 50)]
    writer.close()

    assert all(result.done() for result in results)
    assert remarks(database) == list(range(1, 50))


def test_more_than_can_wait_is_refused_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_writer, "_MOST_WAITING", 2)
    counted = Counted(database)
    with GroupWriter(counted) as writer:  # type: ignore[arg-type]
        writer.submit(noting(1))
        assert counted.began.wait(20)
        writer.submit(noting(2))
        writer.submit(noting(3))
        with pytest.raises(StoreError, match="too many changes"):
            writer.submit(noting(4))
        counted.may_begin.set()

    assert remarks(database) == [1, 2, 3]
