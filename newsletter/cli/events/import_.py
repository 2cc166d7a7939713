"""`newsletter events import`: take in bounces, complaints and a provider's events from files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import bars
from newsletter.cli.events.outcome import end_with
from newsletter.cli.options import AsJson, DryRun
from newsletter.cli.workspace import opened_database
from newsletter.mailbox.files import count_mails
from newsletter.workflows.events.import_ import STDIN, import_events

_FILES = "Emails (files, an mbox, a Maildir or another folder) or SendGrid's events (JSON or CSV). - is standard input."


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=_FILES)],
    is_dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read bounces, complaints and a provider's events from files, and block addresses that do not work.

    Also reads requests to unsubscribe that came by email. Automatic replies change nothing. It is safe to import a file
    again: what is known already is skipped.

    Exits with status 1 if an email was not understood or fits no email of yours.
    """
    total = sum(map(count_mails, files)) if STDIN not in files and any(path.is_dir() for path in files) else None
    with (
        opened_database(prints_notes=not as_json) as (config, database),
        bars.progress("Reading", total, unit="items") as advance,
    ):
        now = datetime.now(UTC)
        tally = import_events(config, database, files, now=now, is_dry_run=is_dry_run, on_read=advance)
    end_with(tally, is_dry_run=is_dry_run, as_json=as_json)
