"""`newsletter cancel`."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.progress import interruptible
from newsletter.cli.send.status import first_and_last, print_broadcast
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_moment
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import HeldMail
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.cancel import CancelPlan, cancel_broadcast, plan_cancel
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.status import line_of, status_of

_PATIENCE = timedelta(seconds=60)  # for other processes that are still handing over


def cancel(
    broadcast: BroadcastNumber,
    yes: Yes = False,
) -> None:
    """End a broadcast, and take back what the provider still holds.

    What has not left never leaves. It can be repeated, and must be where it was interrupted or the provider did not
    answer.
    """
    with opened_database() as (config, database):
        provider = _holder(config, database, broadcast)
        now = datetime.now(UTC)
        plan = plan_cancel(database, broadcast, provider, now=now)
        _print_plan(config, plan, now=now)
        output.require_yes(f"Cancel broadcast {broadcast}?", yes=yes, otherwise="Nothing was cancelled.")
        _carry_out(config, database, broadcast, provider)


def _holder(config: Config, database: Database, broadcast_id: int) -> Provider | None:
    """Return the provider where it may hold mail of the broadcast; without a batch id it holds none."""
    found = line_of(database, broadcast_id).broadcast
    if not found.batch_id:
        return None
    require_same_provider(found, config.settings.provider.use)
    return open_provider(config, os.environ)


def _print_plan(config: Config, plan: CancelPlan, *, now: datetime) -> None:
    broadcast, tally = plan.broadcast, plan.tally

    def mails(title: str, mails: Sequence[HeldMail]) -> str:
        zone = config.settings.newsletter.timezone
        lines = [f"{mail.deliveries:,} until {say_moment(mail.until, zone, now=now)}" for mail in mails]
        return f"{title}\n{first_and_last(lines)}" if lines else ""

    under_way = f"{tally.inflight:,}, which are being handed over, or were when a process died"
    output.print_facts(
        [
            ("broadcast", f"{broadcast.id}: {broadcast.issue} to {broadcast.segment}, {broadcast.state.value}"),
            ("waiting", f"{tally.waiting:,}, which never leave" if tally.waiting else ""),
            ("inflight", under_way if tally.inflight else ""),
            ("held", mails(f"by {broadcast.provider}, which is asked to give them back:", plan.held)),
            ("too late", mails("too close to their time to be surely given back:", plan.too_late)),
            ("gone", f"{plan.gone:,}, which cannot be taken back" if plan.gone else ""),
        ]
    )


def _carry_out(config: Config, database: Database, broadcast_id: int, provider: Provider | None) -> None:
    with interruptible() as interruption:
        try:
            stop = interruption.new_stop()
            cancel_broadcast(database, broadcast_id, provider, patience=_PATIENCE, on_wait=_tell_inflight, stop=stop)
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
    output.note(f"Waiting for another process that is handing over {output.count_of(deliveries, 'delivery')} …")
