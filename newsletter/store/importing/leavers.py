"""Act on the rows of a list that say that someone left: reject their other rows, and suppress them.

A person counts, not a row. Someone who left according to one row of the list does not come in by another, unless that
row has a newer consent. If they are on the list already, they are suppressed. So is someone in doubt, until a person
answers whether they left.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from newsletter.store.database import Connection
from newsletter.store.forgotten import forgotten_test, is_anybody_forgotten
from newsletter.store.importing.intake import Intake
from newsletter.store.queries import change, query_all, query_value
from newsletter.store.suppressions import add_reported, reported_table


class Stranger(NamedTuple):
    """A row about leaving whose person is not on the list."""

    line: int
    person: str


class LeftCounts(NamedTuple):
    """The numbers of rows about leaving, by the present state of their people."""

    blocked: int
    strangers: int
    unclear: int
    in_doubt: int


class LeftRows(Struct, frozen=True, kw_only=True):
    """The rows about leaving: how many of them are of people who are suppressed now, and how many of others."""

    blocked: int
    rejected: int
    strangers: int  # how many of the rejected rows say clearly that their person left
    unclear: int  # how many of the rejected rows do not make clear whether their person left
    in_doubt: int  # how many people are suppressed until someone answers whether they left


_INDEX_LEAVER = change("import_shared", "index_leaver")
_COUNT_LEAVERS = query_value("import_shared", "count_leavers", int)
_LEAVING_STRANGERS = query_all("import_shared", "leaving_strangers", Stranger)
_FORGET_LEAVER = change("import_shared", "forget_leaver")
_REPORT_LEAVERS = change("import_shared", "report_leavers")
_COUNT_LEFT = query_value("import_shared", "count_left", LeftCounts)
_REMARK_ON_LEAVERS = change("import_shared", "remark_on_leavers")
_DROP_LEAVER = change("import_shared", "drop_leaver")
_REPORT_TOPIC_LEAVERS = change("import_shared", "report_topic_leavers")
_DROP_TOPIC_LEAVER = change("import_shared", "drop_topic_leaver")
_PAGE = 10_000
_NO_ONE = LeftRows(blocked=0, rejected=0, strangers=0, unclear=0, in_doubt=0)


def act_on_leavers(
    connection: Connection, intake: Intake, *, key: bytes | None, fills: bool, reject_left: Callable[[], object]
) -> LeftRows:
    """Reject all other rows of people who left, and suppress these people. Return the counts of the rows about leaving.

    People who are neither on the list nor suppressed are suppressed only if the terms say so. `reject_left` adds a
    remark to each of the other rows. `fills` says whether the list was empty: then its people are already stored, but
    no one was on it when they left. With the `key`, the address of someone who was erased is not saved again. Raise
    InputError if anyone was erased and the key is missing or different.
    """
    count = _COUNT_LEAVERS(connection)
    if not count:
        return _NO_ONE
    _INDEX_LEAVER(connection)
    reject_left()
    terms = intake.terms
    if is_anybody_forgotten(connection):
        _pass_over_forgotten(connection, key)
    with reported_table(connection):
        _REPORT_LEAVERS(connection, everyone=int(terms.suppresses_leavers), fills=int(fills))
        intake.record.keep_reported()
        add_reported(connection, has_consents=not fills)
    counts = _COUNT_LEFT(connection)
    _REMARK_ON_LEAVERS(connection)
    return LeftRows(
        blocked=counts.blocked,
        rejected=count - counts.blocked,
        strangers=counts.strangers,
        unclear=counts.unclear,
        in_doubt=counts.in_doubt,
    )


def keep_left_topics(connection: Connection, intake: Intake) -> int:
    """Suppress people from the topics that they left, according to the list. Return how many suppressions are new.

    Call this once the rows are imported. Someone who is not on the list then is meant only if they are suppressed.
    """
    with reported_table(connection):
        _REPORT_TOPIC_LEAVERS(connection)
        intake.record.keep_reported()
        added = add_reported(connection)
    intake.record.hear_leavers()
    _DROP_LEAVER(connection)
    _DROP_TOPIC_LEAVER(connection)
    return added


def _pass_over_forgotten(connection: Connection, key: bytes | None) -> None:
    """Clear the reason of each row of an erased person. Raise InputError if the key is missing or different."""
    is_forgotten, after = forgotten_test(connection, key), 0
    while page := _LEAVING_STRANGERS(connection, after=after, size=_PAGE):
        forgotten = [row.line for row in page if is_forgotten(row.person)]
        _FORGET_LEAVER.for_each(connection, [{"line": line} for line in forgotten])
        after = page[-1].line
