"""`approve`, `resolve` and `audit`: what people say about a broadcast, and what the ledger answers for."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.config import Config
    from newsletter.model.ledger import Resolution, UnknownChunk
    from newsletter.providers.base import Provider
    from newsletter.store.database import Database
    from newsletter.workflows.send.resolve import Reconciliation

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Number = Annotated[int, typer.Argument(metavar="BROADCAST", help="The number of a broadcast.")]


class Part(StrEnum):
    """The parts of the identity, each a list of people."""

    ACCEPTED = "accepted"
    EXCLUDED = "excluded"
    INVALID = "invalid"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    WAITING = "waiting"
    INFLIGHT = "inflight"


def approve(
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="The issue, such as 2026-02.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who approves it.")],
    yes: Yes = False,
) -> None:
    """Say yes to an issue exactly as it is now: any edit of its words, pictures or looks asks for a new yes.

    With `require_approval = true` in newsletter.toml, a broadcast waits for it.
    """
    from datetime import UTC, datetime

    from newsletter.cli.approvals import show_draft
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.compose.compose import find_issue
    from newsletter.workflows.send.approve import approve_content, approver, draft_approval

    name = approver(by)
    with opened_database() as (config, database):
        draft = draft_approval(config, database, find_issue(config, issue), now=datetime.now(UTC))
        show_draft(config, draft, by=name)
        if not yes and not output.confirm(f"Approve {draft.composed.issue.name} as {name}?"):
            output.note("Nothing was approved.")
            raise typer.Exit(1)
        approve_content(database, draft, by=name, now=datetime.now(UTC))
    issue_name = draft.composed.issue.name
    output.say(f"{name} approved {issue_name} {draft.content_hash[:12]}")
    if draft.composed.errors:
        output.show_next(f"newsletter check {issue_name}", "to see what holds a broadcast back")
    elif config.settings.delivery.require_test and draft.tested_at is None:
        output.show_next(f"newsletter test {issue_name} --to reviewers", "`require_test` asks for it, too")
    else:
        output.show_next(f"newsletter send {issue_name} --to everyone --dry-run", "to see what it would do")


def resolve(
    broadcast: Number,
    assume_sent: Annotated[bool, typer.Option("--assume-sent", help="Count them as accepted.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Make them ready to be sent again by `resume`.")] = False,
    chunk: Annotated[
        list[int], typer.Option(metavar="N", help="Decide about this chunk alone; may be given again.")
    ] = [],  # noqa: B006 - Typer copies it
    because: Annotated[str, typer.Option(metavar="WHY", help="Why; kept in the ledger.")] = "",
    yes: Yes = False,
) -> None:
    """Find out what became of mail that may or may not have been taken: looks for evidence, then asks.

    Evidence is looked for among the events that came in, and in the provider's log. Nothing is sent by this command.
    Ends with 1 while something stays unknown.
    """
    from datetime import UTC, datetime

    from newsletter.cli.resolutions import show_reconciliation
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.send.resolve import choose_chunks, reconcile

    _require_one(assume_sent=assume_sent, resend=resend)
    with opened_database() as (config, database):
        provider, notes = _opened_provider(config)
        found = reconcile(database, broadcast, provider, now=datetime.now(UTC), notes=notes)
        chosen = choose_chunks(found, chunk)
        show_reconciliation(found, chosen, now=datetime.now(UTC))
        if not chosen:
            _end(database, found)
            return
        decision = _decide(chosen, assume_sent=assume_sent, resend=resend, yes=yes)
        if decision is None:
            output.note("They stay unknown. Nothing of them is sent again by itself.")
            raise typer.Exit(1)
        _resolve(database, found, chosen, decision, because)


def audit(
    broadcast: Number,
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Answer for this address alone.")] = None,
    part: Annotated[
        Part | None,
        typer.Option(
            "--list",
            metavar="PART",
            help="Name everybody behind one number: accepted, excluded, invalid, cancelled, unknown, rejected, waiting "
            "or inflight.",
        ),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write everybody, or those of --list, to a file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Account for a broadcast: that its parts add up, each request, what happened, and who is behind each number.

    With an address: whether that person got it, when, and by which request. Ends with 1 where the parts do not add up.
    """
    from newsletter.cli.answers import show_person
    from newsletter.cli.audits import show_account, show_deliveries
    from newsletter.cli.workspace import opened_database
    from newsletter.errors import InputError
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.send.audit import audit_broadcast, audit_person, list_deliveries, write_deliveries

    if address is not None and (part or csv_file):
        raise InputError("an address is answered for alone; leave --list and --csv out, or the address")
    if address is not None and "@" not in address:
        raise InputError(f"{address!r} is not an address; write one, or --list PART to name everybody behind a number")
    with opened_database() as (_, database):
        if address is not None:
            show_person(audit_person(database, broadcast, address, key=forget_key()), as_json=as_json)
            return
        if csv_file is not None:
            count = write_deliveries(database, broadcast, csv_file, part=part, overwrite=force)
            output.note(f"{output.count_of(count, 'delivery')} written to {csv_file}")
            return
        if part is not None:
            show_deliveries(list_deliveries(database, broadcast, part=part), as_json=as_json)
            return
        account = audit_broadcast(database, broadcast, every_request=as_json)
        show_account(account, as_json=as_json)
        if not account.tally.adds_up:
            raise typer.Exit(1)


