"""One subscriber as an issue sees them."""

from collections.abc import Sequence

import orjson

from newsletter.model.address import person_of
from newsletter.model.columns import FIELD_COLUMNS
from newsletter.model.readership import Reader
from newsletter.model.segment import All, Segment
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.store.segment_sql import Binder, compose, condition_sql

_SQL = load_queries("subscribers")
_COLUMNS = tuple(FIELD_COLUMNS)


def reader_of(database: Database, email: str, segments: Sequence[Segment] = ()) -> Reader | None:
    """Return the subscriber with this address as a reader; None where nobody on the list has it.

    Of the segments, the reader names those that the subscriber belongs to at this moment. The fields are the texts that
    a broadcast would put into their mail.
    """

    def memberships(binder: Binder) -> str:
        tests = [condition_sql(segment.condition, binder) for segment in segments]
        return "".join(f", CASE WHEN {test} THEN 1 ELSE 0 END" for test in tests)

    with database.read() as connection:
        query = compose(
            _SQL.reader.sql,
            connection.dialect,
            segment=All(),
            pieces={":columns": lambda _: ", ".join(f"s.{name}" for name in _COLUMNS), ":memberships": memberships},
            person=person_of(email),
        )
        row = connection.execute(query.sql, query.parameters).fetchone()
    if row is None:
        return None
    subscriber, token, attributes, *rest = row
    texts, belongs = rest[: len(_COLUMNS)], rest[len(_COLUMNS) :]
    fields = {**orjson.loads(attributes), **dict(zip(_COLUMNS, texts, strict=True))}
    return Reader(
        id=subscriber,
        email=fields["email"],
        token=token,
        fields=fields,
        segments=frozenset(segment.name for segment, is_in in zip(segments, belongs, strict=True) if is_in),
    )
