"""`newsletter approve`."""

from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.compose.findings import print_findings, summarize_findings
from newsletter.cli.options import NamedIssue, Yes
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import show_utc
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.approve import ApprovalDraft, approve_content, approver, draft_approval


def approve(
    issue: NamedIssue,
    by: Annotated[str, typer.Option(metavar="NAME", help="The name of the person who approves the issue.")],
    yes: Yes = False,
) -> None:
    """Approve an issue as it is now. Any later edit voids the approval.

    With `require_approval = true` in newsletter.toml, an issue cannot be sent without approval.
    """
    name = approver(by)
    with opened_database() as (config, database):
        draft = draft_approval(config, database, require_issue(config, issue), now=datetime.now(UTC))
        _print_draft(config, draft, by=name)
        issue_name = draft.composed.issue.name
        output.require_yes(f"Approve {issue_name} as {name}?", yes=yes, otherwise="Nothing was approved.")
        approve_content(database, draft, by=name, now=datetime.now(UTC))
    output.say(f"{name} approved {issue_name}, content {draft.content_hash[:12]}")
    if draft.composed.errors:
        output.print_next(f"newsletter check {quote(issue_name)}", "to see what blocks a broadcast")
    elif config.settings.delivery.require_test and draft.tested_at is None:
        output.print_next(
            f"newsletter test {quote(issue_name)} --to reviewers", "to send the test copy that `require_test` requires"
        )
    else:
        output.print_next(f"newsletter send {quote(issue_name)} --to everyone --dry-run", "to see who would get it")


def _print_draft(config: Config, draft: ApprovalDraft, *, by: str) -> None:
    """Print the issue, subject, variants, content hash, problems, and earlier tests and approvals."""
    composed = draft.composed
    mail = sample_mail(config, composed.rendered.fullest)
    variants = [
        f"with {variant.readership.sees}" if variant.readership.sees else "only what everyone sees"
        for variant in composed.rendered.variants
    ]
    output.print_facts(
        [
            ("issue", f"{composed.issue.name}  {composed.issue.shown_title}"),
            ("subject", mail.subject),
            ("preheader", mail.preheader),
            ("variants", "\n".join(variants) if len(variants) > 1 else ""),
            ("content", f"{draft.content_hash[:12]}, a fingerprint of the whole issue; any edit changes it"),
            ("problems", summarize_findings(composed.findings)),
            ("tested", _tested(draft)),
            ("approved", _approved(draft)),
            ("by", by),
        ]
    )
    print_findings(composed.errors)


def _tested(draft: ApprovalDraft) -> str:
    if draft.tested_at is None:
        command = f"newsletter test {quote(draft.composed.issue.name)}"
        return f"no test copy of this content has been sent yet; send one with `{command}`"
    return f"a test copy of this content was sent on {show_utc(draft.tested_at)}"


def _approved(draft: ApprovalDraft) -> str:
    if draft.given:
        return "\n".join(f"this content, by {given.by} on {show_utc(given.at)}" for given in draft.given)
    if draft.last is None:
        return "not yet"
    last = draft.last
    if last.voided:
        return f"by {last.by} on {show_utc(last.at)}, but this approval is void: {last.voided}"
    return f"changed since {last.by} approved {last.content_hash[:12]} on {show_utc(last.at)}"
