"""Write people and suppressions to files, as CSV that can be imported again, or as JSON for other programs.

A spreadsheet runs no cell of the CSV files as a formula. `docs/privacy.md` lists the fields of a person.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TextIO

import orjson
from msgspec.structs import asdict

from newsletter.lists.cells import CsvWriter
from newsletter.lists.export_formats import ATTRIBUTE_PREFIX, NO_CONSENT, STANDING_COLUMNS, SUBSCRIBED
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.lists.tags import cell_with_tags
from newsletter.model.address import person_of
from newsletter.model.audience import ExportedPerson, Subscriber, Suppression, tags_text
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, LIST_COLUMNS, ColumnValue, SubscriberRecord
from newsletter.model.imports import ImportBatch
from newsletter.model.person import KnownPerson
from newsletter.system.moments import text_of

SCHEMA, VERSION = "newsletter.person", 1  # increase the version when a field is removed or its meaning changes
_TOPIC_SEPARATOR = ";"
_ROWS_A_STEP = 1000
_SUPPRESSION_COLUMNS = ("email", "topic", "reason", "detail", "created_at", "repeated_at", "consent_on_record")


class WrittenPeople(NamedTuple):
    """How many people were written to a file, and how many of them are not emailed."""

    people: int
    not_mailed: int


def write_subscribers(
    people: Iterable[ExportedPerson],
    file: TextIO,
    *,
    attributes: Sequence[str],
    on_progress: Callable[[int], None] = lambda _: None,
) -> WrittenPeople:
    """Write a header and one row per person. Return the numbers of people.

    After our columns come those that say who is not emailed and why, and then one for each name in `attributes`. Open
    the file with `newline=""` and UTF-8. Call `on_progress` with the number of rows written since the last call.
    """
    writer = CsvWriter(file, [*LIST_COLUMNS, *STANDING_COLUMNS, *map(_attribute_column, attributes)])
    count, not_mailed, left = 0, 0, iter(people)
    while some := list(islice(left, _ROWS_A_STEP)):
        for person in some:
            writer.write_row(_row(person, attributes))
            not_mailed += not person.is_mailed
        count += len(some)
        on_progress(len(some))
    return WrittenPeople(count, not_mailed)


def _attribute_column(name: str) -> str:
    """Return the name of an attribute's column, which an import must not read as one about leaving."""
    is_misread = name in STANDING_COLUMNS or column_about_leaving(name) is not None
    return f"{ATTRIBUTE_PREFIX}{name}" if is_misread else name


def _row(person: ExportedPerson, attributes: Sequence[str]) -> list[str]:
    record, suppression = person.record, person.suppression
    status = suppression.reason.value if suppression else SUBSCRIBED if record.may_be_mailed else NO_CONSENT
    standing = [status, cell_of(person.left_at), _TOPIC_SEPARATOR.join(person.left_topics)]
    cells = [
        cell_with_tags(value) if isinstance(value, tuple) else cell_of(value)
        for column, value in zip(COLUMNS, record.values, strict=True)
        if column.in_lists
    ]
    return [*cells, *standing, *[record.attributes.get(name, "") for name in attributes]]


def write_suppressions(suppressions: Iterable[Suppression], file: TextIO) -> int:
    """Write a header and one CSV row per suppression. Return the number of rows."""
    writer = CsvWriter(file, _SUPPRESSION_COLUMNS)
    count = 0
    for suppression in suppressions:
        count += 1
        writer.write_row(list(suppression_data(suppression).values()))
    return count


def write_suppressions_json(suppressions: Iterable[Suppression], file: TextIO) -> int:
    """Write a JSON list with one object per suppression, each on its own line. Return the number of objects."""
    count = 0
    for count, suppression in enumerate(suppressions, start=1):
        file.write("[\n" if count == 1 else ",\n")
        file.write(json.dumps(suppression_data(suppression), ensure_ascii=False))
    file.write("\n]\n" if count else "[]\n")
    return count


def suppression_data(suppression: Suppression) -> dict[str, str]:
    """Return the cells of a suppression by the names of their columns in a CSV file."""
    return {
        "email": suppression.email,
        "topic": suppression.topic,
        "reason": suppression.reason.value,
        "detail": suppression.detail,
        "created_at": text_of(suppression.created_at),
        "repeated_at": text_of(suppression.repeated_at) if suppression.repeated_at else "",
        "consent_on_record": text_of(suppression.consent_on_record) if suppression.consent_on_record else "",
    }


def person_json(person: KnownPerson, *, now: datetime) -> str:
    """Return everything that is known about a person as one indented JSON object that ends with a line break.

    Times are in UTC. Values that are not known are `null`.
    """
    subscriber = person.subscriber
    data: dict[str, object] = {
        "schema": SCHEMA,
        "version": VERSION,
        "exported_at": now,
        "email": person.email,
        "subscriber": subscriber
        and {
            "id": subscriber.id,
            **subscriber_data(subscriber),
            "updated_at": subscriber.updated_at,
            "unsubscribe_token": subscriber.token,
        },
        "consent": subscriber and _columns_of(subscriber, is_consent=True),
        "past_consents": list(map(asdict, person.past_consents)),
        "suppressions": [
            {"topic": each.topic or None, "reason": each.reason, "detail": each.detail, "since": each.created_at}
            for each in person.suppressions
        ],
        "past_suppressions": [
            {
                "topic": each.topic or None,
                "reason": each.reason,
                "since": each.created_at,
                "lifted_at": each.lifted_at,
                "because": each.because,
            }
            for each in person.past_suppressions
        ],
        "deliveries": list(map(asdict, person.deliveries)),
        "events": list(map(asdict, person.events)),
        "soft_bounces": list(map(asdict, person.soft_bounces)),
        "leaving_remarks": list(map(asdict, person.leaving_remarks)),
        "tracking_choices": list(map(asdict, person.tracking_choices)),
        "link_requests": [
            {"kind": each.kind, "email": each.email, "at": each.asked_at, "confirmed_at": each.confirmed_at}
            for each in person.link_requests
        ],
        "imports": [
            {"at": each.at, "file": each.file, "basis": each.basis, "tags": each.tags} for each in person.imports
        ],
    }
    return f"{json.dumps(data, ensure_ascii=False, indent=2, default=text_of)}\n"


def subscriber_data(subscriber: Subscriber) -> dict[str, object]:
    """Return a subscriber's data by the names of its columns, as values that JSON can contain."""
    return {**_columns_of(subscriber, is_consent=False), "joined_at": text_of(subscriber.joined_at)}


def _columns_of(subscriber: Subscriber, *, is_consent: bool) -> dict[str, object]:
    values = zip(COLUMNS, subscriber.record.values, strict=True)
    return {column.key: _plain(value) for column, value in values if column.is_consent is is_consent}


def _plain(value: ColumnValue) -> object:
    if isinstance(value, datetime):
        return text_of(value)
    return dict(value) if isinstance(value, Mapping) else value


_RECORDS_A_BATCH = 10_000


def batch_of(records: Sequence[SubscriberRecord], *, first_line: int = 1) -> ImportBatch:
    """Return a batch of people who do not come from a file. Number them like the lines of a file."""
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
    """Yield batches of people who do not come from a file, reading them on demand. Line numbers do not restart."""
    left, first_line = iter(records), 1
    while some := tuple(islice(left, _RECORDS_A_BATCH)):
        yield batch_of(some, first_line=first_line)
        first_line += len(some)


def cell_of(value: ColumnValue) -> str:
    """Return a value in the form that the database stores."""
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
