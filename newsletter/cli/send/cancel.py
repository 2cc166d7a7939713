"""`newsletter cancel`."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.progress import interruptible
from newsletter.cli.send.status import print_broadcast
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_moment
from newsletter.model.broadcast import BroadcastState, label_of
from newsletter.model.ledger import HeldMail
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.account import first_and_last
from newsletter.workflows.send.cancel import CancelPlan, cancel_broadcast, holds_email, plan_cancel
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.status import line_of, status_of

_PATIENCE = timedelta(seconds=60)  # how long to wait for other processes that are still sending


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
        provider = _holder(config, database, broadcast, now=now)
        plan = plan_cancel(database, broadcast, provider, now=now)
        _print_plan(config, plan, now=now)
        output.require_yes(f"Cancel broadcast {broadcast}?", yes=yes, otherwise="Nothing was canceled.")
        _carry_out(config, database, broadcast, provider)


def _holder(config: Config, database: Database, broadcast_id: int, *, now: datetime) -> Provider | None:
    """Return the provider if it may be holding emails of the broadcast."""
    found = line_of(database, broadcast_id).broadcast
    if not holds_email(database, broadcast_id, now=now):
        return None
    require_same_provider(found, config.settings.provider.use)
    return open_provider(config, os.environ)


def _print_plan(config: Config, plan: CancelPlan, *, now: datetime) -> None:
    broadcast, tally = plan.broadcast, plan.tally

    def mails(title: str, mails: Sequence[HeldMail]) -> str:
        zone = config.settings.newsletter.timezone
        lines = [f"{mail.deliveries:,} until {say_moment(mail.until, zone, now=now)}" for mail in mails]
        return f"{title}\n{first_and_last(lines)}" if lines else ""

    under_way = f"{tally.inflight:,}, which are being sent now, or were being sent when a process stopped"
    output.print_facts(
        [
            ("broadcast", f"{broadcast.id}: {broadcast.title}, {label_of(broadcast.state)}"),
            ("waiting", f"{tally.waiting:,}, which will not be sent" if tally.waiting else ""),
            ("sending", under_way if tally.inflight else ""),
            ("held", mails(f"by {broadcast.provider}, which will be asked to drop them:", plan.held)),
            ("too late", mails("so close to their send time that they may still go out:", plan.too_late)),
            ("sent", f"{plan.gone:,}, which cannot be recalled" if plan.gone else ""),
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
    output.note(f"Waiting for another process that is sending {output.count_of(deliveries, 'email')} …")
