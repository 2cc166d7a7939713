"""What a segment holds: how many people, who they are, and how many of them lack a value."""

from array import array
from collections.abc import Iterator, Sequence
from operator import sub
from typing import NamedTuple

import orjson

from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.segment import All, And, Condition, Member, Not
from newsletter.store.database import Connection, Database, ListPart
from newsletter.store.queries import load_queries, query_all, query_value
from newsletter.store.segment_sql import compose
from newsletter.store.subscribers import subscriber_of


class SegmentCounts(NamedTuple):
    """How many people of a part of the list are in a segment, and why some of them are not mailed."""

    members: int
    suppressed: int
    without_consent: int


class SuppressedCount(NamedTuple):
    """How many people are suppressed for a reason."""

    reason: SuppressionReason
    people: int


_COUNT_MEMBERS = query_value("segments", "count_members", int)
_COUNT_SEGMENT = query_value("segments", "count_segment", SegmentCounts)
_COUNT_SUPPRESSED = query_all("segments", "count_suppressed", SuppressedCount)
_COUNT_MISSING = query_value("segments", "count_missing", int)
_MEMBER_IDS = query_all("segments", "member_ids", int)
_SAMPLE_IDS = query_all("segments", "sample_ids", int)
_ISSUE_NAMES = query_all("segments", "issue_names", str)
_SQL = load_queries("segments")
_PAGE = 1000
_ALL = 1 << 40  # more than there can be


def count_segment(database: Database, segment: Condition) -> SegmentCount:
    """Return how many people the segment has, how many are suppressed, and how many others have no known consent."""

    def count(connection: Connection, part: ListPart | None) -> SegmentCounts:
        if isinstance(segment, Not):  # everybody but those: they can be found more quickly than who is not among them
            return SegmentCounts(*map(sub, _counts(connection, All(), part), _counts(connection, segment.part, part)))
        return _counts(connection, segment, part)

    counts = database.ask_in_parts(count)
    return SegmentCount(
        members=sum(part.members for part in counts),
        suppressed=sum(part.suppressed for part in counts),
        without_consent=sum(part.without_consent for part in counts),
    )


def count_both(database: Database, one: Condition, other: Condition) -> int:
    """Return how many people are in both segments."""
    with database.scan() as connection:
        query = compose(_COUNT_MEMBERS.sql, connection.dialect, segment=And((one, other)))
        return _COUNT_MEMBERS.rewritten(query.sql)(connection, **query.parameters)


def count_suppressed(database: Database, segment: Condition) -> tuple[tuple[SuppressionReason, int], ...]:
    """Return why people of the segment are suppressed, and how many for each reason; the most frequent first."""
    with database.scan() as connection:
        query = compose(_COUNT_SUPPRESSED.sql, connection.dialect, segment=segment)
        return tuple(_COUNT_SUPPRESSED.rewritten(query.sql)(connection, **query.parameters))


def missing_values(database: Database, field: str, segment: Condition) -> int:
    """Return how many people of the segment have nothing in a column or an attribute."""
    with database.scan() as connection:
        query = compose(_COUNT_MISSING.sql, connection.dialect, segment=segment, field_name=field)
        return _COUNT_MISSING.rewritten(query.sql)(connection, **query.parameters)


def list_members(database: Database, segment: Condition, *, most: int | None = None) -> Iterator[Member]:
    """Yield the first `most` people of the segment, or all of them; who they are is settled at the beginning.

    What is known of them is read page by page, so that no lock and little memory is held: eight bytes a person.
    """
    with database.scan() as connection:
        query = compose(_MEMBER_IDS.sql, connection.dialect, segment=segment, most=_ALL if most is None else most)
        ids = array("q", _MEMBER_IDS.rewritten(query.sql)(connection, **query.parameters))
    for start in range(0, len(ids), _PAGE):
        yield from _people(database, ids[start : start + _PAGE])


def sample_segment(database: Database, segment: Condition, *, size: int) -> tuple[Member, ...]:
    """Return a few people of the segment from all over the list; the same ones each time."""
    with database.scan() as connection:
        query = compose(_SAMPLE_IDS.sql, connection.dialect, segment=segment, size=size)
        ids = _SAMPLE_IDS.rewritten(query.sql)(connection, **query.parameters)
    return _people(database, ids)


def issues_sent(database: Database) -> tuple[str, ...]:
    """Return the names of all issues that a broadcast was made of."""
    with database.read() as connection:
        return tuple(_ISSUE_NAMES(connection))


def _people(database: Database, ids: Sequence[int]) -> tuple[Member, ...]:
    with database.read() as connection:
        rows = list(_SQL.people(connection, ids=orjson.dumps(list(ids)).decode()))
    return tuple(
        Member(subscriber=subscriber_of(row), suppressed=SuppressionReason(reason) if reason else None)
        for reason, *row in rows
    )


def _counts(connection: Connection, segment: Condition, part: ListPart | None) -> SegmentCounts:
    query = compose(_COUNT_SEGMENT.sql, connection.dialect, segment=segment, part=part)
    return _COUNT_SEGMENT.rewritten(query.sql)(connection, **query.parameters)
