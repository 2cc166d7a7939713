"""`newsletter test`."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.compose.findings import print_findings, summarize_findings
from newsletter.cli.options import NamedIssue, OtherSubjects, Yes
from newsletter.cli.send.progress import emails_folder
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.providers.registry import open_provider
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import Composed, compose_issue, require_issue
from newsletter.workflows.segments import audience_fields
from newsletter.workflows.send.questions import facts_of_test
from newsletter.workflows.send.reviewer_copies import (
    count_test_copies,
    require_own_addresses,
    reviewers,
    send_test_copies,
)

_TO = "A group of reviewers from newsletter.toml, or an address. Repeatable."


def test(
    issue: NamedIssue,
    to: Annotated[list[str], typer.Option(metavar="GROUP", help=_TO)] = ["reviewers"],  # noqa: B006 - Typer copies it
    subject: OtherSubjects = [],  # noqa: B006 - Typer copies it
    yes: Yes = False,
) -> None:
    """Send a test email to your reviewers.

    It is built and sent exactly as the broadcast will be, except that its subject begins with [TEST].

    Exits with status 1 if the provider rejects a test email.
    """
    config = current_config()
    mailboxes = reviewers(config, to)
    require_own_addresses(config, mailboxes)
    folder = require_issue(config, issue)
    composed = compose_issue(config, folder, known_fields=audience_fields(config), subjects=subject)
    provider = open_provider(config, os.environ)
    copies = count_test_copies(composed, mailboxes)
    problems = summarize_findings(composed.findings)
    output.print_facts(facts_of_test(composed, mailboxes, through=provider.describe(), problems=problems))
    print_findings(composed.errors)
    output.require_yes(f"Send {output.count_of(copies, 'test email')}?", yes=yes, otherwise="Nothing was sent.")
    with open_database(config.database) as database, bars.progress("Sending", copies, unit="emails") as advance:
        now = datetime.now(UTC)
        results = send_test_copies(config, database, composed, mailboxes, provider, now=now, on_sent=advance)
    refused = [copy for copy in results if copy.refused]
    accepted = len(results) - len(refused)
    copies_sent = (
        f"{accepted:,} of {len(results):,} test emails" if refused else output.count_of(accepted, "test email")
    )
    each = ", one per variant" if len(results) > len(mailboxes) else ""
    where = emails_folder(config) or f"accepted by {provider.name}"
    output.say(f"{copies_sent} for {output.count_of(len(mailboxes), 'reviewer')}{each}, {where}")
    for copy in refused:
        output.note(f"{copy.email} was rejected: {copy.refused}")
    if refused:
        raise typer.Exit(1)
    _print_next_step(config, composed, subject)


def _print_next_step(config: Config, composed: Composed, subjects: Sequence[str]) -> None:
    name, other = composed.issue.name, "".join(f" --subject {quote(each)}" for each in subjects)
    whom = f"--follow-up{other}" if subjects else "--to everyone"
    if composed.errors:
        output.print_next(f"newsletter check {quote(name)}", "to see what blocks a broadcast")
    elif config.settings.delivery.require_approval:
        output.print_next(f"newsletter approve {quote(name)}{other} --by NAME", "once someone has reviewed it")
    else:
        output.print_next(f"newsletter send {quote(name)} {whom} --dry-run", "to see who would get it")
