"""Writes the addresses that must not be mailed as a file: CSV that can be added again, or JSON for a script."""

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from newsletter.lists.cells import guarded
from newsletter.model.audience import Suppression
from newsletter.system.moments import text_of

COLUMNS = ("email", "topic", "reason", "detail", "created_at")


def write_csv(suppressions: Iterable[Suppression], file: TextIO) -> int:
    """Writes a header and a row for each, no cell of which a spreadsheet takes for a formula; how many rows."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for suppression in suppressions:
        count += 1
        writer.writerow(map(guarded, suppression_data(suppression).values()))
    return count


def write_json(suppressions: Iterable[Suppression], file: TextIO) -> int:
    """Writes a list with an object for each, a line each; how many."""
    count = 0
    for count, suppression in enumerate(suppressions, start=1):
        file.write("[\n" if count == 1 else ",\n")
        file.write(json.dumps(suppression_data(suppression), ensure_ascii=False))
    file.write("\n]\n" if count else "[]\n")
    return count


def suppression_data(suppression: Suppression) -> dict[str, str]:
    """A suppression by the names of COLUMNS."""
    return {
        "email": suppression.email,
        "topic": suppression.topic,
        "reason": suppression.reason.value,
        "detail": suppression.detail,
        "created_at": text_of(suppression.created_at),
    }
