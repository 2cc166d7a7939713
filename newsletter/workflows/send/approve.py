"""Approve an issue: somebody's yes to exactly one content, which any edit voids; and what a broadcast still lacks."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.errors import InputError
from newsletter.language.clock import show_utc
from newsletter.model.finding import APPROVAL, TEST, Finding, Place, Requirement, Severity
from newsletter.model.ledger import Approval
from newsletter.store import approvals
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.segments import fields_of_list


class ApprovalDraft(Struct, frozen=True, kw_only=True):
    """What somebody is about to approve, and what was approved and tested before."""

    composed: Composed
    given: tuple[Approval, ...]  # of exactly this content, and not void
    last: Approval | None  # of whichever content
    tested_at: datetime | None  # when a test copy of exactly this content was taken

    @property
    def content_hash(self) -> str:
        """What the approval would hold for: all that a subscriber can see, in all variants."""
        return self.composed.rendered.content_hash


def draft_approval(config: Config, database: Database, folder: Path, *, now: datetime) -> ApprovalDraft:
    """Compose and check the issue as of now, as a broadcast would; write nothing.

    Raise MistakesError where its files cannot be read as an issue.
    """
    composed = compose_issue(config, folder, at=now, known_fields=fields_of_list(database))
    issue, content_hash = composed.issue.name, composed.rendered.content_hash
    return ApprovalDraft(
        composed=composed,
        given=_standing(database, issue, content_hash),
        last=approvals.last_approval(database, issue),
        tested_at=approvals.tested_at(database, issue, content_hash),
    )


def approve_content(database: Database, draft: ApprovalDraft, *, by: str, now: datetime) -> Approval:
    """Keep the approval of what the draft showed, whatever its files say by now.

    Raise InputError where `by` is no name.
    """
    issue = draft.composed.issue.name
    approval = Approval(issue=issue, content_hash=draft.content_hash, by=approver(by), at=now)
    approvals.approve(database, approval)
    return approval


def approver(by: str) -> str:
    """Return the name of the person who approves, fit to be kept and shown; raise InputError where there is none."""
    name = " ".join(by.split())
    if not name or not name.isprintable():
        raise InputError(f'{by!r} is not a name; write --by "Ana Lima"')
    return name


def unmet_requirements(config: Config, database: Database, issue_name: str, content_hash: str) -> tuple[Finding, ...]:
    """Return what `[delivery]` demands of this content and nobody has done."""
    demanded = config.settings.delivery
    findings = []
    if demanded.require_approval and not _standing(database, issue_name, content_hash):
        remedy = f"have it looked at, then: newsletter approve {issue_name} --by NAME"
        findings.append(_finding(APPROVAL, issue_name, _unapproved(database, issue_name), remedy))
    if demanded.require_test and approvals.tested_at(database, issue_name, content_hash) is None:
        remedy = f"send one: newsletter test {issue_name} --to reviewers"
        findings.append(_finding(TEST, issue_name, "no test copy of this content was sent", remedy))
    return tuple(findings)


def _standing(database: Database, issue_name: str, content_hash: str) -> tuple[Approval, ...]:
    return tuple(each for each in approvals.approvals_of(database, issue_name, content_hash) if not each.voided)


def _unapproved(database: Database, issue_name: str) -> str:
    last = approvals.last_approval(database, issue_name)
    if last is None:
        return "nobody approved it"
    if last.voided:
        return f"the approval by {last.by} on {show_utc(last.at)} is void: {last.voided}"
    return f"changed since {last.by} approved it on {show_utc(last.at)}"


def _finding(requirement: Requirement, issue_name: str, what: str, remedy: str) -> Finding:
    place = Place(path=f"{ISSUES_FOLDER}/{issue_name}")
    return Finding(rule=requirement.id, severity=Severity.ERROR, place=place, what=what, remedy=remedy)
