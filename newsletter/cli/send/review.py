"""`newsletter review`."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.compose.findings import print_findings, summarize_findings
from newsletter.cli.options import NamedIssue, Yes
from newsletter.cli.send.progress import emails_folder
from newsletter.cli.workspace import current_config, opened_database
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import show_zoned
from newsletter.model.review import REVIEW_VALID_FOR, Remark
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.system.files import write_shared
from newsletter.workflows.compose.compose import BUILD_FOLDER, require_issue
from newsletter.workflows.review.invite import open_review, send_invitations
from newsletter.workflows.review.remarks import mark_remark, remarks_of
from newsletter.workflows.review.shown import pictures_of_draft, snapshot_of_draft
from newsletter.workflows.send.approve import ApprovalDraft, draft_approval
from newsletter.workflows.send.reviewer_copies import reviewers

_TO = "With --send: a group of reviewers from newsletter.toml, or an address. Repeatable."
_REVIEWERS = "reviewers"
_LARGE_FILE_BYTES = 10_000_000  # many mailboxes refuse an email that is much larger than this


def review(
    issue: NamedIssue,
    send: Annotated[
        bool, typer.Option("--send", help="Email each reviewer a link to a page for comments and approval.")
    ] = False,
    to: Annotated[list[str], typer.Option(metavar="GROUP", help=_TO)] = [_REVIEWERS],  # noqa: B006 - Typer copies it
    remarks: Annotated[bool, typer.Option("--remarks", help="List the comments of your reviewers.")] = False,
    done: Annotated[list[int], typer.Option(metavar="N", help="Mark this comment as done. Repeatable.")] = [],  # noqa: B006 - as above
    yes: Yes = False,
) -> None:
    """Write an issue as one file for reviewers, or send them a link to comment on it and approve it.

    The file contains the email, its images, the problems found and what has changed, and opens without the internet.
    The link needs `newsletter serve`. It works for two weeks, or until you send a newer one.

    Exits with status 1 if the provider rejects an email.
    """
    if send and (done or remarks):
        raise InputError("--send cannot be combined with --remarks or --done; run the command twice")
    if list(to) != [_REVIEWERS] and not send:
        raise InputError("--to needs --send; without it, the file is written and no one is emailed")
    config = current_config()
    folder = require_issue(config, issue)
    if done or remarks:
        for number in done:
            mark_remark(config, folder.name, number, done_at=datetime.now(UTC))
        _print_remarks(folder.name, remarks_of(config, folder.name), config.settings.newsletter.timezone)
        return
    now = datetime.now(UTC)
    with opened_database(prints_notes=False) as (_, database):
        draft = draft_approval(config, database, folder, now=now)
        if send:
            _send(config, database, draft, reviewers(config, to), yes=yes)
        else:
            _write(config, database, draft, now=now)


def _write(config: Config, database: Database, draft: ApprovalDraft, *, now: datetime) -> None:
    from newsletter.web.public.review_file import (
        ReviewFile,
        review_file,
    )  # loads the web pages, which --send does not need

    name = draft.composed.issue.name
    content = ReviewFile(
        snapshot=snapshot_of_draft(config, database, draft),
        pictures=pictures_of_draft(draft),
        content_hash=draft.content_hash,
        made_at=now,
    )
    path = config.root / BUILD_FOLDER / f"{name}.review.html"
    path.parent.mkdir(exist_ok=True)
    page = review_file(config, content).encode()
    write_shared(path, page)
    output.say(f"{config.shown(path)}  {output.styled(f'{len(page) / 1000:,.1f} KB', 'dim')}")
    output.note(summarize_findings(draft.composed.findings))
    if len(page) > _LARGE_FILE_BYTES:
        output.note("Many mailboxes refuse an attachment of this size. Send your reviewers a link instead.")
    output.print_next(f"newsletter review {quote(name)} --send", "to let reviewers comment and approve on a page")


def _send(config: Config, database: Database, draft: ApprovalDraft, mailboxes: Sequence[str], *, yes: bool) -> None:
    provider, issue = open_provider(config, os.environ), draft.composed.issue
    output.print_facts(
        [
            ("issue", f"{issue.name}  {issue.shown_title}"),
            ("content", draft.content_hash[:12]),
            ("to", "\n".join(mailboxes)),
            ("through", provider.describe()),
            ("page", f"{config.settings.service.url}, which `newsletter serve` serves"),
            ("problems", summarize_findings(draft.composed.findings)),
        ]
    )
    print_findings(draft.composed.errors)
    invitations = output.count_of(len(mailboxes), "invitation")
    output.require_yes(f"Send {invitations} to review it?", yes=yes, otherwise="Nothing was sent.")
    now = datetime.now(UTC)
    invited = open_review(config, database, draft, mailboxes, now=now)
    results = list(send_invitations(config, draft, invited, provider, now=now))
    refused = [each for each in results if each.refused]
    accepted = f"{len(results) - len(refused):,} of " if refused else ""
    where = emails_folder(config) or f"accepted by {provider.name}"
    output.say(f"{accepted}{output.count_of(len(results), 'invitation')}, {where}")
    until = show_zoned(now + REVIEW_VALID_FOR, config.settings.newsletter.timezone)
    output.note(f"The links work until {until}. Earlier links to this issue have ended.")
    for each in refused:
        output.note(f"{each.email} was rejected: {each.refused}")
    if refused:
        raise typer.Exit(1)
    output.print_next(f"newsletter review {quote(issue.name)} --remarks", "to read what they say")


def _print_remarks(issue: str, remarks: Sequence[Remark], zone: str) -> None:
    """Print each remark with its place, the words that it is about, and whether it is done."""
    if not remarks:
        output.say(f"No comments on {issue} yet.")
        return
    for each in remarks:
        state = f"done {show_zoned(each.done_at, zone)}" if each.done_at else f"comment {each.id}"
        output.say(f"{each.place}: {each.said_by} on {show_zoned(each.said_at, zone)}, {state}")
        if each.words:
            output.say(f"    about “{output.shortened(each.words, 60)}”", hang=4)
        for line in each.said.splitlines():
            output.say(f"    {line}", hang=4)
    if waiting := sum(each.done_at is None for each in remarks):
        output.note(f"{output.count_of(waiting, 'comment')} not done yet")
        first = next(each for each in remarks if each.done_at is None)
        output.print_next(f"newsletter review {quote(issue)} --done {first.id}", "once you have dealt with the first")
