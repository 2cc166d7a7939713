"""Proposals of agents: an agent proposes a broadcast, and a person releases or declines it."""

from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import say_moment, show_utc, show_zoned
from newsletter.language.counts import count_of
from newsletter.model.broadcast import Broadcast, Waiver
from newsletter.model.proposal import Proposal, ProposalState
from newsletter.providers.base import Provider
from newsletter.render.theme import Theme
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.proposals import add_proposal, find_proposal, proposals_still_open, settle_proposal
from newsletter.workflows.compose.check import LIST_IS_CLOSED
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.segments import meant_by, require_segments
from newsletter.workflows.send.plan import BroadcastPlan, Order, request_of, start_broadcast
from newsletter.workflows.send.schedule import read_schedule

_LONGEST_NAME = 60  # characters of the name of an agent's program
_ADD_AGAIN = "ask the agent to propose it again, or send the issue without a proposal"


class ProposalDraft(Struct, frozen=True, kw_only=True):
    """What an agent proposes: to send an issue to a segment, at a time or as soon as it is released."""

    folder: Path  # the issue's folder
    segment: str  # its name; an expression could ask whether one person is on the list
    at: str = ""  # as it is written after --at
    is_local_time: bool = False
    valid_for: timedelta
    by: str  # the agent's program, as it calls itself


def propose_broadcast(
    config: Config, database: Database, draft: ProposalDraft, *, theme: Theme, now: datetime
) -> Proposal:
    """Save a proposal with the content as it is now, and the number of people who would get it. Send nothing.

    Raise MistakesError for mistakes in the files. Raise InputError if a check finds an error, if there is no such
    segment, if the time cannot be read or has passed, or if no one would get it.
    """
    if draft.is_local_time and not draft.at:
        raise InputError("local time needs a time; say when")
    zone = config.settings.newsletter.timezone
    schedule = read_schedule(draft.at, zone=zone, is_local_time=draft.is_local_time, now=now) if draft.at else None
    due = schedule.moment_in(schedule.zone) if schedule else now
    composed = compose_issue(config, draft.folder, at=due, known_fields=LIST_IS_CLOSED, theme=theme)
    if composed.errors:
        lines = "\n".join(str(finding) for finding in composed.errors)
        raise InputError(f"the issue has errors, so it cannot be sent; correct them, then propose it again:\n{lines}")
    issue, rendered = composed.issue, composed.rendered
    order = Order(folder=draft.folder, segment=meant_by(config, database, segment=draft.segment, now=now))
    order = order if schedule is None else Order(folder=order.folder, segment=order.segment, schedule=schedule)
    only = require_segments(config, database, issue.only_segments, now=now)
    preview = preview_freeze(database, request_of(config, order, issue, rendered, only, now=now), now=now)
    proposal = Proposal(
        id=0,
        issue=issue.name,
        segment=draft.segment,
        content_hash=rendered.content_hash,
        recipients=preview.recipients,
        wall_time=schedule.wall_time.replace(tzinfo=None).isoformat() if schedule else "",
        is_second=bool(schedule and schedule.wall_time.fold),
        zone=schedule.zone if schedule else "",
        is_local_time=draft.is_local_time,
        proposed_by=_printable(draft.by),
        proposed_at=now,
        expires_at=now + draft.valid_for,
    )
    return require_known(database, add_proposal(database, proposal))


def open_proposals(database: Database, *, now: datetime) -> tuple[Proposal, ...]:
    """Return the proposals that a person can release, the oldest first. Those that expired are left out."""
    return proposals_still_open(database, now=now)


def require_known(database: Database, number: int) -> Proposal:
    """Return the proposal with a number, in any state. Raise InputError if there is none."""
    found = find_proposal(database, number)
    if found is None:
        raise InputError(f"there is no proposal {number}; `newsletter proposals` lists those that are open")
    return found


def require_open(database: Database, number: int, *, issue: str, now: datetime) -> Proposal:
    """Return the proposal to release. Raise InputError if it is about another issue, settled or expired."""
    found = require_known(database, number)
    if found.issue != issue:
        raise InputError(f"proposal {number} is about the issue {found.issue}, not {issue}; name that issue")
    if found.state is not ProposalState.OPEN:
        raise InputError(f"proposal {number} was already {found.state.value}; {_ADD_AGAIN}")
    if found.expires_at <= now:
        raise InputError(f"proposal {number} expired on {show_utc(found.expires_at)}; {_ADD_AGAIN}")
    schedule = found.schedule
    if schedule is not None and not schedule.is_local_time and schedule.moment_in(schedule.zone) <= now:
        when = say_moment(schedule.moment_in(schedule.zone), schedule.zone, now=now)
        raise InputError(f"proposal {number} is for {when}, which has passed; {_ADD_AGAIN}")
    return found


def order_of(
    config: Config,
    database: Database,
    proposal: Proposal,
    folder: Path,
    *,
    waivers: tuple[Waiver, ...] = (),
    now: datetime,
) -> Order:
    """Return what a proposal asks for, to plan it. Raise InputError if its segment no longer exists."""
    segment = meant_by(config, database, segment=proposal.segment, now=now)
    return Order(folder=folder, segment=segment, waivers=waivers, schedule=proposal.schedule)


def require_unchanged(proposal: Proposal, plan: BroadcastPlan) -> None:
    """Raise InputError if the issue is no longer what was proposed."""
    if plan.request.content_hash != proposal.content_hash:
        raise InputError(
            f"{proposal.issue} has changed since proposal {proposal.id} was made, so nothing was sent; look at it with "
            f"`newsletter preview {quote(proposal.issue)}`, then {_ADD_AGAIN}"
        )


def note_on(proposal: Proposal, plan: BroadcastPlan) -> str:
    """Return who made a proposal, and how many people it was for."""
    when = show_zoned(proposal.proposed_at, plan.composed.subject.config.settings.newsletter.timezone)
    made = f"Proposal {proposal.id} was made by {proposal.proposed_by} on {when}"
    then, now = count_of(proposal.recipients, "subscriber"), plan.preview.recipients
    return f"{made} for {then}; now there are {now:,}. The issue is unchanged since then."


def release(
    database: Database,
    proposal: Proposal,
    plan: BroadcastPlan,
    provider: Provider,
    *,
    most: int | None = None,
    now: datetime,
) -> Broadcast:
    """Start the broadcast that was planned for a proposal. A person has reviewed the plan and confirmed it.

    `most` is the number of people that they agreed to, as in `start_broadcast`. Raise InputError if the proposal was
    settled, or has expired or changed. Raise what `start_broadcast` raises. Of two people who release it at the same
    time, the second may start a broadcast too, which then reaches no one twice.
    """
    current = require_open(database, proposal.id, issue=proposal.issue, now=now)
    require_unchanged(current, plan)
    broadcast = start_broadcast(database, plan, provider, most=most, now=now)
    settle_proposal(database, proposal.id, ProposalState.RELEASED, broadcast=broadcast.id)
    return broadcast


def decline(database: Database, number: int) -> Proposal:
    """Decline a proposal. Raise InputError if it is not open."""
    found = require_known(database, number)
    if not settle_proposal(database, number, ProposalState.DECLINED):
        raise InputError(
            f"proposal {number} was already {found.state.value}; `newsletter proposals` lists the open ones"
        )
    return found


def _printable(name: str) -> str:
    """Return what a program calls itself, without characters that could lead a reader astray."""
    shown = "".join(sign for sign in " ".join(name.split()) if sign.isprintable())
    return shown[:_LONGEST_NAME] or "an agent"
