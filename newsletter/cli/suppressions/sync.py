"""`newsletter suppressions sync`: sync our suppressions with the provider's lists."""

import os
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.send.held import held_for, print_held
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.model.event import ProviderList
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.system.environment import forget_key
from newsletter.workflows.suppressions.sync import SyncPlan, TakenOver, hand_over, plan_sync, require_lists, take_over


def sync(
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only entries since this date (UTC), for example 2026-02-01.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Sync blocked addresses with the provider, in both directions.

    Adds the provider's blocked addresses to yours, and yours to the provider's. Addresses that you have allowed again
    are also removed from the provider's lists. It is safe to repeat the command.

    Exits with status 1 if you do not confirm the changes to the provider's lists, or if the provider rejects an
    address.
    """
    now, start, key = datetime.now(UTC), _moment(since), forget_key()
    with opened_database() as (config, database):
        provider = open_provider(config, os.environ)
        require_lists(provider)  # raises an error now, before anything is read, if the provider has no lists
        with bars.progress("Reading", None, unit="entries") as advance:
            plan = plan_sync(database, provider, since=start, now=now, key=key, on_read=advance)
        _print_plan(plan)
        if dry_run:
            output.note(f"Dry run: nothing was changed on your list or at {plan.provider}.")
            return
        question = f"Change {output.count_of(plan.changes_there, 'entry')} in {plan.provider}'s lists?"
        may_change_there = not plan.changes_there or yes or output.confirm(question)
        policy = config.settings.suppressions.soft_bounce_policy
        _print_taken(take_over(database, plan, policy, key=key, now=now))
        print_held(config, held_for(config, database, now=now), now=now)
        if not may_change_there:
            output.note(f"{plan.provider}'s lists were not changed.")
            raise typer.Exit(1)
        _carry_out(database, provider, plan, key=key)


def _carry_out(database: Database, provider: Provider, plan: SyncPlan, *, key: bytes | None) -> None:
    """Change the provider's lists, and print the changes."""
    refused: tuple[str, ...] = ()
    if plan.changes_there:
        with bars.progress("Writing", plan.changes_there, unit="entries") as advance:
            refused = hand_over(database, provider, plan, key=key, clock=lambda: datetime.now(UTC), on_done=advance)
        output.say(
            f"{plan.provider}: {len(plan.new_there) - len(refused):,} added to its list of unsubscribed addresses, "
            f"{len(plan.off_there):,} removed from its lists"
        )
    for email in refused:
        output.note(f"{plan.provider} did not accept {email}. The address is blocked here all the same.")
    if refused:
        raise typer.Exit(1)


def _print_taken(taken: TakenOver) -> None:
    new = output.count_of(taken.suppressed, "new address")
    output.say(f"your list: {new} blocked" if taken.suppressed else "your list: no new addresses blocked")
    if taken.soft_bounces:
        output.say(f"your list: {output.count_of(taken.soft_bounces, 'new soft bounce')} counted")
    if taken.worn_out:
        output.say(
            f"your list: {output.count_of(taken.worn_out, 'address')} blocked after too many soft bounces in a row"
        )


def _print_plan(plan: SyncPlan) -> None:
    new_here = Counter(entry.on for entry in plan.new_here)
    off_there = Counter(entry.on for entry in plan.off_there)
    rows = []
    for listed in ProviderList:
        here, off = ("", "") if listed is ProviderList.BLOCKS else (f"{new_here[listed]:,}", f"{off_there[listed]:,}")
        new_there = f"{len(plan.new_there):,}" if listed is ProviderList.UNSUBSCRIBES else ""
        rows.append((listed.replace("_", " "), f"{plan.there[listed]:,}", here, new_there, off))
    output.print_table((plan.provider, "there", "new here", "new there", "removed there"), rows)
    remarks = (
        (len(plan.off_there), "to be removed from the provider's lists: you have allowed these addresses again"),
        (
            plan.people_again,
            "unsubscribed again at the provider: recorded here, so that no earlier consent brings them back",
        ),
        (len(plan.blocks), "blocks, which count as soft bounces"),
        (plan.forgotten, "erased from your list: their entries stay at the provider, and are not stored here"),
        (plan.unusable, "without a valid address: skipped"),
    )
    for count, words in remarks:
        if count:
            output.note(f"{count:,} {words}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"--since {text} is not a date; write it as 2026-02-01") from err
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
