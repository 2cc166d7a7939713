"""`newsletter subscribers ask-again`: who would get the email, the confirmation, and what happens next."""

from collections.abc import Sequence
from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.options import DryRun, Without, Yes
from newsletter.cli.workspace import opened_database
from newsletter.language.counts import people_of
from newsletter.model.finding import Means
from newsletter.system.environment import forget_key
from newsletter.workflows.send import re_permission as workflow
from newsletter.workflows.send.re_permission import PlannedAsking

_SHOWN = 10
_NO_ONE = "No one was asked."


def ask_again(dry_run: DryRun = False, without: Without = [], yes: Yes = False) -> None:  # noqa: B006 - Typer copies it
    """Ask people without a recorded consent, once, whether they want your newsletter.

    The email has a button, and pressing it records a consent. People who unsubscribed, bounced, complained, were
    blocked, have paused or have a consent or basis do not get it. No one gets it twice. After a month,
    `newsletter subscribers let-go` blocks those who did not answer.

    The email is sent by `newsletter serve`, `newsletter run-due` or a worker, at the pace and hours in your settings.
    """
    now = datetime.now(UTC)
    with opened_database() as (config, database):
        planned = workflow.plan_asking(database, now=now)
        _print_plan(planned, is_whole=dry_run)
        if not planned.people:
            output.say("There is no one to ask.")
            return
        if dry_run:
            output.note_dry_run()
            return
        if Means.NETWORK not in without:
            workflow.require_pages(config)
        question = f"Ask {people_of(len(planned.people))} by email? No one can be asked a second time."
        output.require_yes(question, yes=yes, otherwise=_NO_ONE)
        asked = workflow.ask_again(config, database, planned, key=forget_key(), now=datetime.now(UTC))
    if asked is None:
        output.say(_NO_ONE)
        return
    number, people = asked
    output.say(f"Broadcast {number} to {people_of(people)} is ready, and is sent when email that is due is sent.")
    output.print_next("newsletter run-due", "to send it now, unless the service or a timer does")
    output.print_next(f"newsletter cancel {number}", "to stop it")


def print_people(emails: Sequence[str], *, is_whole: bool) -> None:
    """Print addresses, one per line: all of them, or the first."""
    shown = emails if is_whole else emails[:_SHOWN]
    for email in shown:
        output.say(f"  {email}")
    if more := len(emails) - len(shown):
        output.say(f"  … and {more:,} more; --dry-run shows all of them")


def _print_plan(planned: PlannedAsking, *, is_whole: bool) -> None:
    """Print who would get the email, and why others without a consent are left out."""
    output.print_facts(
        [
            ("would be asked", people_of(len(planned.people))),
            *((f"left out: {each.reason}", people_of(each.people)) for each in planned.left_out),
        ]
    )
    print_people([each.email for each in planned.people], is_whole=is_whole)
