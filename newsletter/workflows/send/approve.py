"""Approve the exact content of an issue, and find the requirements that a broadcast does not meet yet."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from shlex import quote

from msgspec import Struct

from newsletter.checks.reading.starter import SAMPLE_LIST, sample_people
from newsletter.checks.rules.unchanged import PLACEHOLDERS
from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.errors import InputError
from newsletter.language.clock import show_zoned
from newsletter.language.counts import people_of
from newsletter.model.finding import APPROVAL, REPEAT, TEST, Finding, Place, Requirement, Severity
from newsletter.model.ledger import Approval, RepeatedContent
from newsletter.store import approvals
from newsletter.store.database import Database
from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.compose.kept import keep_approved
from newsletter.workflows.segments import fields_of_list


class ApprovalDraft(Struct, frozen=True, kw_only=True):
    """The content that someone is about to approve, with earlier approvals and tests."""

    composed: Composed
    given: tuple[Approval, ...]  # valid approvals of exactly this content
    last: Approval | None  # the latest approval of the issue, whatever its content was then
    tested_at: datetime | None  # when the provider accepted a test email of exactly this content

    @property
    def content_hash(self) -> str:
        """The hash of what an approval covers: everything that a subscriber can see, in all variants."""
        return self.composed.rendered.content_hash


def draft_approval(
    config: Config, database: Database, folder: Path, *, subjects: Sequence[str] = (), now: datetime
) -> ApprovalDraft:
    """Compose the issue and check it against the current time, as a broadcast would. Write nothing.

    Raise MistakesError if there are mistakes in its files.
    """
    composed = compose_issue(config, folder, at=now, known_fields=fields_of_list(database), subjects=subjects)
    issue, content_hash = composed.issue.name, composed.rendered.content_hash
    return ApprovalDraft(
        composed=composed,
        given=standing_approvals(database, issue, content_hash),
        last=approvals.last_approval(database, issue),
        tested_at=approvals.tested_at(database, issue, content_hash),
    )


def approve_content(database: Database, draft: ApprovalDraft, *, by: str, now: datetime) -> Approval:
    """Save the approval of the content in the draft, even if the files have been edited since then.

    Raise InputError if `by` is not a name.
    """
    issue = draft.composed.issue.name
    approval = Approval(issue=issue, content_hash=draft.content_hash, by=approver(by), at=now)
    keep_approved(draft.composed)
    approvals.approve(database, approval)
    return approval


def approver(by: str) -> str:
    """Return the approver's name with single spaces. Raise InputError if it is empty or cannot be printed."""
    name = " ".join(by.split())
    if not name or not name.isprintable():
        raise InputError(
            f'--by: {by!r} is not a name; write the name of the person who approves, for example --by "Ana Lima"'
        )
    return name


def unmet_requirements(
    config: Config,
    database: Database,
    issue_name: str,
    content_hash: str,
    *,
    approve: str = "",
    test: str = "",
    subjects: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Return the requirements of `[delivery]` that this content does not meet: approval and test email.

    `approve` and `test` are the commands that meet them, if these are not the commands for issues.
    """
    other = "".join(f" --subject {quote(each)}" for each in subjects)
    approve = approve or f"newsletter approve {quote(issue_name)}{other} --by NAME"
    test = test or f"newsletter test {quote(issue_name)}{other} --to reviewers"
    demanded = config.settings.delivery
    findings = []
    if demanded.require_approval and not standing_approvals(database, issue_name, content_hash):
        remedy = f"have it reviewed, then run: {approve}"
        findings.append(_finding(APPROVAL, issue_name, why_unapproved(config, database, issue_name), remedy))
    if demanded.require_test and approvals.tested_at(database, issue_name, content_hash) is None:
        remedy = f"run: {test}"
        findings.append(_finding(TEST, issue_name, "no test email of this content has been sent", remedy))
    return tuple(findings)


def repeated_content(issue_name: str, repeats: Sequence[RepeatedContent]) -> tuple[Finding, ...]:
    """Return one finding per earlier broadcast that had the same content under another name of the issue."""
    return tuple(
        _finding(
            REPEAT,
            issue_name,
            f"{repeat.people:,} of these people have this content from broadcast {repeat.broadcast} as {repeat.issue}",
            f"to reach only the others, name the folder {repeat.issue} and send that; to send it to all of them, add "
            f'--waive {REPEAT.id} --because "why they get it twice"',
        )
        for repeat in repeats
    )


def sample_people_left(config: Config, database: Database) -> tuple[Finding, ...]:
    """Return an error if emails would leave this machine, and people of the starter's sample list are on the list."""
    if config.settings.provider.table_in_use.route is None:
        return ()
    found = [email for email in sample_people() if find_subscriber(database, email) is not None]
    if not found:
        return ()
    what = f"your list still has {people_of(len(found))} from the sample list, such as {found[0]}"
    remedy = "run `newsletter subscribers undo-import`, or `newsletter subscribers forget EMAIL` for each of them"
    place = Place(path=SAMPLE_LIST)
    return (Finding(rule=PLACEHOLDERS, severity=Severity.ERROR, place=place, what=what, remedy=remedy),)


def standing_approvals(database: Database, issue_name: str, content_hash: str) -> tuple[Approval, ...]:
    """Return the valid approvals of exactly this content, earliest first."""
    return tuple(each for each in approvals.approvals_of(database, issue_name, content_hash) if not each.voided)


def why_unapproved(config: Config, database: Database, issue_name: str) -> str:
    """Return why an issue has no valid approval: it was never approved, was changed, or its approval is void."""
    last, zone = approvals.last_approval(database, issue_name), config.settings.newsletter.timezone
    if last is None:
        return "no one has approved it"
    if last.voided:
        return f"the approval by {last.by} on {show_zoned(last.at, zone)} is void: {last.voided}"
    return f"it was changed after {last.by} approved it on {show_zoned(last.at, zone)}"


def _finding(requirement: Requirement, issue_name: str, what: str, remedy: str) -> Finding:
    place = Place(path=f"{ISSUES_FOLDER}/{issue_name}")
    return Finding(rule=requirement.id, severity=Severity.ERROR, place=place, what=what, remedy=remedy)
