"""One subscriber as a reader of an issue."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.model.columns import COLUMNS
from newsletter.model.readership import Reader
from newsletter.model.segment import Segment
from newsletter.store.database import Connection, Database
from newsletter.store.queries import query_value
from newsletter.store.segment_sql import compose
from newsletter.store.subscribers import find_subscriber
from newsletter.system.moments import text_of

_IS_MEMBER = query_value("segments", "is_member", bool)


def reader_of(database: Database, email: str, segments: Sequence[Segment] = ()) -> Reader | None:
    """Return the subscriber with this address as a reader, or None if no one on the list has it.

    The reader's segments are those of `segments` to which the subscriber belongs now. The fields contain the text that
    a broadcast would put into the subscriber's email.
    """
    with database.read() as connection:  # all queries see the same state of the data
        subscriber = find_subscriber(database, email)
        if subscriber is None:
            return None
        belongs = frozenset(each.name for each in segments if _is_in(connection, subscriber.id, each))
    columns = zip(COLUMNS, subscriber.record.values, strict=True)
    return Reader(
        id=subscriber.id,
        email=subscriber.record.email,
        token=subscriber.token,
        fields={
            **subscriber.record.attributes,
            **{column.name: _text(value) for column, value in columns if column.is_field},
        },
        segments=belongs,
        agrees_to_tracking=subscriber.record.tracking_consented_at is not None,
    )


def _is_in(connection: Connection, subscriber_id: int, segment: Segment) -> bool:
    query, values = compose(_IS_MEMBER, connection.dialect, segment=segment.condition)
    return query(connection, subscriber=subscriber_id, **values)


def _text(value: object) -> str:
    """Return the value of a column as the text that the list stores."""
    return text_of(value) if isinstance(value, datetime) else str(value or "")
