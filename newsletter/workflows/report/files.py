"""Write a report as data: every figure with its interval, as JSON and CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter.lists.cells import CsvWriter
from newsletter.system.files import private_file
from newsletter.workflows.report.issue import IssueReport
from newsletter.workflows.report.tables import FigureTable, Measure
from newsletter.workflows.report.words import Told

_COLUMNS = ("table", "line", "measure", "count", "of", "rate", "low", "high", "is_estimate", "differs", "note", "url")


def report_data(report: Told, found: IssueReport | None) -> dict[str, object]:
    """Return a report for JSON. `found` has the facts about one issue, if it is about one."""
    facts: dict[str, object] = {}
    if found is not None:
        facts = {
            "issue": found.issue,
            "at": found.at,
            "counted_until": found.settled,
            "tracking": found.mode,
            "sent": {"first_at": found.sent.first_at, "last_at": found.sent.last_at},
            "broadcasts": [each.id for each in found.broadcasts],
        }
    return {
        "heading": report.heading,
        **facts,
        "story": report.story,
        "warnings": report.warnings,
        "tables": _tables_data(report.tables),
        "notes": report.notes,
    }


def _tables_data(tables: Sequence[FigureTable]) -> list[dict[str, object]]:
    """Return the tables. Rates and their intervals are from 0 to 1."""
    return [
        {
            "table": table.key,
            "title": table.title,
            "note": table.note,
            "lines": [
                {
                    "label": line.label,
                    "note": line.note,
                    "url": line.url,
                    **{each.name: _data(each) for each in line.measures},
                }
                for line in table.lines
            ],
        }
        for table in tables
    ]


def _data(measure: Measure) -> object:
    if measure.of is None and measure.interval is None:
        return measure.count
    low, high = measure.interval or (None, None)
    return {
        "count": measure.count,
        "of": measure.of,
        "rate": measure.rate,
        "low": low,
        "high": high,
        "is_estimate": measure.is_estimate,
        "differs": measure.differs,
    }


def write_csv(path: Path, tables: Sequence[FigureTable], *, overwrite: bool) -> None:
    """Write one row per figure. Cells that a spreadsheet would read as a formula are escaped.

    Raise InputError if the file exists and `overwrite` is False.
    """
    with private_file(path, overwrite=overwrite) as file:
        writer = CsvWriter(file, _COLUMNS)
        for row in _rows(tables):
            writer.write_row(tuple("" if cell is None else str(cell) for cell in row))


def _rows(tables: Sequence[FigureTable]) -> Iterator[Sequence[object]]:
    for table in tables:
        for line in table.lines:
            for each in line.measures:
                low, high = each.interval or (None, None)
                rates = [None if value is None else f"{value:.6f}" for value in (each.rate, low, high)]
                yield (
                    table.key,
                    line.label,
                    each.name,
                    each.count,
                    each.of,
                    *rates,
                    int(each.is_estimate),
                    each.differs,
                    line.note,
                    line.url,
                )


def write_page(path: Path, html: str, *, overwrite: bool) -> None:
    """Write the page. Raise InputError if the file exists and `overwrite` is False."""
    with private_file(path, overwrite=overwrite) as file:
        file.write(html)
