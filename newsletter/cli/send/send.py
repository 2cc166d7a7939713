"""`newsletter send`."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from newsletter.cli import output
from newsletter.cli.compose.findings import probing
from newsletter.cli.options import DryRun, NamedIssue, OtherSubjects, Without, Yes
from newsletter.cli.send.awake import TERMINAL, choose_awake, send_when_due
from newsletter.cli.send.plan import print_plan
from newsletter.cli.send.progress import hand_over
from newsletter.cli.send.status import print_broadcast
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, BroadcastKind, Schedule, Waiver
from newsletter.model.proposal import Proposal
from newsletter.model.segment import EVERYONE
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.store.ledger.recall import last_run, say_run
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.proposals import note_on, order_of, release, require_open, require_unchanged
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.begin import begin
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast
from newsletter.workflows.send.schedule import read_schedule
from newsletter.workflows.send.status import status_of

_TO = "The segment to send to: a name from newsletter.toml, or `everyone`."
_WHERE = "Instead of --to, send to subscribers who match this expression, for example 'language = \"es\"'."
_PROPOSAL = (
    "Send the proposal of an agent with this number, to its segment and at its time. `newsletter proposals` lists them."
)
_WHEN = "The time to send at, for example `2026-02-19 08:00`, `thursday 08:00` or `in 2 hours`."
_LOCAL_TIME = "Send at the --at time in each subscriber's own time zone."
_CANARY = (
    "Send to a few people first, watch what comes back, and then send to the others, or hold the issue. Default: as "
    "[canary] in newsletter.toml says."
)
_CANARY_SIZE = "How many people get it first. Implies --canary."
_AWAKE = (
    "With --at or --canary: what will be running then: serve, timer, worker, or here (this terminal). Default: you are "
    "asked."
)
_VERSION = "Send only this version of the issue, such as B, instead of comparing its versions."
_FOLLOW_UP = (
    "Send it once more, with another --subject, to those who are known not to have opened it. Default: --to everyone."
)
_WAIVE = "A check to override for this broadcast, for example E1. Needs --because. Repeatable."
_BECAUSE = "The reason for overriding the check. Give one for each --waive. It is saved with the broadcast."


def send(  # noqa: PLR0913, PLR0917 - each is an option
    issue: NamedIssue,
    to: Annotated[list[str], typer.Option(metavar="SEGMENT", help=_TO)] = [],  # noqa: B006 - Typer copies it
    where: Annotated[str | None, typer.Option(metavar="EXPRESSION", help=_WHERE)] = None,
    proposal: Annotated[int | None, typer.Option(metavar="NUMBER", help=_PROPOSAL)] = None,
    at: Annotated[str | None, typer.Option(metavar="WHEN", help=_WHEN)] = None,
    local_time: Annotated[bool, typer.Option("--local-time", help=_LOCAL_TIME)] = False,
    canary: Annotated[bool | None, typer.Option("--canary/--no-canary", help=_CANARY)] = None,
    canary_size: Annotated[int | None, typer.Option(metavar="PEOPLE", min=1, help=_CANARY_SIZE)] = None,
    awake: Annotated[Awake | None, typer.Option(metavar="WHAT", help=_AWAKE)] = None,
    version: Annotated[str | None, typer.Option(metavar="VERSION", help=_VERSION)] = None,
    follow_up: Annotated[bool, typer.Option("--follow-up", help=_FOLLOW_UP)] = False,
    subject: OtherSubjects = [],  # noqa: B006 - Typer copies it
    dry_run: DryRun = False,
    yes: Yes = False,
    without: Without = [],  # noqa: B006 - Typer copies it
    waive: Annotated[list[str], typer.Option(metavar="CHECK", help=_WAIVE)] = [],  # noqa: B006
    because: Annotated[list[str], typer.Option(metavar="REASON", help=_BECAUSE)] = [],  # noqa: B006
) -> None:
    """Send an issue to a segment after you review and confirm the plan.

    No one is sent the same issue twice, except for one follow-up. With --at, the recipients and the content are locked
    in now, and the issue is sent at that time by the service, a timer, a worker or this terminal, which must be running
    then.

    With --canary, a few people who are drawn by lot get the issue first. The others get it if what comes back about the
    first is as usual. If not, the issue is held until you decide, and your reviewers get an email.

    If sending is interrupted, `newsletter resume` continues where it stopped.

    Exits with status 1 if a problem blocks sending, if you do not confirm, or if some emails were rejected, set aside
    or are unconfirmed.
    """
    if follow_up and not to and where is None and proposal is None:
        to = [EVERYONE]
    asked = _SendOptions(
        proposal=proposal,
        segment=only_segment(to, where, proposal),
        where=where,
        at=at,
        is_local_time=local_time,
        version=(version or "").upper(),
        is_follow_up=follow_up,
        subjects=tuple(subject),
        waivers=_waivers(waive, because),
        canary=CanaryWish(is_wanted=canary, people=canary_size),
    )
    _require_a_person(asked, yes=yes, dry_run=dry_run)
    _require_subjects(asked)
    with opened_database() as (config, database):
        now = datetime.now(UTC)
        folder = require_issue(config, issue)
        proposed = None if proposal is None else require_open(database, proposal, issue=folder.name, now=now)
        order = _order(config, database, folder, asked, proposed, now=now)
        provider = provider_for_sending(config, is_needed=not dry_run)
        with probing(config, without, now=now) as wanted:
            plan = plan_broadcast(
                config, database, order, provider=provider, probing=wanted, now=now, is_preview=dry_run
            )
        if awake and not _continues_later(plan):
            raise InputError('--awake needs a time; add --at, for example --at "thursday 08:00", or add --canary')
        if proposed is not None:
            require_unchanged(proposed, plan)
            output.note(note_on(proposed, plan))
        print_plan(config, plan, through=provider.describe() if provider else config.settings.provider.use, now=now)
        if plan.blocking:
            output.note("Nothing was sent. Fix the errors above, then try again.")
            raise typer.Exit(1)
        if provider is None or dry_run:
            output.note("Dry run: nothing was sent. Run the same command without --dry-run to send.")
            return
        chosen = awake_for(config, database, awake, may_ask=not yes) if _continues_later(plan) else None
        verb = "Schedule it for" if order.schedule else "Send to"
        question = f"{verb} {output.count_of(plan.preview.recipients, 'subscriber')}?"
        output.require_yes(question, yes=yes, otherwise="Nothing was sent.")
        broadcast = _start(database, proposed, plan, provider)
        if plan.worn_out:
            output.note(f"{output.count_of(len(plan.worn_out), 'address')} blocked after too many soft bounces.")
        if chosen is Awake.HERE:
            send_from_here(config, database, broadcast, plan, provider)
        else:
            begin_sending(config, database, broadcast, plan, provider)


class _SendOptions(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    proposal: int | None
    segment: str | None
    where: str | None
    at: str | None
    is_local_time: bool
    version: str
    is_follow_up: bool
    subjects: tuple[str, ...]
    waivers: tuple[Waiver, ...]
    canary: CanaryWish


def _require_a_person(asked: _SendOptions, *, yes: bool, dry_run: bool) -> None:
    """Raise InputError if a script would send a proposal, or if other options contradict it."""
    if asked.proposal is None:
        return
    if asked.at is not None or asked.is_local_time:
        raise InputError("a proposal has its own time; leave out --at and --local-time, or leave out --proposal")
    if yes or not (dry_run or output.can_ask()):
        raise InputError(
            "a person must confirm what an agent proposed; run the command in a terminal, and leave out --yes"
        )


def _require_subjects(asked: _SendOptions) -> None:
    """Raise InputError unless exactly a follow-up has a subject of its own."""
    if asked.is_follow_up and asked.proposal is not None:
        raise InputError("a proposal is not a follow-up; leave out --follow-up, or leave out --proposal")
    if asked.is_follow_up and not asked.subjects:
        raise InputError('a follow-up needs a subject of its own; add --subject, for example --subject "Last days"')
    if asked.subjects and not asked.is_follow_up:
        raise InputError("--subject is only for a follow-up; add --follow-up, or change the subject in issue.yaml")


def _order(
    config: Config, database: Database, folder: Path, asked: _SendOptions, proposed: Proposal | None, *, now: datetime
) -> Order:
    if proposed is not None:
        order = order_of(config, database, proposed, folder, waivers=asked.waivers, now=now)
        return replace(order, canary=asked.canary)
    schedule = read_time(config, asked.at, local_time=asked.is_local_time, now=now)
    segment = meant_by(config, database, segment=asked.segment, where=asked.where, now=now)
    return Order(
        folder=folder,
        segment=segment,
        waivers=asked.waivers,
        schedule=schedule,
        kind=BroadcastKind.FOLLOW_UP if asked.is_follow_up else BroadcastKind.ISSUE,
        version=asked.version,
        subjects=asked.subjects,
        canary=asked.canary,
    )


def _continues_later(plan: BroadcastPlan) -> bool:
    """Return whether something must be running later, to send what is not sent now."""
    return plan.schedule is not None or plan.request.waves is not None


def _start(database: Database, proposed: Proposal | None, plan: BroadcastPlan, provider: Provider) -> Broadcast:
    now = datetime.now(UTC)
    if proposed is not None:
        return release(database, proposed, plan, provider, now=now)
    return start_broadcast(database, plan, provider, now=now)


def read_time(config: Config, at: str | None, *, local_time: bool = False, now: datetime) -> Schedule | None:
    """Return when to send, as the options say, or None for as soon as possible."""
    if at is None and local_time:
        raise InputError('--local-time needs a time; add --at "2026-02-19 08:00"')
    if at is None:
        return None
    return read_schedule(at, zone=config.settings.newsletter.timezone, is_local_time=local_time, now=now)


def awake_for(config: Config, database: Database, given: Awake | None, *, may_ask: bool) -> Awake:
    """Return what will be running at the time of a scheduled broadcast."""
    return choose_awake(config, given, last=last_run(database), may_ask=may_ask, now=datetime.now(UTC))


def provider_for_sending(config: Config, *, is_needed: bool) -> Provider | None:
    """Return the provider, or None if it is not needed and its secret is not set."""
    try:
        return open_provider(config, os.environ)
    except ProviderError:
        if is_needed:
            raise
        return None


def begin_sending(
    config: Config, database: Database, broadcast: Broadcast, plan: BroadcastPlan, provider: Provider
) -> None:
    """Send the part of a new broadcast that is due now, or show its status if all of it is due later."""
    beginning = begin(config, broadcast, plan, now=datetime.now(UTC))
    if beginning.is_now:
        hand_over(config, database, broadcast, provider, ahead=beginning.ahead)
    else:
        print_broadcast(config, status_of(database, broadcast.id))


def send_from_here(
    config: Config, database: Database, broadcast: Broadcast, plan: BroadcastPlan, provider: Provider
) -> None:
    """Send a scheduled broadcast from this terminal, until nothing of it is left."""
    say_run(database, TERMINAL, now=datetime.now(UTC))
    with suppress(typer.Exit):  # what was not accepted is tried again
        begin_sending(config, database, broadcast, plan, provider)
    if code := send_when_due(config, database, broadcast.id):
        raise typer.Exit(code)


def only_segment(names: Sequence[str], where: str | None, proposal: int | None) -> str | None:
    """Return the name of the segment, or None if an expression or a proposal selects the subscribers."""
    if proposal is not None:
        if names or where is not None:
            raise InputError("a proposal has its own segment; leave out --to and --where, or leave out --proposal")
        return None
    if names and where is not None:
        raise InputError("--to and --where cannot be combined; give only one of them")
    if not names and where is None:
        raise InputError("no recipients were chosen; add --to SEGMENT, --to everyone or --where EXPRESSION")
    if len(names) > 1:
        raise InputError(
            "a broadcast goes to one segment; combine several segments with --where, or in newsletter.toml: "
            'both = \'tagged("teacher") or language = "de"\''
        )
    return names[0] if names else None


def _waivers(rules: Sequence[str], reasons: Sequence[str]) -> tuple[Waiver, ...]:
    if len(rules) != len(reasons):
        raise InputError('each --waive needs its own --because; write --waive E1 --because "we announce the recording"')
    return tuple(Waiver(rule=rule, because=reason) for rule, reason in zip(rules, reasons, strict=True))
