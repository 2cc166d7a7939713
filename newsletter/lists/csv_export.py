"""Writes the list as a CSV file that imports as it is."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import TextIO

from newsletter.lists.cells import guarded
from newsletter.model.audience import SUBSCRIBER_COLUMNS, SubscriberRecord
from newsletter.system.moments import text_of

_TAG_SEPARATOR = ";"
_ROWS_A_STEP = 1000


def write_subscribers(
    records: Iterable[SubscriberRecord],
    file: TextIO,
    *,
    attributes: Sequence[str],
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes a header and a row for each record; how many rows.

    `attributes` are the names that get a column after the known ones. The file must be opened with `newline=""` and
    UTF-8. Cells are guarded against formulas, as an import undoes it. `on_progress` hears how many more are written.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*SUBSCRIBER_COLUMNS, *attributes])
    count, left = 0, iter(records)
    while some := list(islice(left, _ROWS_A_STEP)):
        writer.writerows(_row(record, attributes) for record in some)
        count += len(some)
        on_progress(len(some))
    return count


def _row(record: SubscriberRecord, attributes: Sequence[str]) -> list[str]:
    values = record.attributes
    return list(map(guarded, (*_cells(record), *[values.get(name, "") for name in attributes])))


def _cells(record: SubscriberRecord) -> tuple[str, ...]:
    """The cells in the order of SUBSCRIBER_COLUMNS."""
    return (
        record.email,
        record.first_name,
        record.last_name,
        record.language,
        record.timezone,
        _TAG_SEPARATOR.join(record.tags),
        _moment(record.joined_at),
        _moment(record.consented_at),
        record.consent_source,
        record.consent_wording,
        _moment(record.consent_confirmed_at),
        record.consent_basis,
    )


def _moment(moment: datetime | None) -> str:
    return text_of(moment) if moment else ""
