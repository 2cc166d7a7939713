"""Writes the list as a CSV file that imports as it is."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

from newsletter.model.audience import SUBSCRIBER_COLUMNS, SubscriberRecord

_TAG_SEPARATOR = ";"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_subscribers(records: Iterable[SubscriberRecord], file: TextIO, *, attributes: Sequence[str]) -> int:
    """Writes a header and a row for each record; how many rows.

    `attributes` are the names that get a column after the known ones. The file must be opened with `newline=""` and
    UTF-8.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*SUBSCRIBER_COLUMNS, *attributes])
    count = 0
    for record in records:
        writer.writerow([*_cells(record), *(record.attributes.get(name, "") for name in attributes)])
        count += 1
    return count


def guarded(cell: str) -> str:
    """The cell, quoted where a spreadsheet would take it for a formula (OWASP, CSV injection).

    For files that people look at; one that is to be imported again keeps its cells as they are.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _cells(record: SubscriberRecord) -> tuple[str, ...]:
    """The cells in the order of SUBSCRIBER_COLUMNS."""
    return (
        record.email,
        record.first_name,
        record.last_name,
        record.language,
        record.timezone,
        _TAG_SEPARATOR.join(record.tags),
        _moment(record.consented_at),
        record.consent_source,
    )


def _moment(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""
