"""`test`, `send`, `status` and `resume`: mail on its way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from threading import Event

    from newsletter.model.broadcast import Broadcast, Waiver
    from newsletter.providers.base import Provider
    from newsletter.store.database import Database

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
    from newsletter.workflows.compose import compose_issue, find_issue
    from newsletter.workflows.segments import audience_fields
    from newsletter.workflows.test_send import reviewers, send_test_copies

    config = current_config()
    mailboxes = reviewers(config, to)
    composed = compose_issue(config, find_issue(config, issue), known_fields=audience_fields(config))
    provider = open_provider(config, os.environ)
    copies = len(mailboxes) * len(composed.rendered.variants)
    output.show_facts(
        [
            ("issue", f"{composed.issue.name}  {composed.issue.fields.title}"),
            ("to", "\n".join(mailboxes)),
            ("through", provider.describe()),
            ("findings", summarise_findings(composed.findings)),
        ]
    )
    if composed.errors:
        show_findings(composed.errors, form="text", issue=composed.issue.name)
    if not yes and not output.confirm(f"Send {output.count_of(copies, 'test copy')}?"):
        output.note("Nothing was sent.")
        raise typer.Exit(1)
    with output.progress("Sending", copies, unit="copies") as advance:
        results = send_test_copies(config, composed, mailboxes, provider, now=datetime.now(UTC), on_sent=advance)
    refused = [copy for copy in results if copy.refused]
    output.say(f"{len(results) - len(refused)} of {len(results)} test copies accepted")
    for copy in refused:
        output.note(f"{copy.email}: {copy.refused}")
    if refused:
        raise typer.Exit(1)
    if composed.errors:
        output.show_next(f"newsletter check {composed.issue.name}", "to see what holds a broadcast back")
    else:
        output.show_next(f"newsletter send {composed.issue.name} --to everyone --dry-run", "to see what it would do")


def send(
    issue: IssueName,
    to: Annotated[list[str], typer.Option(metavar="SEGMENT", help="A segment of newsletter.toml, or everyone.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent to whom, and send nothing.")
    ] = False,
    yes: Yes = False,
    waive: Annotated[
        list[str], typer.Option(metavar="RULE", help="Override one check for this broadcast; needs --because.")
    ] = [],  # noqa: B006 - Typer copies it
    because: Annotated[
        list[str], typer.Option(metavar="REASON", help="Why the check is overridden; kept in the ledger.")
    ] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Broadcast an issue to a segment: says what it will do, asks, and sends. Nobody gets the same issue twice.

    If it is interrupted, `newsletter resume` goes on where it stopped.
    """
    import os
    from datetime import UTC, datetime

    from newsletter.cli.plan import show_plan
    from newsletter.cli.workspace import opened_database
    from newsletter.providers.registry import open_provider
    from newsletter.workflows.broadcast import plan_broadcast, start_broadcast
    from newsletter.workflows.compose import find_issue

    waivers, segment = _waivers(waive, because), _only_segment(to)
    with opened_database() as (config, database):
        provider = None if dry_run else open_provider(config, os.environ)
        plan = plan_broadcast(
            config, database, find_issue(config, issue), segment=segment, waivers=waivers, now=datetime.now(UTC)
        )
        show_plan(config, plan, through=provider.describe() if provider else config.settings.provider.use)
        if plan.blocking:
            output.note("Nothing was sent: the errors above hold it back.")
            raise typer.Exit(1)
        if provider is None:
            output.note("A dry run: nothing was sent.")
            return
        if not yes and not output.confirm(f"Send to {output.count_of(plan.preview.recipients, 'subscriber')}?"):
            output.note("Nothing was sent.")
            raise typer.Exit(1)
        broadcast = start_broadcast(database, plan, provider, now=datetime.now(UTC))
        _drain(database, broadcast, provider)


