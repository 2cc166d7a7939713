"""`run-due` and `cancel`: what is scheduled, carried out or ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from datetime import datetime

    from newsletter.config import Config
    from newsletter.providers.base import Provider
    from newsletter.store.database import Database
    from newsletter.workflows.send.cancel import CancelPlan

_PATIENCE_SECONDS = 60  # for other processes that are still handing over


def run_due(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is scheduled, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Carry out what is scheduled and due, once: for a timer that runs it every few minutes.

    It says nothing where nothing was due. Several at the same time do no harm.
    """
    from newsletter.cli.due import show_due, show_runs
    from newsletter.cli.workspace import opened_database
    from newsletter.system.log import command_log

    with opened_database() as (config, database):
        opener = _opener(config)
        if dry_run:
            show_due(config, database, opener, as_json=as_json)
            return
        with command_log(config.root, "run-due") as log:
            code = show_runs(config, database, opener, log=log, as_json=as_json)
        if code:
            raise typer.Exit(code)


def cancel(
    broadcast: Annotated[int, typer.Argument(metavar="BROADCAST", help="Its number, as `newsletter status` says it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End a broadcast: what has not left never leaves, and what the provider still holds is taken back.

    It can be repeated, and must be where it was interrupted or the provider did not answer.
    """
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.send.cancel import plan_cancel

    with opened_database() as (config, database):
        provider = _holder(config, database, broadcast)
        now = datetime.now(UTC)
        plan = plan_cancel(database, broadcast, provider, now=now)
        _show_plan(config, plan, now=now)
        if not yes and not output.confirm(f"Cancel broadcast {broadcast}?"):
            output.note("Nothing was cancelled.")
            raise typer.Exit(1)
        _carry_out(config, database, broadcast, provider)


def _opener(config: "Config") -> "Callable[[], Provider]":
    import os

    from newsletter.providers.registry import open_provider

    return lambda: open_provider(config, os.environ)


def _holder(config: "Config", database: "Database", broadcast_id: int) -> "Provider | None":
    """The provider, where it may hold mail of the broadcast; without a batch id it holds none."""
    from newsletter.workflows.send.plan import require_same_provider
    from newsletter.workflows.send.status import show_line

    found = show_line(database, broadcast_id).broadcast
    if not found.batch_id:
        return None
    require_same_provider(found, config.settings.provider.use)
    return _opener(config)()


def _show_plan(config: "Config", plan: "CancelPlan", *, now: "datetime") -> None:
    from newsletter.cli.statuses import shortened
    from newsletter.language.clock import say_moment

    broadcast, zone = plan.broadcast, config.settings.newsletter.timezone
    facts = [("broadcast", f"{broadcast.id}: {broadcast.issue} to {broadcast.segment}, {broadcast.state.value}")]
    if plan.tally.waiting:
        facts.append(("waiting", f"{plan.tally.waiting:,}, which never leave"))
    if plan.tally.inflight:
        facts.append(("inflight", f"{plan.tally.inflight:,}, which are being handed over, or were when a process died"))
    held = [f"{mail.deliveries:,} until {say_moment(mail.until, zone, now=now)}" for mail in plan.held]
    if held:
        held = shortened(held)
        facts.append(("held", "\n".join([f"by {broadcast.provider}, which is asked to give them back:", *held])))
    too_late = [f"{mail.deliveries:,} until {say_moment(mail.until, zone, now=now)}" for mail in plan.too_late]
    if too_late:
        facts.append(("too late", "\n".join(["too close to their time to be surely given back:", *too_late])))
    if plan.gone:
        facts.append(("gone", f"{plan.gone:,}, which cannot be taken back"))
    output.show_facts(facts)


def _carry_out(config: "Config", database: "Database", broadcast_id: int, provider: "Provider | None") -> None:
    from datetime import timedelta

    from newsletter.cli.delivering import interruptible
    from newsletter.cli.statuses import show_broadcast
    from newsletter.errors import ProviderError
    from newsletter.model.broadcast import BroadcastState
    from newsletter.workflows.send.cancel import cancel_broadcast
    from newsletter.workflows.send.status import show_status

    with interruptible() as interruption:
        try:
            cancel_broadcast(
                database,
                broadcast_id,
                provider,
                patience=timedelta(seconds=_PATIENCE_SECONDS),
                on_wait=_tell_inflight,
                stop=interruption.new_stop(),
            )
            code = 0
        except ProviderError as err:
            output.show_error(str(err))
            code = ProviderError.exit_code
    found = show_status(database, broadcast_id)
    show_broadcast(found, as_json=False, zone=config.settings.newsletter.timezone)
    if interruption.is_asked and found.broadcast.state is BroadcastState.CANCELLING:
        raise KeyboardInterrupt
    if code or found.broadcast.state is BroadcastState.CANCELLING or found.tally.unknown:
        raise typer.Exit(code or 1)


def _tell_inflight(deliveries: int) -> None:
    output.note(f"Waiting for another process that is handing over {output.count_of(deliveries, 'delivery')} …")
