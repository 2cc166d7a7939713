"""Make import batches from people who are known one by one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import tags_text
from newsletter.model.columns import COLUMN_NAMES, ColumnValue, SubscriberRecord
from newsletter.model.imports import ImportBatch
from newsletter.system.moments import text_of

_RECORDS_A_BATCH = 10_000


def batch_of(records: Sequence[SubscriberRecord], *, first_line: int = 1) -> ImportBatch:
    """Return people who are known one by one rather than from a file, numbered as lines of one."""
    rows = [tuple(map(cell_of, record.values)) for record in records]
    columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMN_NAMES)
    return ImportBatch(
        lines=range(first_line, first_line + len(records)),
        columns={
            "person": [person_of(record.email) for record in records],
            **dict(zip(COLUMN_NAMES, columns, strict=True)),
        },
        attribute_names=frozenset(name for record in records for name in record.attributes),
        tag_names=frozenset(tag for record in records for tag in record.tags),
    )


def batches_of(records: Iterable[SubscriberRecord]) -> Iterator[ImportBatch]:
    """Yield batches of many people who are known one by one, numbered throughout; read as they are asked for."""
    left, first_line = iter(records), 1
    while some := tuple(islice(left, _RECORDS_A_BATCH)):
        yield batch_of(some, first_line=first_line)
        first_line += len(some)


def cell_of(value: ColumnValue) -> str:
    """Return a value as the database keeps it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime():
            return text_of(value)
        case tuple():
            return tags_text(value)
        case _:
            return orjson.dumps(dict(value)).decode() if value else ""
