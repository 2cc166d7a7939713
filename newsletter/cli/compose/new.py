"""`newsletter new`."""

from datetime import UTC, date, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.workspace import current_config
from newsletter.errors import InputError
from newsletter.workflows.compose.new import new_issue


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the new issue, for example 2026-03.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="ISSUE", help="The issue to copy. Default: the latest.")
    ] = None,
    issue_date: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="The date of the new issue, for example 2026-03-19."),
    ] = None,
) -> None:
    """Start a new issue from a copy of the latest one."""
    try:
        chosen = date.fromisoformat(issue_date) if issue_date else None
    except ValueError as err:
        raise InputError(f"--date {issue_date} is not a date; write it as 2026-03-19") from err
    config = current_config()
    folder = new_issue(config, name, source=source, issue_date=chosen, today=datetime.now(UTC).date())
    output.say(config.shown(folder))
    output.print_next(
        f"newsletter preview {quote(folder.name)}", "to see the issue while you replace the old text and dates"
    )
