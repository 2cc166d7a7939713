"""`newsletter resume`."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Yes
from newsletter.cli.send.progress import hand_over
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import say_moment, show_utc
from newsletter.model.broadcast import BroadcastState
from newsletter.providers.registry import open_provider
from newsletter.workflows.send.plan import reopen_broadcast, require_unfinished
from newsletter.workflows.send.schedule import lead_of
from newsletter.workflows.send.status import BroadcastStatus, status_of


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

    Emails that were sent, or may have been sent, are not sent again.
    """
    with opened_database() as (config, database):
        provider = open_provider(config, os.environ)
        now, lead = datetime.now(UTC), lead_of(config)
        found = status_of(database, require_unfinished(database, broadcast, provider, lead=lead, now=now).id)
        _print_unfinished(config, found, through=provider.describe(), now=now)
        waiting = found.tally.waiting + _to_try_again(found, now)
        question = f"Send to {output.count_of(waiting, 'subscriber')}?"
        output.require_yes(question, yes=yes or not waiting, otherwise="Nothing was sent.")
        reopened = reopen_broadcast(database, found.broadcast.id, now=datetime.now(UTC))
        hand_over(config, database, reopened, provider, ahead=lead)


def _to_try_again(found: BroadcastStatus, now: datetime) -> int:
    """Return how many people were set aside and may be tried again now."""
    at = found.broadcast.continues_at
    is_time = found.broadcast.state is BroadcastState.DONE and at is not None and at <= now
    return found.tally.deferred if is_time else 0


def _print_unfinished(config: Config, found: BroadcastStatus, *, through: str, now: datetime) -> None:
    """Print the state of the broadcast, and what is still to be sent."""
    broadcast, tally, due = found.broadcast, found.tally, found.next_due
    said = say_moment(due, config.settings.newsletter.timezone, now=now) if due else ""
    is_late = due is not None and due <= now
    effect = "late emails are sent now" if is_late else "the emails are still sent at that time, not now"
    output.print_facts(
        [
            ("broadcast", f"{broadcast.id}: {broadcast.title}"),
            ("created", f"{show_utc(broadcast.created_at)}; past events and deadlines were checked at that time"),
            ("stopped", broadcast.reason),
            ("time", f"{said}; {effect}" if said else ""),
            ("accepted", f"{tally.accepted:,}, not sent again"),
            ("unknown", f"{tally.unknown:,}, not sent again either" if tally.unknown else ""),
            ("to send", f"{tally.waiting:,}"),
            ("set aside", f"{tally.deferred:,}, tried again when it is time" if tally.deferred else ""),
            ("through", through),
        ]
    )
