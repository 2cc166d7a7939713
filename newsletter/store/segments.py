"""What a segment holds: how many people, who they are, and how many of them lack a value."""

from array import array
from collections.abc import Iterator, Sequence
from operator import sub
from typing import NamedTuple

import orjson

from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.segment import All, And, Condition, Member, Not
from newsletter.store.database import Connection, Database, Part
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import compose
from newsletter.store.subscribers import subscriber_of

_SQL = load_queries("segments")
_PAGE = 1000
_ALL = 1 << 40  # more than there can be


class _Counts(NamedTuple):
    members: int
    suppressed: int
    without_consent: int


def count_segment(database: Database, segment: Condition) -> SegmentCount:
    """How many people the segment has, how many of them are suppressed, and of how many others no consent is known."""

    def count(connection: Connection, part: Part | None) -> _Counts:
        if isinstance(segment, Not):  # everybody but those: they can be found more quickly than who is not among them
            return _Counts(*map(sub, _counts(connection, All(), part), _counts(connection, segment.part, part)))
        return _counts(connection, segment, part)

    counts = database.ask_in_parts(count)
    return SegmentCount(
        members=sum(part.members for part in counts),
        suppressed=sum(part.suppressed for part in counts),
        without_consent=sum(part.without_consent for part in counts),
    )


def count_both(database: Database, one: Condition, other: Condition) -> int:
    """How many people are in both segments."""
    with database.scan() as connection:
        query = compose(_SQL.count_members.sql, connection.dialect, segment=And((one, other)))
        (count,) = connection.execute(query.sql, query.parameters).fetchone()
    return int(count)


def count_suppressed(database: Database, segment: Condition) -> tuple[tuple[SuppressionReason, int], ...]:
    """Why people of the segment are suppressed, and how many for each reason; the most frequent first."""
    with database.scan() as connection:
        query = compose(_SQL.count_suppressed.sql, connection.dialect, segment=segment)
        rows = connection.execute(query.sql, query.parameters).fetchall()
    return tuple((SuppressionReason(reason), count) for reason, count in rows)


def missing_values(database: Database, field: str, segment: Condition) -> int:
    """How many people of the segment have nothing in a column or an attribute."""
    with database.scan() as connection:
        query = compose(_SQL.count_missing.sql, connection.dialect, segment=segment, field_name=field)
        (count,) = connection.execute(query.sql, query.parameters).fetchone()
    return int(count)


def list_members(database: Database, segment: Condition, *, most: int | None = None) -> Iterator[Member]:
    """The first of the segment, or all; who they are is settled at the beginning.

    What is known of them is read a page at a time, so that no lock and little memory is held: eight bytes a person.
    """
    with database.scan() as connection:
        query = compose(_SQL.member_ids.sql, connection.dialect, segment=segment, most=_ALL if most is None else most)
        ids = array("q", (subscriber for (subscriber,) in connection.execute(query.sql, query.parameters)))
    for start in range(0, len(ids), _PAGE):
        yield from _people(database, ids[start : start + _PAGE])


def sample_segment(database: Database, segment: Condition, *, size: int) -> tuple[Member, ...]:
    """A few people of the segment, from all over the list; the same ones each time."""
    with database.scan() as connection:
        query = compose(_SQL.sample_ids.sql, connection.dialect, segment=segment, size=size)
        ids = [subscriber for (subscriber,) in connection.execute(query.sql, query.parameters)]
    return _people(database, ids)


def issues_sent(database: Database) -> tuple[str, ...]:
    """The names of all issues that a broadcast was made of."""
    with database.read() as connection:
        return tuple(name for (name,) in _SQL.issue_names(connection))


def _people(database: Database, ids: Sequence[int]) -> tuple[Member, ...]:
    with database.read() as connection:
        rows = list(_SQL.people(connection, ids=orjson.dumps(list(ids)).decode()))
    return tuple(
        Member(subscriber=subscriber_of(row), suppressed=SuppressionReason(reason) if reason else None)
        for reason, *row in rows
    )


def _counts(connection: Connection, segment: Condition, part: Part | None) -> _Counts:
    query = compose(_SQL.count_segment.sql, connection.dialect, segment=segment, part=part)
    return _Counts(*connection.execute(query.sql, query.parameters).fetchone())