def status(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="[BROADCAST]", help="The number of a broadcast; all where none is named.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Show how broadcasts stand: how many deliveries stand where, and that the numbers add up."""
    from newsletter.cli.statuses import show_broadcast, show_broadcasts
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.status import list_statuses, show_status

    with opened_database() as (_, database):
        if broadcast is None:
            show_broadcasts(list_statuses(database), as_json=as_json)
        else:
            show_broadcast(show_status(database, broadcast, every_unknown=as_json), as_json=as_json)


def resume(
    broadcast: Annotated[
        int | None, typer.Argument(metavar="[BROADCAST]", help="Its number; not needed where only one is unfinished.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Go on with a broadcast that was interrupted or paused. What was or may have been taken is never sent again."""
    import os
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.providers.registry import open_provider
    from newsletter.workflows.broadcast import find_unfinished, reopen_broadcast
    from newsletter.workflows.status import show_status

    with opened_database() as (config, database):
        provider = open_provider(config, os.environ)
        found = find_unfinished(database, broadcast, provider, now=datetime.now(UTC))
        tally = show_status(database, found.id).tally
        facts = [
            ("broadcast", f"{found.id}: {found.issue} to {found.segment}"),
            ("frozen", f"{found.created_at:%Y-%m-%d %H:%M} UTC; its events and deadlines were judged then"),
            ("held back", found.reason),
            ("accepted", f"{tally.accepted:,}, which are not sent again"),
            ("unknown", f"{tally.unknown:,}, which are not sent again either"),
            ("to send", f"{tally.waiting:,}"),
            ("through", provider.describe()),
        ]
        output.show_facts([(name, value) for name, value in facts if value])
        if tally.waiting and not yes and not output.confirm(f"Send to {output.count_of(tally.waiting, 'subscriber')}?"):
            output.note("Nothing was sent.")
            raise typer.Exit(1)
        _drain(database, reopen_broadcast(database, found.id, provider, now=datetime.now(UTC)), provider)


def _only_segment(names: Sequence[str]) -> str:
    from newsletter.errors import InputError

    if len(names) > 1:
        raise InputError(
            "a broadcast goes to one segment; name a segment in newsletter.toml that says whom you mean, such as "
            'both = \'tagged("teacher") or language = "de"\''
        )
    return names[0]


def _waivers(rules: Sequence[str], reasons: Sequence[str]) -> "tuple[Waiver, ...]":
    from newsletter.errors import InputError
    from newsletter.model.broadcast import Waiver

    if len(rules) != len(reasons):
        raise InputError('each --waive needs a --because: --waive E1 --because "the replay is announced on purpose"')
    return tuple(Waiver(rule=rule, because=reason) for rule, reason in zip(rules, reasons, strict=True))


def _drain(database: "Database", broadcast: "Broadcast", provider: "Provider") -> None:
    """Hands the broadcast over with a progress bar, and says how it ended."""
    from threading import Event

    from newsletter.cli.statuses import show_broadcast
    from newsletter.errors import ProviderError
    from newsletter.workflows.drain import drain_broadcast
    from newsletter.workflows.status import show_status

    waiting = show_status(database, broadcast.id).tally.waiting
    stop = Event()
    with (
        _stopped_by_signals(stop) as is_interrupted,
        output.progress(f"Broadcast {broadcast.id}", waiting, unit="deliveries") as advance,
    ):
        drain_broadcast(database, broadcast, provider, on_settled=advance, stop=stop)
    found = show_status(database, broadcast.id)
    show_broadcast(found, as_json=False)
    if is_interrupted() and found.tally.waiting:
        raise KeyboardInterrupt
    if found.tally.waiting:
        raise typer.Exit(ProviderError.exit_code)
    if found.tally.unknown or found.tally.rejected:
        raise typer.Exit(1)


@contextmanager
def _stopped_by_signals(stop: "Event") -> Iterator[Callable[[], bool]]:
    """Lets the first Ctrl-C, or an end asked for by the system, finish what is in hand; a second one does not wait."""
    import signal

    received: list[int] = []

    def on_signal(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        stop.set()
        output.note("Stopping: the requests in hand are finished and recorded first …")

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
