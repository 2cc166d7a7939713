"""`newsletter build`."""

import sys
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer
from msgspec.structs import replace

from newsletter.cli import output
from newsletter.cli.compose.findings import summarize_findings
from newsletter.cli.options import NewestIssue
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.issue import Issue
from newsletter.model.readership import VERSIONS, Reader
from newsletter.workflows.compose.build import build_issue
from newsletter.workflows.compose.check import not_judged
from newsletter.workflows.compose.compose import Fields, require_issue


def build(
    issue: NewestIssue = None,
    as_email: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="Also write the email exactly as this subscriber will receive it."),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="With --as: the version of the issue that they get, such as B."),
    ] = None,
) -> None:
    """Save an issue in build/ as HTML, images, plain text and an email file, with a report.

    Exits with status 1 if an error blocks sending.
    """
    config, now = current_config(), datetime.now(UTC)
    folder = require_issue(config, issue)
    if version is not None and as_email is None:
        raise InputError("--version needs a subscriber; add --as EMAIL, or leave it out to save every version")
    reader_for = (lambda written: _reader(config, written, as_email, version, now)) if as_email is not None else None
    known_fields: Fields = None  # there is no list yet
    if config.has_database:
        # Imported only if there is a list, because it loads the store, which takes a tenth of the time of a build.
        from newsletter.workflows.segments import audience_fields

        known_fields = audience_fields(config)
    built = build_issue(config, folder, now, known_fields=known_fields, reader_for=reader_for)
    for path in built.files:
        output.say(f"{config.shown(path)}  {output.styled(f'{path.stat().st_size / 1000:,.1f} KB', 'dim')}")
    output.note(summarize_findings(built.composed.findings))
    for line in not_judged(built.composed.not_run):
        output.note(output.styled(f"Skipped: {line}", "dim", stream=sys.stderr))
    if built.composed.errors:
        output.print_next(f"newsletter check {quote(folder.name)}", "to see the errors and how to fix them")
        raise typer.Exit(1)
    output.print_next(f"newsletter preview {quote(folder.name)}", "to see the issue as your readers will")


def _reader(config: Config, issue: Issue, email: str, version: str | None, now: datetime) -> Reader:
    name = (version or "").upper()
    if version is not None and name not in (known := (VERSIONS[0], *issue.versions)):
        raise InputError(f"the issue has no version {version!r}; choose from {', '.join(known)}")
    from newsletter.workflows.compose.reader import require_reader  # loads the store, as above

    found = require_reader(config, issue, email, now=now)
    if found.left_out:
        output.note(f"This subscriber would not receive this issue: {found.left_out}")
    return replace(found.reader, version=name or found.reader.version)
