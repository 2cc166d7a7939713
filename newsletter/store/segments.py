"""Count and list the subscribers of a segment, and count those who lack a value."""

from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.segment import All, And, Condition, Deed, Member, Not
from newsletter.store.database import Connection, Database, ListPart
from newsletter.store.queries import query_all, query_value
from newsletter.store.segment_sql import compose
from newsletter.store.subscribers import SUBSCRIBER_READS
from newsletter.system.moments import text_of


class SuppressedCount(NamedTuple):
    """The number of people suppressed for one reason."""

    reason: SuppressionReason
    people: int


_COUNT_MEMBERS = query_value("segments", "count_members", int)
_COUNT_SEGMENT = query_value("segments", "count_segment", SegmentCount)
_COUNT_SUPPRESSED = query_all("segments", "count_suppressed", SuppressedCount)
_HAS_MEMBER = query_value("segments", "has_member", bool)
_FIELD_VALUES = query_all("segments", "field_values", str)
_HAS_REACTION = query_value("segments", "has_reaction", bool)
_MEMBER_IDS = query_all("segments", "member_ids", int)
_SAMPLE_IDS = query_all("segments", "sample_ids", int)
_ISSUE_NAMES = query_all("segments", "issue_names", str)
_SEGMENT_NAMES = query_all("segments", "segment_names", str)
_PEOPLE = query_all("segments", "people", Member, SUBSCRIBER_READS)
_PAGE = 1000
_NEVER = "9999"  # after every time
_ALL = 1 << 40  # more subscribers than any list has


def count_segment(database: Database, segment: Condition, *, at: datetime | None = None) -> SegmentCount:
    """Return how many people are in the segment.

    Also count those who are suppressed, and those of the others who have no recorded consent. Of the rest, count those
    who have paused until after a time. Without a time, pauses do not count.
    """
    until = text_of(at) if at else _NEVER

    # For NOT, subtract the count of the inner condition from the count of everyone, because it is faster to find the
    # people who match a condition than those who do not.
    terms = ((1, All()), (-1, segment.part)) if isinstance(segment, Not) else ((1, segment),)

    def count(connection: Connection, part: ListPart | None) -> list[tuple[int, SegmentCount]]:
        return [(sign, _count(connection, each, part, until)) for sign, each in terms]

    counts = [each for several in database.ask_in_parts(count) for each in several]
    return SegmentCount(
        members=sum(sign * each.members for sign, each in counts),
        suppressed=sum(sign * each.suppressed for sign, each in counts),
        without_consent=sum(sign * each.without_consent for sign, each in counts),
        paused=sum(sign * each.paused for sign, each in counts),
    )


def count_both(database: Database, one: Condition, other: Condition) -> int:
    """Return the number of people who are in both segments."""
    with database.scan() as connection:
        query, values = compose(_COUNT_MEMBERS, connection.dialect, segment=And((one, other)))
        return query(connection, **values)


def count_suppressed(database: Database, segment: Condition) -> tuple[tuple[SuppressionReason, int], ...]:
    """Return the number of suppressed people in the segment for each reason, most frequent first."""
    with database.scan() as connection:
        query, values = compose(_COUNT_SUPPRESSED, connection.dialect, segment=segment)
        return tuple(query(connection, **values))


def has_member(database: Database, segment: Condition) -> bool:
    """Return whether anyone is in the segment."""
    with database.scan() as connection:
        query, values = compose(_HAS_MEMBER, connection.dialect, segment=segment)
        return query(connection, **values)


def values_of_field(database: Database, field: str, segment: Condition, *, most: int) -> tuple[str, ...]:
    """Return at most `most` different values that people in the segment have in a column or an attribute.

    The search ends as soon as it has found them.
    """
    with database.scan() as connection:
        query, values = compose(_FIELD_VALUES, connection.dialect, segment=segment, field_name=field)
        return tuple(query(connection, most=most, **values))


def has_reaction(database: Database, deed: Deed) -> bool:
    """Return whether anyone has ever opened an email, or clicked a link in one."""
    return _HAS_REACTION.ask(database, type=deed.value)


def list_members(database: Database, segment: Condition, *, most: int | None = None) -> Iterator[Member]:
    """Yield the first `most` people in the segment, or all of them if `most` is None.

    All ids are read at the start and take eight bytes per person. The people are then read page by page, without
    holding a lock.
    """
    ids = member_ids(database, segment, most=most)
    for start in range(0, len(ids), _PAGE):
        yield from _people(database, ids[start : start + _PAGE])


def member_ids(database: Database, segment: Condition, *, most: int | None = None) -> Sequence[int]:
    """Return the ids of the first `most` people in the segment, or of all of them if `most` is None, in order."""
    with database.scan() as connection:
        query, values = compose(_MEMBER_IDS, connection.dialect, segment=segment)
        return array("q", query(connection, most=_ALL if most is None else most, **values))


def sample_segment(database: Database, segment: Condition, *, size: int) -> tuple[Member, ...]:
    """Return `size` people in the segment, spread over the whole list. Each call returns the same people."""
    with database.scan() as connection:
        query, values = compose(_SAMPLE_IDS, connection.dialect, segment=segment)
        ids = query(connection, size=size, **values)
    return _people(database, ids)


def issues_sent(database: Database) -> tuple[str, ...]:
    """Return the names of all issues that have a broadcast."""
    return _ISSUE_NAMES.ask(database)


def segments_sent(database: Database) -> tuple[str, ...]:
    """Return the names of all segments that have a broadcast."""
    return _SEGMENT_NAMES.ask(database)


def _people(database: Database, ids: Sequence[int]) -> tuple[Member, ...]:
    return _PEOPLE.ask(database, ids=orjson.dumps(list(ids)).decode())


def _count(connection: Connection, segment: Condition, part: ListPart | None, at: str) -> SegmentCount:
    query, values = compose(_COUNT_SEGMENT, connection.dialect, segment=segment, part=part)
    return query(connection, at=at, **values)
