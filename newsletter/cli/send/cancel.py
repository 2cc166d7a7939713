"""`newsletter cancel`."""

import os
from datetime import UTC, datetime

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.progress import interruptible
from newsletter.cli.send.status import print_broadcast
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import BroadcastState
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.cancel import CANCEL_PATIENCE, cancel_broadcast, holder_of, plan_cancel
from newsletter.workflows.send.questions import cancel_facts
from newsletter.workflows.send.status import status_of


def cancel(
    broadcast: BroadcastNumber,
    yes: Yes = False,
) -> None:
    """Cancel a broadcast and recall the emails that the provider is holding.

    Emails that have not been sent yet are dropped. Repeat the command if it is interrupted or the provider does not
    respond.

    Exits with status 1 if the broadcast is not completely canceled yet, or if some emails are unconfirmed.
    """
    with opened_database() as (config, database):
        now = datetime.now(UTC)
        provider = holder_of(config, database, broadcast, lambda: open_provider(config, os.environ), now=now)
        plan = plan_cancel(database, broadcast, provider, now=now)
        output.print_facts(cancel_facts(config, plan, now=now))
        output.require_yes(f"Cancel broadcast {broadcast}?", yes=yes, otherwise="Nothing was canceled.")
        _carry_out(config, database, broadcast, provider)


def _carry_out(config: Config, database: Database, broadcast_id: int, provider: Provider | None) -> None:
    with interruptible() as interruption:
        try:
            stop = interruption.new_stop()
            cancel_broadcast(
                database, broadcast_id, provider, patience=CANCEL_PATIENCE, on_wait=_tell_inflight, stop=stop
            )
            code = 0
        except ProviderError as err:
            output.print_error(str(err))
            code = ProviderError.exit_code
    found = status_of(database, broadcast_id)
    print_broadcast(config, found)
    if interruption.is_asked and found.broadcast.state is BroadcastState.CANCELLING:
        raise KeyboardInterrupt
    if code or found.broadcast.state is BroadcastState.CANCELLING or found.tally.unknown:
        raise typer.Exit(code or 1)


def _tell_inflight(deliveries: int) -> None:
    output.note(f"Waiting for another process that is sending {output.count_of(deliveries, 'email')} …")
