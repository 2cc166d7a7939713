"""`newsletter proposals`."""

from collections.abc import Callable
from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import AsJson
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_minute
from newsletter.model.proposal import Proposal
from newsletter.workflows.proposals import decline, open_proposals

_DECLINE = "Decline the proposal with this number, so that it cannot be sent."
_COLUMNS: dict[str, Callable[[Proposal], str]] = {
    "proposal": lambda proposal: str(proposal.id),
    "issue": lambda proposal: proposal.issue,
    "segment": lambda proposal: proposal.segment,
    "people": lambda proposal: f"{proposal.recipients:,}",
    "time": lambda proposal: _time_of(proposal),  # noqa: PLW0108 - defined below
    "proposed by": lambda proposal: proposal.proposed_by,
    "expires (UTC)": lambda proposal: show_minute(proposal.expires_at),
}


def proposals(
    declined: Annotated[int | None, typer.Option("--decline", metavar="NUMBER", help=_DECLINE)] = None,
    as_json: AsJson = False,
) -> None:
    """List the broadcasts that AI agents proposed, for you to send or decline."""
    with opened_database() as (_, database):
        if declined is not None:
            decline(database, declined)
            output.note(f"Proposal {declined} was declined.")
        found = open_proposals(database, now=datetime.now(UTC))
    if as_json:
        output.print_json(found)
        return
    if not found:
        output.say("There are no open proposals.")
        return
    output.print_columns(_COLUMNS, found)
    command = f"newsletter send {quote(found[-1].issue)} --proposal {found[-1].id}"
    output.print_next(command, "to see who would get it, then send it or not")


def _time_of(proposal: Proposal) -> str:
    schedule = proposal.schedule
    if schedule is None:
        return "at once"
    return f"{schedule.wall_time:%Y-%m-%d %H:%M} {'local time' if schedule.is_local_time else schedule.zone}"
