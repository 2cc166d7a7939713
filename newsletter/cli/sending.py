"""`test`, `send`, `status` and `resume`: mail on its way."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output
from newsletter.cli.probing import Without, probing

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from newsletter.config import Config
    from newsletter.model.broadcast import Broadcast, Schedule, Waiver
    from newsletter.providers.base import Provider
    from newsletter.store.database import Database
    from newsletter.workflows.send.plan import BroadcastPlan

IssueName = Annotated[str, typer.Argument(metavar="ISSUE", help="The issue, such as 2026-02.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def test(
    issue: IssueName,
    to: Annotated[
        list[str], typer.Option(help="A group of reviewers in newsletter.toml, or an address; may be given again.")
    ] = ["reviewers"],  # noqa: B006 - Typer copies it
    yes: Yes = False,
) -> None:
    """Send a test copy to reviewers, marked [TEST], made and sent exactly as the broadcast will be."""
    import os
    from datetime import UTC, datetime

    from newsletter.cli.findings import show_findings, summarise_findings
    from newsletter.cli.workspace import current_config
    from newsletter.providers.registry import open_provider
    from newsletter.store.opening import open_database
    from newsletter.workflows.compose.compose import compose_issue, find_issue
    from newsletter.workflows.segments import audience_fields
    from newsletter.workflows.send.reviewer_copies import count_test_copies, reviewers, send_test_copies

    config = current_config()
    mailboxes = reviewers(config, to)
    composed = compose_issue(config, find_issue(config, issue), known_fields=audience_fields(config))
    provider = open_provider(config, os.environ)
    copies = count_test_copies(composed, mailboxes)
    output.show_facts(
        [
            ("issue", f"{composed.issue.name}  {composed.issue.fields.title}"),
            ("to", "\n".join(mailboxes)),
            ("through", provider.describe()),
            ("findings", summarise_findings(composed.findings)),
        ]
    )
    if composed.errors:
        show_findings(composed.errors)
    if not yes and not output.confirm(f"Send {output.count_of(copies, 'test copy')}?"):
        output.note("Nothing was sent.")
        raise typer.Exit(1)
    with open_database(config.database) as database, output.progress("Sending", copies, unit="copies") as advance:
        results = send_test_copies(
            config, database, composed, mailboxes, provider, now=datetime.now(UTC), on_sent=advance
        )
    refused = [copy for copy in results if copy.refused]
    output.say(f"{len(results) - len(refused)} of {len(results)} test copies accepted")
    for copy in refused:
        output.note(f"{copy.email}: {copy.refused}")
    if refused:
        raise typer.Exit(1)
    if composed.errors:
        output.show_next(f"newsletter check {composed.issue.name}", "to see what holds a broadcast back")
    elif config.settings.delivery.require_approval:
        output.show_next(f"newsletter approve {composed.issue.name} --by NAME", "once it was looked at")
    else:
        output.show_next(f"newsletter send {composed.issue.name} --to everyone --dry-run", "to see what it would do")


def send(  # noqa: PLR0913, PLR0917 - each is an option
    issue: IssueName,
    to: Annotated[list[str], typer.Option(metavar="SEGMENT", help="A segment of newsletter.toml, or everyone.")] = [],  # noqa: B006 - Typer copies it
    where: Annotated[
        str | None,
        typer.Option(metavar="EXPRESSION", help="Instead of --to: whom you mean, such as 'language = \"es\"'."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="As 2026-02-19 08:00, tomorrow 08:00, thursday 08:00, in 2 hours."),
    ] = None,
    local_time: Annotated[
        bool, typer.Option("--local-time", help="Everybody gets it at that time by the clock of their own zone.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent to whom, and send nothing.")
    ] = False,
    yes: Yes = False,
    without: Without = [],  # noqa: B006 - Typer copies it
    waive: Annotated[
        list[str], typer.Option(metavar="RULE", help="Override one check for this broadcast; needs --because.")
    ] = [],  # noqa: B006 - Typer copies it
    because: Annotated[
        list[str], typer.Option(metavar="REASON", help="Why the check is overridden; kept in the ledger.")
    ] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Broadcast an issue to a segment: says what it will do, asks, and sends. Nobody gets the same issue twice.

    With --at everything is settled now, people and content, and leaves at that time.

    If it is interrupted, `newsletter resume` goes on where it stopped.
    """
    from datetime import UTC, datetime

    from newsletter.cli.plan import show_plan
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.compose.compose import find_issue
    from newsletter.workflows.segments import meant_by
    from newsletter.workflows.send.plan import Order, plan_broadcast, start_broadcast

    waivers, segment = _waivers(waive, because), _only_segment(to, where)
    with opened_database() as (config, database):
        now = datetime.now(UTC)
        schedule = _schedule(config, at, local_time=local_time, now=now)
        provider = _provider(config, is_needed=not dry_run)
        folder, meant = find_issue(config, issue), meant_by(config, database, segment=segment, where=where, now=now)
        with probing(config, without, now=now) as wanted:
            plan = plan_broadcast(
                config,
                database,
                Order(folder=folder, segment=meant, waivers=waivers, schedule=schedule),
                provider=provider,
                probing=wanted,
                now=now,
            )
        show_plan(config, plan, through=provider.describe() if provider else config.settings.provider.use, now=now)
        if plan.blocking:
            output.note("Nothing was sent: the errors above hold it back.")
            raise typer.Exit(1)
        if provider is None or dry_run:
            output.note("A dry run: nothing was sent. Without --dry-run it asks, and then sends.")
            return
        verb = "Schedule it for" if schedule else "Send to"
        if not yes and not output.confirm(f"{verb} {output.count_of(plan.preview.recipients, 'subscriber')}?"):
            output.note("Nothing was sent.")
            raise typer.Exit(1)
        broadcast = start_broadcast(database, plan, provider, now=datetime.now(UTC))
        if plan.worn_out:
            output.note(f"{output.count_of(len(plan.worn_out), 'address')} suppressed: soft bounces.")
        _begin(config, database, broadcast, plan, provider)


