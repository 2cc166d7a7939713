"""`newsletter winner`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.status import print_broadcast
from newsletter.cli.workspace import opened_database
from newsletter.workflows.publish.on_sending import publish_again
from newsletter.workflows.send.status import status_of
from newsletter.workflows.send.winner import choose_winner, comparison_facts, comparison_of, require_choice

_VERSION = "The version of the issue that all others get, such as B. Default: only show what came back about each."


def winner(
    broadcast: BroadcastNumber,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help=_VERSION)] = None,
    yes: Yes = False,
) -> None:
    """Choose which version of an issue all others get, or show how the versions compare.

    You can choose as soon as the first emails are sent. The service, a timer or a worker then sends the others.
    """
    with opened_database() as (config, database):
        now, zone = datetime.now(UTC), config.settings.newsletter.timezone
        name = (version or "").upper()
        if name:
            watch = require_choice(database, broadcast, name)
        output.print_facts(comparison_facts(comparison_of(database, broadcast), zone=zone, now=now))
        if not name:
            return
        people = output.count_of(watch.rest, "subscriber")
        output.require_yes(f"Send version {name} to {people}?", yes=yes, otherwise="No version was chosen.")
        choose_winner(database, broadcast, name, now=datetime.now(UTC))
        publish_again(config, database, now=datetime.now(UTC), say=output.note)
        print_broadcast(config, status_of(database, broadcast))
