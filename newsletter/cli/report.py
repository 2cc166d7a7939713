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
from newsletter.errors import CannotRunError, InputError
from newsletter.web.studio.report_file import report_html
from newsletter.workflows.report.click_map import ClickMap, draw_click_map
from newsletter.workflows.report.files import report_data, write_csv, write_page
from newsletter.workflows.report.issue import IssueReport, newest_sent, report_on
from newsletter.workflows.report.words import Told, told
from newsletter.workflows.report.year import year_told

_AS_PAGE = "to save it as a page with charts"
_WIDEST, _NARROWEST = 100, 80  # columns


def report(
    issue: NewestIssue = None,
    year: Annotated[
        int | None,
        typer.Option(metavar="YYYY", help="Report on all issues of a year instead: growth, leaving and what works."),
    ] = None,
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
    if issue is not None and year is not None:
        raise InputError("a report is about an issue or about a year; give only one of ISSUE and --year")
    now, found = datetime.now(UTC), None
    with opened_database() as (config, database):
        zone = config.settings.newsletter.timezone
        if year is not None:
            page = year_told(database, year, zone=zone, now=now)
        else:
            found = report_on(database, issue or newest_sent(database), now=now)
            page = told(found, zone=zone)
    if html_file is not None:
        name = config.settings.newsletter.name
        html = report_html(page, newsletter=name, click_map=_map(found) if found else None)
        write_page(html_file, html, overwrite=force)
        output.note(f"Saved the report to {html_file}.")
    if csv_file is not None:
        write_csv(csv_file, page.tables, overwrite=force)
        output.note(f"Saved the report to {csv_file}.")
    if as_json:
        output.print_json(report_data(page, found))
    elif csv_file is None and html_file is None:
        _print(page)
        if found is not None:
            output.print_next(f"newsletter report {quote(found.issue)} --html report.html", _AS_PAGE)
        else:
            output.print_next(f"newsletter report --year {year} --html report.html", _AS_PAGE)


def _print(page: Told) -> None:
    width = max(_NARROWEST, min(_WIDEST, get_terminal_size().columns))
    lines = page_of(page, width=width)
    output.print_lines(lines if can_draw(output.result_stream()) else map(in_ascii, lines))


def _map(found: IssueReport) -> ClickMap | None:
    """Return the map of the clicks. Without a browser, say so and leave it out."""
    try:
        return draw_click_map(found)
    except CannotRunError as err:
        output.note(f"The map of the clicks is left out: {err}")
        return None
