"""`newsletter correct`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, NamedIssue, Yes
from newsletter.cli.send.plan import print_plan
from newsletter.cli.send.send import awake_for, begin_sending, provider_for_sending, read_time, send_from_here
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.counts import people_of
from newsletter.model.ledger import Approval
from newsletter.providers.base import Provider
from newsletter.store.approvals import approve as save_approval
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.publish.on_sending import publish_again
from newsletter.workflows.send.approve import approver
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.correct import PlannedCorrection, plan_correction
from newsletter.workflows.send.plan import start_broadcast
from newsletter.workflows.send.reviewer_copies import reviewers, send_test_copies

_EVENT = "The event to correct: its id, or the name of its file, for example `workshop`."
_WHEN = "The time to send at, for example `thursday 08:00` or `in 2 hours`. Default: now."
_AWAKE = "With --at: what will be running then: serve, timer, worker, or here (this terminal). Default: you are asked."
_APPROVE = "Approve the correction as this person. Nothing is sent."
_TEST = "Send a test email of the correction to your reviewers. No subscriber gets it."


def correct(
    issue: NamedIssue,
    event: Annotated[str, typer.Argument(metavar="EVENT", help=_EVENT)],
    at: Annotated[str | None, typer.Option(metavar="WHEN", help=_WHEN)] = None,
    awake: Annotated[Awake | None, typer.Option(metavar="WHAT", help=_AWAKE)] = None,
    test: Annotated[bool, typer.Option("--test", help=_TEST)] = False,
    approve_as: Annotated[str | None, typer.Option(metavar="NAME", help=_APPROVE)] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Send a correction to everyone who was told another time or place of an event.

    Edit the event first, or update the time zones. Everyone whose last email about it had another time or place gets a
    short email with the old and the new one, in the event's time zone and in their own. No one gets the same correction
    twice.

    Exits with status 1 if a problem blocks sending, or if you do not confirm.
    """
    with opened_database() as (config, database):
        now = datetime.now(UTC)
        schedule = read_time(config, at, now=now)
        if awake and schedule is None:
            raise InputError('--awake needs a time; add --at, for example --at "thursday 08:00"')
        provider = provider_for_sending(config, is_needed=not dry_run)
        planned = plan_correction(
            config, database, require_issue(config, issue), event, schedule=schedule, provider=provider, now=now
        )
        if planned is None:
            output.say(f"No one needs a correction: everyone who was told about {event} was told what is true now.")
            return
        _print(config, planned, provider, now=now)
        if approve_as is not None:
            _approve(database, planned, approver(approve_as), yes=yes)
        elif test:
            _test(config, database, planned, provider_for_sending(config, is_needed=True), yes=yes)
        elif planned.broadcast.blocking:
            output.note("Nothing was sent. Fix the errors above, then try again.")
            raise typer.Exit(1)
        elif provider is None or dry_run:
            output.note("Dry run: nothing was sent. Run the same command without --dry-run to send.")
        else:
            _send(config, database, planned, provider, awake, yes=yes)


def _print(config: Config, planned: PlannedCorrection, provider: Provider | None, *, now: datetime) -> None:
    through = provider.describe() if provider else config.settings.provider.use
    print_plan(config, planned.broadcast, through=through, now=now)
    output.note(f"The event is now: {planned.event.shown}{_place(planned.event.location)}")
    for each in planned.misled:
        before = f"{each.told.shown}{_place(each.told.location)}"
        output.note(f"{people_of(len(each.people))} told earlier: {before}")


def _place(location: str) -> str:
    return f" · {location}" if location else ""


def _approve(database: Database, planned: PlannedCorrection, name: str, *, yes: bool) -> None:
    request = planned.broadcast.request
    output.require_yes(f"Approve this correction as {name}?", yes=yes, otherwise="Nothing was approved.")
    now = datetime.now(UTC)
    save_approval(database, Approval(issue=request.issue, content_hash=request.content_hash, by=name, at=now))
    output.say(f"{name} approved the correction, content {request.content_hash[:12]}")


def _test(
    config: Config, database: Database, planned: PlannedCorrection, provider: Provider | None, *, yes: bool
) -> None:
    mailboxes = reviewers(config, ["reviewers"])
    question = f"Send test emails to {output.count_of(len(mailboxes), 'reviewer')}?"
    output.require_yes(question, yes=yes, otherwise="Nothing was sent.")
    if provider is not None:
        composed = planned.broadcast.composed
        copies = send_test_copies(
            config, database, composed, mailboxes, provider, now=datetime.now(UTC), on_sent=lambda _: None
        )
        output.say(f"{output.count_of(sum(not copy.refused for copy in copies), 'test email')} sent")


def _send(
    config: Config,
    database: Database,
    planned: PlannedCorrection,
    provider: Provider,
    awake: Awake | None,
    *,
    yes: bool,
) -> None:
    plan = planned.broadcast
    chosen = awake_for(config, database, awake, may_ask=not yes) if plan.schedule else None
    verb = "Schedule it for" if plan.schedule else "Send to"
    people = output.count_of(plan.preview.recipients, "subscriber")
    output.require_yes(f"{verb} {people}?", yes=yes, otherwise="Nothing was sent.")
    broadcast = start_broadcast(database, plan, provider, now=datetime.now(UTC))
    publish_again(config, database, now=datetime.now(UTC), say=output.note)
    send = send_from_here if chosen is Awake.HERE else begin_sending
    send(config, database, broadcast, plan, provider)
