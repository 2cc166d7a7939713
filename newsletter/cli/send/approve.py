"""`newsletter approve`."""

from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.compose.findings import print_findings, summarize_findings
from newsletter.cli.options import NamedIssue, OtherSubjects, Yes
from newsletter.cli.workspace import opened_database
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.approve import approve_content, approver, draft_approval
from newsletter.workflows.send.questions import approval_facts


def approve(
    issue: NamedIssue,
    by: Annotated[str, typer.Option(metavar="NAME", help="The name of the person who approves the issue.")],
    subject: OtherSubjects = [],  # noqa: B006 - Typer copies it
    yes: Yes = False,
) -> None:
    """Approve an issue as it is now. Any later edit voids the approval.

    With `require_approval = true` in newsletter.toml, an issue cannot be sent without approval.
    """
    name = approver(by)
    with opened_database() as (config, database):
        folder = require_issue(config, issue)
        draft = draft_approval(config, database, folder, subjects=subject, now=datetime.now(UTC))
        problems = summarize_findings(draft.composed.findings)
        output.print_facts(approval_facts(config, draft, by=name, problems=problems))
        print_findings(draft.composed.errors)
        issue_name = draft.composed.issue.name
        output.require_yes(f"Approve {issue_name} as {name}?", yes=yes, otherwise="Nothing was approved.")
        approve_content(database, draft, by=name, now=datetime.now(UTC))
    output.say(f"{name} approved {issue_name}, content {draft.content_hash[:12]}")
    if draft.composed.errors:
        output.print_next(f"newsletter check {quote(issue_name)}", "to see what blocks a broadcast")
    elif config.settings.delivery.require_test and draft.tested_at is None:
        other = "".join(f" --subject {quote(each)}" for each in subject)
        output.print_next(
            f"newsletter test {quote(issue_name)}{other} --to reviewers",
            "to send the test email that `require_test` requires",
        )
    else:
        other = "".join(f" --subject {quote(each)}" for each in subject)
        whom = f"--follow-up{other}" if subject else "--to everyone"
        output.print_next(f"newsletter send {quote(issue_name)} {whom} --dry-run", "to see who would get it")
