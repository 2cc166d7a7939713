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
from newsletter.workflows.compose.compose import find_issue


def build(
    issue: NewestIssue = None,
    as_email: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Write the mail of this subscriber, too.")
    ] = None,
) -> None:
    """Write the issue to build/: HTML with its pictures, text, a mail to open in a mail program, a report."""
    config, now = current_config(), datetime.now(UTC)
    folder = find_issue(config, issue)
    reader_for = (lambda written: _reader(config, written, as_email, now)) if as_email else None
    built = build_issue(config, folder, now, known_fields=_audience_fields(config), reader_for=reader_for)
    for file in built.files:
        output.say(f"{config.shown(file.path)}  {output.styled(f'{file.size_bytes / 1000:,.1f} kB', 'dim')}")
    output.note(summarise_findings(built.composed.findings))
    if built.composed.errors:
        output.show_next(f"newsletter check {folder.name}", "to see what holds it back")
        raise typer.Exit(1)
    output.show_next(f"newsletter preview {folder.name}", "to see it as readers will")


def _audience_fields(config: Config) -> tuple[str, ...] | None:
    """Return the merge fields of the list, or None where there is no list yet."""
    if not config.has_database:
        return None
    from newsletter.workflows.segments import audience_fields  # loads the store, which takes a tenth of a build

    return audience_fields(config)


def _reader(config: Config, issue: Issue, email: str, now: datetime) -> Reader:
    from newsletter.store.opening import open_database  # as above
    from newsletter.workflows.compose.reader import require_reader

    with open_database(config.database) as database:
        return require_reader(config, database, issue, email, now=now)
