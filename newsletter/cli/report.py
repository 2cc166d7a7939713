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
from newsletter.errors import CannotRunError
from newsletter.web.studio.report_file import report_html
from newsletter.workflows.report.click_map import ClickMap, draw_click_map
from newsletter.workflows.report.files import tables_data, write_csv, write_page
from newsletter.workflows.report.issue import IssueReport, newest_sent, report_on
from newsletter.workflows.report.words import told

_WIDEST, _NARROWEST = 100, 80  # columns


def report(
    issue: NewestIssue = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Save it as one page with charts and a map of the clicks."),
    ] = None,
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
    if html_file is not None:
        html = report_html(page, newsletter=config.settings.newsletter.name, click_map=_map(found))
        write_page(html_file, html, overwrite=force)
        output.note(f"Saved the report to {html_file}.")
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
    elif csv_file is None and html_file is None:
        width = max(_NARROWEST, min(_WIDEST, get_terminal_size().columns))
        lines = page_of(page, width=width)
        output.print_lines(lines if can_draw(output.result_stream()) else map(in_ascii, lines))
        output.print_next(f"newsletter report {quote(name)} --html report.html", "to save it as a page with charts")


def _map(found: IssueReport) -> ClickMap | None:
    """Return the map of the clicks. Without a browser, say so and leave it out."""
    try:
        return draw_click_map(found)
    except CannotRunError as err:
        output.note(f"The map of the clicks is left out: {err}")
        return None
