"""`newsletter build`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.compose.findings import summarise_findings
from newsletter.cli.options import NewestIssue
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.model.issue import Issue
from newsletter.model.readership import Reader
from newsletter.workflows.compose.build import build_issue
from newsletter.workflows.compose.compose import require_issue


def build(
    issue: NewestIssue = None,
    as_email: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Also write this reader's email.")
    ] = None,
) -> None:
    """Write the issue to build/: HTML with its images, text, an email file, and a report."""
    config, now = current_config(), datetime.now(UTC)
    folder = require_issue(config, issue)
    reader_for = (lambda written: _reader(config, written, as_email, now)) if as_email is not None else None
    known_fields = None  # where there is no list yet
    if config.has_database:
        from newsletter.workflows.segments import audience_fields  # loads the store, which takes a tenth of a build

        known_fields = audience_fields(config)
    built = build_issue(config, folder, now, known_fields=known_fields, reader_for=reader_for)
    for path in built.files:
        output.say(f"{config.shown(path)}  {output.styled(f'{path.stat().st_size / 1000:,.1f} kB', 'dim')}")
    output.note(summarise_findings(built.composed.findings))
    if built.composed.errors:
        output.print_next(f"newsletter check {folder.name}", "to see what holds it back")
        raise typer.Exit(1)
    output.print_next(f"newsletter preview {folder.name}", "to see it as readers will")


def _reader(config: Config, issue: Issue, email: str, now: datetime) -> Reader:
    from newsletter.workflows.compose.reader import require_reader  # as above

    found = require_reader(config, issue, email, now=now)
    if found.left_out:
        output.note(f"This issue would not go to this subscriber: {found.left_out}")
    return found.reader
