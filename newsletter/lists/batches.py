"""Make import batches from people who are known one by one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import SubscriberRecord, tags_text
from newsletter.model.imports import ImportBatch
from newsletter.system.moments import text_of

_RECORDS_A_BATCH = 10_000


def batch_of(records: Sequence[SubscriberRecord], *, first_line: int = 1) -> ImportBatch:
    """People who are known one by one rather than from a file, numbered as lines of one."""
    return ImportBatch(
        lines=range(first_line, first_line + len(records)),
        columns={
            "person": [person_of(record.email) for record in records],
            "email": [record.email for record in records],
            "first_name": [record.first_name for record in records],
            "last_name": [record.last_name for record in records],
            "language": [record.language for record in records],
            "timezone": [record.timezone for record in records],
            "tags": [tags_text(record.tags) for record in records],
            "joined_at": [_text(record.joined_at) for record in records],
            "consented_at": [_text(record.consented_at) for record in records],
            "consent_source": [record.consent_source for record in records],
            "consent_wording": [record.consent_wording for record in records],
            "consent_confirmed_at": [_text(record.consent_confirmed_at) for record in records],
            "consent_basis": [record.consent_basis for record in records],
            "attributes": [
                orjson.dumps(dict(record.attributes)).decode() if record.attributes else "" for record in records
            ],
        },
        attribute_names=frozenset(name for record in records for name in record.attributes),
        tag_names=frozenset(tag for record in records for tag in record.tags),
    )


def batches_of(records: Iterable[SubscriberRecord]) -> Iterator[ImportBatch]:
    """Many people who are known one by one, numbered throughout; read as they are asked for."""
    left, first_line = iter(records), 1
    while some := tuple(islice(left, _RECORDS_A_BATCH)):
        yield batch_of(some, first_line=first_line)
        first_line += len(some)


def _text(moment: datetime | None) -> str:
    return "" if moment is None else text_of(moment)
