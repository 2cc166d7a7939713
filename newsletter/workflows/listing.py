"""List everybody, or a part of the list."""

from collections.abc import Iterator
from typing import TextIO

from newsletter.audience.csv_export import write_subscribers
from newsletter.model.audience import SUBSCRIBER_COLUMNS
from newsletter.model.segment import Member, Segment
from newsletter.store.database import Database
from newsletter.store.segments import count_segment, list_members
from newsletter.store.subscribers import known_fields


def list_people(database: Database, segment: Segment, *, most: int | None) -> Iterator[Member]:
    """The first people of a segment, or all where no number is given."""
    return list_members(database, segment.condition, most=most)


def count_people(database: Database, segment: Segment) -> int:
    """How many people a segment has."""
    return count_segment(database, segment.condition).members


def write_people(database: Database, segment: Segment, stream: TextIO, *, most: int | None) -> int:
    """Writes people of a segment as CSV, in the form that an import reads; how many they are."""
    attributes = [name for name in known_fields(database) if name not in SUBSCRIBER_COLUMNS]
    records = (member.subscriber.record for member in list_people(database, segment, most=most))
    return write_subscribers(records, stream, attributes=attributes)
