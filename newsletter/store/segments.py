"""What a segment holds: how many people, and how many of them lack a value."""

from newsletter.model.audience import SegmentCount
from newsletter.model.segment import Condition
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import compose

_SQL = load_queries("segments")


def count_segment(database: Database, segment: Condition) -> SegmentCount:
    """How many people the segment has, and how many of them are suppressed."""
    with database.read() as connection:
        query = compose(_SQL.count_members.sql, connection.dialect, segment=segment)
        members, suppressed = connection.execute(query.sql, query.parameters).fetchone()
    return SegmentCount(members=members, suppressed=suppressed)


def missing_values(database: Database, field: str, segment: Condition) -> int:
    """How many people of the segment have nothing in a column or an attribute."""
    with database.read() as connection:
        query = compose(_SQL.count_missing.sql, connection.dialect, segment=segment, field_name=field)
        (count,) = connection.execute(query.sql, query.parameters).fetchone()
    return int(count)
