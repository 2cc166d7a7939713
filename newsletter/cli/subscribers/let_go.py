"""`newsletter subscribers let-go`: who would be let go, the confirmation, and the result."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.subscribers.ask_again import print_people
from newsletter.cli.workspace import opened_database
from newsletter.language.counts import people_of
from newsletter.workflows.send import re_permission as workflow


def let_go(
    after: Annotated[
        int, typer.Option("--after", metavar="DAYS", help="How many days people had to answer. Default: 30.")
    ] = 30,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Block people who did not answer when you asked for their consent.

    Only people who certainly got the email from `newsletter subscribers ask-again` are blocked. No import brings
    them back, but their own new consent does, even with the button in that email. Nothing is deleted, and the totals of
    your broadcasts stay the same.
    """
    now = datetime.now(UTC)
    with opened_database() as (_, database):
        planned = workflow.plan_going(database, after_days=after, now=now)
        output.print_facts([("did not answer", people_of(len(planned.people)))])
        print_people([each.email for each in planned.people], is_whole=dry_run)
        if not planned.people:
            return
        if dry_run:
            output.note_dry_run()
            return
        output.require_yes(f"Block {people_of(len(planned.people))}?", yes=yes, otherwise="Nothing was changed.")
        gone = workflow.let_go(database, planned, now=datetime.now(UTC))
    output.say(f"{people_of(gone).capitalize()} blocked.")
