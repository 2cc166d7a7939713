"""`newsletter resume`."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Yes
from newsletter.cli.send.progress import hand_over
from newsletter.cli.workspace import opened_database
from newsletter.providers.registry import open_provider
from newsletter.workflows.send.plan import reopen_broadcast, require_unfinished
from newsletter.workflows.send.questions import people_to_resume, question_of_resume, resume_facts
from newsletter.workflows.send.schedule import lead_of
from newsletter.workflows.send.status import status_of


def resume(
    broadcast: Annotated[
        int | None,
        typer.Argument(
            metavar="BROADCAST", help="The number of the broadcast. Required if more than one is unfinished."
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Continue a broadcast that was interrupted or paused.

    Emails that were sent, or may have been sent, are not sent again. If its canary is being watched, or stopped it, the
    others get the issue now, whatever comes back.
    """
    with opened_database() as (config, database):
        provider = open_provider(config, os.environ)
        now, lead = datetime.now(UTC), lead_of(config)
        found = status_of(database, require_unfinished(database, broadcast, provider, lead=lead, now=now).id)
        output.print_facts(resume_facts(config, found, through=provider.describe(), now=now))
        waiting = people_to_resume(found, now=now)
        question = question_of_resume(found, waiting)
        sentence = f"{question[0].upper()}{question[1:]}?"
        output.require_yes(sentence, yes=yes or not waiting, otherwise="Nothing was sent.")
        reopened = reopen_broadcast(database, found.broadcast.id, now=datetime.now(UTC))
        hand_over(config, database, reopened, provider, ahead=lead)