def _require_one(*, assume_sent: bool, resend: bool) -> None:
    from newsletter.errors import InputError

    if assume_sent and resend:
        raise InputError("--assume-sent and --resend are opposites; give one of them, or neither to be asked")


def _opened_provider(config: "Config") -> "tuple[Provider | None, list[str]]":
    """The provider, where it can be opened: without it there is still the evidence of events."""
    import os

    from newsletter.errors import ProviderError
    from newsletter.providers.registry import open_provider

    try:
        return open_provider(config, os.environ), []
    except ProviderError as err:
        return None, [f"The provider's log was not read: {err}"]


def _decide(chunks: "Sequence[UnknownChunk]", *, assume_sent: bool, resend: bool, yes: bool) -> "Resolution | None":
    """What the person wants, or None where they leave it open."""
    from newsletter.cli.resolutions import ask_for_resolution, confirm_resolution
    from newsletter.model.ledger import Resolution

    if not (assume_sent or resend):
        return ask_for_resolution(chunks)
    asked = Resolution.ASSUME_SENT if assume_sent else Resolution.RESEND
    return asked if yes or confirm_resolution(chunks, asked) else None


def _resolve(
    database: "Database",
    found: "Reconciliation",
    chunks: "Sequence[UnknownChunk]",
    resolution: "Resolution",
    because: str,
) -> None:
    from datetime import UTC, datetime

    from newsletter.cli.next_steps import sending_again
    from newsletter.model.ledger import Resolution
    from newsletter.workflows.send.resolve import resolve_chunks

    number = found.broadcast.id
    count = resolve_chunks(database, number, chunks, resolution, because=because, now=datetime.now(UTC))
    settled = output.count_of(count, "delivery")
    if resolution is Resolution.ASSUME_SENT:
        output.say(f"  {settled} counted as accepted")
        _end(database, found)
    elif found.is_over:
        output.say(f"  {settled} cancelled: nothing of this broadcast leaves any more")
        _end(database, found, (sending_again(found.broadcast), "reaches those who did not get it"))
    else:
        output.say(f"  {settled} made ready to be sent again")
        _end(database, found, (f"newsletter resume {number}", "sends them"))


def _end(database: "Database", found: "Reconciliation", step: tuple[str, str] | None = None) -> None:
    """Says how the broadcast stands and what is next, and ends with 1 while something of it is unknown."""
    from newsletter.cli.statuses import identity
    from newsletter.workflows.send.status import show_line

    tally = show_line(database, found.broadcast.id).tally
    output.say(f"  {identity(tally)}")
    if step is not None:
        output.show_next(*step)
    if tally.unknown:
        output.show_next(f"newsletter resolve {found.broadcast.id}", f"about the {tally.unknown:,} that are left")
        raise typer.Exit(1)
