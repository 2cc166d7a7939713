"""`newsletter status`."""

from typing import Annotated

import typer

from newsletter.cli.options import AsJson
from newsletter.cli.send.broadcasts import show_broadcast, show_broadcasts
from newsletter.cli.workspace import opened_database
from newsletter.workflows.send.status import list_statuses, show_status


def status(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="BROADCAST", help="The number of a broadcast; all where none is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how broadcasts stand: how many deliveries stand where, and that the numbers add up."""
    with opened_database() as (config, database):
        if broadcast is None:
            show_broadcasts(list_statuses(database), as_json=as_json)
        else:
            show_broadcast(config, show_status(database, broadcast, every_unknown=as_json), as_json=as_json)
