"""What a segment holds: how many people, some of them, and which values they lack."""

from newsletter.model.audience import SegmentCount, Subscriber
from newsletter.model.segment import Condition
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import compose
from newsletter.store.subscribers import load_subscribers

_SQL = load_queries("segments")


def count_segment(database: Database, segment: Condition) -> SegmentCount:
    """How many people the segment has, and how many of them are suppressed."""
    with database.read() as connection:
        query = compose(_SQL.count_members.sql, connection.dialect, segment=segment)
        members, suppressed = connection.execute(query.sql, query.parameters).fetchone()
    return SegmentCount(members=members, suppressed=suppressed)


def sample_segment(database: Database, segment: Condition, *, size: int) -> tuple[Subscriber, ...]:
    """At most `size` different people of the segment, drawn evenly; the same ones each time."""
    with database.read() as connection:
        query = compose(_SQL.sample_members.sql, connection.dialect, segment=segment, size=size)
        ids = [subscriber_id for (subscriber_id,) in connection.execute(query.sql, query.parameters)]
        return tuple(load_subscribers(database, after=each - 1, size=1)[0] for each in ids)


def missing_values(database: Database, field: str, segment: Condition) -> int:
    """How many people of the segment have nothing in a column or an attribute."""
    with database.read() as connection:
        query = compose(_SQL.count_missing.sql, connection.dialect, segment=segment, field_name=field)
        (count,) = connection.execute(query.sql, query.parameters).fetchone()
    return int(count)
