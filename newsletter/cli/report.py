"""`newsletter report`: what came of an issue, or of all issues of a year."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from shutil import get_terminal_size
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import AsJson, Force, NewestIssue
from newsletter.cli.report_page import page_of
from newsletter.cli.subscribers.stats_page import can_draw, in_ascii
from newsletter.cli.workspace import opened_database
from newsletter.workflows.report.files import tables_data, write_csv
from newsletter.workflows.report.issue import newest_sent, report_on
from newsletter.workflows.report.words import told

_WIDEST, _NARROWEST = 100, 80  # columns


def report(
    issue: NewestIssue = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Save every figure to this CSV file.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Show how an issue did: what arrived, what bounced, who left, and what was opened and clicked."""
    now = datetime.now(UTC)
    with opened_database() as (config, database):
        name = issue or newest_sent(database)
        found = report_on(database, name, now=now)
    page = told(found, zone=config.settings.newsletter.timezone)
    if csv_file is not None:
        write_csv(csv_file, page.tables, overwrite=force)
        output.note(f"Saved the report to {csv_file}.")
    if as_json:
        output.print_json(
            {
                "issue": found.issue,
                "subject": found.subject,
                "at": found.at,
                "counted_until": found.settled,
                "tracking": found.mode,
                "sent": {"first_at": found.sent.first_at, "last_at": found.sent.last_at},
                "broadcasts": [each.id for each in found.broadcasts],
                "story": page.story,
                "warnings": page.warnings,
                "tables": tables_data(page.tables),
                "notes": page.notes,
            }
        )
    elif csv_file is None:
        width = max(_NARROWEST, min(_WIDEST, get_terminal_size().columns))
        lines = page_of(page, width=width)
        output.print_lines(lines if can_draw(output.result_stream()) else map(in_ascii, lines))
        output.print_next(f"newsletter report {quote(name)} --html report.html", "to save it as a page with charts")
