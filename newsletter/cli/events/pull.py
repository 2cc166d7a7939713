"""`newsletter events pull`: take in the bounces and complaints in the newsletter's own mailbox."""

import os
from datetime import UTC, datetime

from newsletter.cli import bars, output
from newsletter.cli.events.outcome import end_with
from newsletter.cli.options import AsJson, DryRun
from newsletter.cli.workspace import opened_database
from newsletter.workflows.events.pull import pull_events, require_mailbox


def pull(is_dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Read bounces, complaints and requests to unsubscribe from your mailbox, and block addresses that do not work.

    Reads the folder that `[mailbox]` in newsletter.toml names, over IMAP. Email that was understood is moved to one
    folder, and all other email to another, where a person should read it. Nothing is deleted. Run it from a timer, for
    example every hour.

    Exits with status 1 if an email was not understood or fits no email of yours.
    """
    with opened_database(prints_notes=not as_json) as (config, database):
        settings = require_mailbox(config)
        with bars.progress("Reading", None, unit="emails") as advance:
            tally = pull_events(
                config, database, os.environ, now=datetime.now(UTC), is_dry_run=is_dry_run, on_read=advance
            )
    end_with(tally, is_dry_run=is_dry_run, as_json=as_json)
    if tally.emails and not is_dry_run and not as_json:
        output.note(f"The emails are now in the folder {settings.processed}.")
