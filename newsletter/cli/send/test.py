"""`newsletter test`."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.compose.findings import print_findings, summarise_findings
from newsletter.cli.options import NamedIssue, Yes
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.providers.registry import open_provider
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import Composed, compose_issue, require_issue
from newsletter.workflows.segments import audience_fields
from newsletter.workflows.send.reviewer_copies import count_test_copies, reviewers, send_test_copies

_TO = "A group of reviewers in newsletter.toml, or an address; may be given again."


def test(
    issue: NamedIssue,
    to: Annotated[list[str], typer.Option(metavar="GROUP", help=_TO)] = ["reviewers"],  # noqa: B006 - Typer copies it
    yes: Yes = False,
) -> None:
    """Send a test copy to reviewers, made and sent exactly as the broadcast will be.

    The subject is marked [TEST].
    """
    config = current_config()
    mailboxes = reviewers(config, to)
    composed = compose_issue(config, require_issue(config, issue), known_fields=audience_fields(config))
    provider = open_provider(config, os.environ)
    copies = count_test_copies(composed, mailboxes)
    output.print_facts(
        [
            ("issue", f"{composed.issue.name}  {composed.issue.fields.title}"),
            ("to", "\n".join(mailboxes)),
            ("through", provider.describe()),
            ("findings", summarise_findings(composed.findings)),
        ]
    )
    print_findings(composed.errors)
    output.require_yes(f"Send {output.count_of(copies, 'test copy')}?", yes=yes, otherwise="Nothing was sent.")
    with open_database(config.database) as database, bars.progress("Sending", copies, unit="copies") as advance:
        now = datetime.now(UTC)
        results = send_test_copies(config, database, composed, mailboxes, provider, now=now, on_sent=advance)
    refused = [copy for copy in results if copy.refused]
    output.say(f"{len(results) - len(refused)} of {len(results)} test copies accepted")
    for copy in refused:
        output.note(f"{copy.email}: {copy.refused}")
    if refused:
        raise typer.Exit(1)
    _print_next_step(config, composed)


def _print_next_step(config: Config, composed: Composed) -> None:
    name = composed.issue.name
    if composed.errors:
        output.print_next(f"newsletter check {name}", "to see what holds a broadcast back")
    elif config.settings.delivery.require_approval:
        output.print_next(f"newsletter approve {name} --by NAME", "once it was looked at")
    else:
        output.print_next(f"newsletter send {name} --to everyone --dry-run", "to see what it would do")