def status(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="BROADCAST", help="The number of a broadcast; all where none is named.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Show how broadcasts stand: how many deliveries stand where, and that the numbers add up."""
    from newsletter.cli.statuses import show_broadcast, show_broadcasts
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.send.status import list_statuses, show_status

    with opened_database() as (config, database):
        if broadcast is None:
            show_broadcasts(list_statuses(database), as_json=as_json)
        else:
            found = show_status(database, broadcast, every_unknown=as_json)
            show_broadcast(found, as_json=as_json, zone=config.settings.newsletter.timezone)


def resume(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="BROADCAST", help="Its number; not needed where only one is unfinished.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Go on with a broadcast that was interrupted or paused. What was or may have been taken is never sent again."""
    import os
    from datetime import UTC, datetime

    from newsletter.cli.delivering import hand_over
    from newsletter.cli.plan import show_unfinished
    from newsletter.cli.workspace import opened_database
    from newsletter.providers.registry import open_provider
    from newsletter.workflows.send.plan import find_unfinished, reopen_broadcast
    from newsletter.workflows.send.status import show_status

    with opened_database() as (config, database):
        provider = open_provider(config, os.environ)
        now = datetime.now(UTC)
        found = show_status(database, find_unfinished(database, broadcast, provider, now=now).id)
        show_unfinished(config, found, through=provider.describe(), now=now)
        waiting = found.tally.waiting
        if waiting and not yes and not output.confirm(f"Send to {output.count_of(waiting, 'subscriber')}?"):
            output.note("Nothing was sent.")
            raise typer.Exit(1)
        reopened = reopen_broadcast(database, found.broadcast.id, now=datetime.now(UTC))
        hand_over(config, database, reopened, provider, ahead=_longest_hold(provider))


def _schedule(config: "Config", at: str | None, *, local_time: bool, now: "datetime") -> "Schedule | None":
    from newsletter.errors import InputError
    from newsletter.workflows.send.schedule import read_schedule

    if at is None and local_time:
        raise InputError('--local-time needs a time; add --at "2026-02-19 08:00"')
    if at is None:
        return None
    return read_schedule(at, zone=config.settings.newsletter.timezone, is_local_time=local_time, now=now)


def _provider(config: "Config", *, is_needed: bool) -> "Provider | None":
    """The provider; None where it is not needed and its secret is not at hand."""
    import os

    from newsletter.errors import ProviderError
    from newsletter.providers.registry import open_provider

    try:
        return open_provider(config, os.environ)
    except ProviderError:
        if is_needed:
            raise
        return None


def _begin(
    config: "Config", database: "Database", broadcast: "Broadcast", plan: "BroadcastPlan", provider: "Provider"
) -> None:
    """Hands a frozen broadcast over, as far as it leaves at once."""
    from newsletter.cli.delivering import hand_over
    from newsletter.cli.statuses import show_broadcast
    from newsletter.model.broadcast import BroadcastState
    from newsletter.workflows.send.schedule import Travel, lead_of
    from newsletter.workflows.send.status import show_status
    from newsletter.workflows.send.worker.announce import announce

    announce(config, broadcast.id)
    if plan.schedule is None:
        hand_over(config, database, broadcast, provider, ahead=None)
    elif plan.schedule.leaves_at_once or broadcast.state is BroadcastState.RUNNING:  # its time came with the yes
        is_held = plan.schedule.travel is Travel.HELD
        hand_over(config, database, broadcast, provider, ahead=_longest_hold(provider) if is_held else lead_of(config))
    else:
        zone = config.settings.newsletter.timezone
        show_broadcast(show_status(database, broadcast.id), as_json=False, zone=zone)


def _longest_hold(provider: "Provider") -> "timedelta | None":
    return provider.scheduler.longest if provider.scheduler is not None else None


def _only_segment(names: Sequence[str], where: str | None) -> str | None:
    """The one segment that is named; None where an expression says whom to send to."""
    from newsletter.errors import InputError

    if names and where is not None:
        raise InputError("--to and --where both say who gets it; give one of them")
    if not names and where is None:
        raise InputError("nothing says who gets it; add --to with a segment, --to everyone, or --where")
    if len(names) > 1:
        raise InputError(
            "a broadcast goes to one segment; say whom you mean with --where, or name a segment in newsletter.toml: "
            'both = \'tagged("teacher") or language = "de"\''
        )
    return names[0] if names else None


def _waivers(rules: Sequence[str], reasons: Sequence[str]) -> "tuple[Waiver, ...]":
    from newsletter.errors import InputError
    from newsletter.model.broadcast import Waiver

    if len(rules) != len(reasons):
        raise InputError('each --waive needs a --because: --waive E1 --because "the replay is announced on purpose"')
    return tuple(Waiver(rule=rule, because=reason) for rule, reason in zip(rules, reasons, strict=True))
