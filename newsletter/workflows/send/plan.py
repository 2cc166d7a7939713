"""Broadcast an issue to a segment: plan it, freeze it, and take it up again after a crash."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.registry import RULES
from newsletter.config import CONFIG_FILE, Config
from newsletter.errors import FindingsError, InputError
from newsletter.language.clock import show_utc
from newsletter.model.audience import Suppression
from newsletter.model.broadcast import Broadcast, BroadcastState, Schedule, Waiver
from newsletter.model.finding import AUDIENCE_RULES, REQUIREMENTS, Finding, Severity
from newsletter.model.ledger import NO_CONSENT, FreezePreview, FreezeRequest
from newsletter.model.pace import Pace
from newsletter.model.rendered import RenderedIssue
from newsletter.model.segment import Segment
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast, resume_broadcast
from newsletter.store.ledger.freeze import NotRenderedError, freeze_broadcast, preview_freeze
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.soft_bounces import find_soft_bounced
from newsletter.store.subscribers import known_fields
from newsletter.store.suppressions import add_suppressions
from newsletter.workflows.compose.compose import Composed, Probing, judge_rendered, probe_issue, render_folder
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.segments import require_segments
from newsletter.workflows.send.approve import unmet_requirements
from newsletter.workflows.send.pace import chunk_size_for, pace_of
from newsletter.workflows.send.schedule import SchedulePlan, plan_schedule

_UNFINISHED = frozenset({BroadcastState.RUNNING, BroadcastState.PAUSED})


class Order(Struct, frozen=True, kw_only=True):
    """What a person asks for: this issue, to these people, at that time."""

    folder: Path  # of the issue
    segment: Segment
    waivers: tuple[Waiver, ...] = ()
    schedule: Schedule | None = None  # None: as soon as it can


class BroadcastPlan(Struct, frozen=True, kw_only=True):
    """What a broadcast would do, before it does anything."""

    folder: Path  # of the issue
    composed: Composed
    request: FreezeRequest
    preview: FreezePreview
    pace: Pace
    schedule: SchedulePlan | None  # None: as soon as it can
    blocking: tuple[Finding, ...]  # errors, and requirements that nobody met, that no waiver overrides
    waived: tuple[Finding, ...]
    unused_waivers: tuple[str, ...]  # rules that were to be waived and found nothing
    worn_out: tuple[Suppression, ...]  # addresses that keep bouncing: suppressed before anything is frozen

    @property
    def without_consent(self) -> int:
        """How many of the segment are left out because nothing on record allows to mail them."""
        return sum(count.deliveries for count in self.preview.excluded if count.reason == NO_CONSENT)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What the checks found that does not hold the mail back."""
        standing = (finding for finding in self.composed.findings if not finding.waived)
        return tuple(finding for finding in standing if finding.severity is Severity.WARNING)


def plan_broadcast(
    config: Config,
    database: Database,
    order: Order,
    *,
    provider: Provider | None = None,
    probing: Probing | None = None,
    now: datetime,
) -> BroadcastPlan:
    """Compose the issue, check it as of when it goes out, and find who would get what; the ledger stays as it is.

    Without a `provider` the plan does not say how mail gets to its time. Raise MistakesError, or InputError for an
    unknown rule, a time that does not fit, or where nobody would get anything.
    """
    _require_rules(order.waivers)
    issue, rendered = render_folder(config, order.folder)
    request = FreezeRequest(
        issue=issue.name,
        segment=order.segment,
        axes=rendered.axes,
        only={each.name: each.condition for each in require_segments(config, database, issue.only_segments, now=now)},
        provider=config.settings.provider.use,
        content_hash=rendered.content_hash,
        envelope=envelope_of(config),
        waivers=(),
        schedule=order.schedule,
        topics=rendered.topics,
    )
    preview = preview_freeze(database, request)
    rendered = rendered.judged_for(count.readership for count in preview.variants)  # every variant that somebody gets
    schedule = order.schedule
    goes_out = schedule.moment_in(schedule.zone) if schedule else now
    composed = judge_rendered(config, issue, rendered, at=goes_out, known_fields=known_fields(database))
    planned = plan_schedule(config, schedule, preview, provider=provider, now=now) if schedule else None
    if probing is not None:  # after what can be refused at once
        composed = probe_issue(config, composed, probing)
    holding_back = (*composed.errors, *unmet_requirements(config, database, issue.name, rendered.content_hash))
    named, found = {waiver.rule for waiver in order.waivers}, {finding.rule for finding in holding_back}
    used = (waiver for waiver in order.waivers if waiver.rule in found)
    return BroadcastPlan(
        folder=order.folder,
        composed=composed,
        request=replace(request, waivers=(*used, *_standing_waivers(composed.findings))),
        preview=preview,
        pace=pace_of(config),
        schedule=planned,
        blocking=tuple(finding for finding in holding_back if finding.rule not in named),
        waived=tuple(finding for finding in holding_back if finding.rule in named),
        unused_waivers=tuple(sorted(named - found)),
        worn_out=find_soft_bounced(database, config.settings.suppressions.soft_bounce_policy, now=now),
    )


def start_broadcast(database: Database, plan: BroadcastPlan, provider: Provider, *, now: datetime) -> Broadcast:
    """Freeze the broadcast; from here on it is in the ledger, with its content.

    The addresses that the plan found to keep bouncing are suppressed before. Somebody who has joined since the plan was
    made may need a variant of their own: it is rendered and checked before anything is frozen. Raise FindingsError
    where an error holds the mail back, InputError where nobody would get anything, where the issue was edited since the
    plan was made and a variant is missing, or where the time has come since, so that mail would leave at once that was
    to wait.
    """
    _require_free(plan.blocking)
    if plan.schedule is not None and plan.schedule.first <= now:
        raise InputError("its time has passed meanwhile; nothing was sent. Write a time that is to come")
    if plan.worn_out:
        add_suppressions(database, plan.worn_out)
    chunk_size = chunk_size_for(provider.chunk_size, plan.pace)
    rendered = plan.composed.rendered
    while True:  # each time around, one readership more at least is rendered, and there are only so many
        try:
            return freeze_broadcast(database, plan.request, rendered.variants, chunk_size=chunk_size, now=now)
        except NotRenderedError as err:
            new = _as_planned(plan).judged_for(err.readerships)
            waived = {waiver.rule for waiver in plan.request.waivers}
            _require_free([error for error in _errors_in(plan.composed, new) if error.rule not in waived])
            rendered = replace(rendered, variants=(*rendered.variants, *new.variants))


def _as_planned(plan: BroadcastPlan) -> RenderedIssue:
    """Return the issue rendered anew; raise InputError where that is no longer what was planned, tested and approved.

    Templates and pictures are read while a variant is rendered, so one that is rendered later could have another look.
    """
    _, rendered = render_folder(plan.composed.subject.config, plan.folder)
    if rendered.content_hash != plan.request.content_hash:
        raise InputError("the issue was edited meanwhile; nothing was sent. Look at it again, then send it once more")
    return rendered


def _errors_in(composed: Composed, rendered: RenderedIssue) -> tuple[Finding, ...]:
    """Return what holds variants back that are judged as the others of an issue were."""
    subject = composed.subject
    judged = judge_rendered(subject.config, subject.issue, rendered, at=subject.at, known_fields=subject.known_fields)
    return judged.errors


def _require_free(blocking: Sequence[Finding]) -> None:
    if blocking:
        raise FindingsError("\n".join(str(finding) for finding in blocking))


def require_unfinished(database: Database, broadcast_id: int | None, provider: Provider, *, now: datetime) -> Broadcast:
    """Return the broadcast to go on with; nothing about it is changed.

    Without a number it is the only one that was interrupted or held back. Raise InputError where there is none,
    several, it is being cancelled, it began with another provider, or its time is further ahead than that can hold it.
    """
    found = require_broadcast(database, broadcast_id) if broadcast_id is not None else _only_unfinished(database)
    if found.state is BroadcastState.CANCELLING:
        raise InputError(f"broadcast {found.id} is being cancelled; finish that with `newsletter cancel {found.id}`")
    require_same_provider(found, provider.name)
    if found.state is BroadcastState.SCHEDULED:
        _require_can_leave(found, provider, now=now)
    return found


def reopen_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Let a broadcast go on; what a dead process was handing over becomes unknown.

    What of it is late leaves as soon as it can. Raise InputError where it has ended.
    """
    adopt_orphans(database, broadcast_id, now=now)
    return resume_broadcast(database, broadcast_id, now=now)


def require_same_provider(broadcast: Broadcast, provider: str) -> None:
    """Raise InputError where the broadcast began with another provider than the one in use."""
    if broadcast.provider != provider:
        change = f"began with {broadcast.provider}, but {CONFIG_FILE} now uses {provider}"
        raise InputError(f"broadcast {broadcast.id} {change}; set [provider] use back to go on")


def _require_can_leave(broadcast: Broadcast, provider: Provider, *, now: datetime) -> None:
    """Raise InputError where nothing of a scheduled broadcast can be handed over yet."""
    longest = provider.scheduler.longest if provider.scheduler is not None else timedelta()
    if broadcast.due_at is not None and broadcast.due_at > now + longest:
        raise InputError(
            f"broadcast {broadcast.id} is scheduled for {show_utc(broadcast.due_at)}; `newsletter run-due` "
            f"hands it over in time. To send it sooner, `newsletter cancel {broadcast.id}`, and send the issue again"
        )


def _only_unfinished(database: Database) -> Broadcast:
    unfinished = [broadcast for broadcast in list_broadcasts(database) if broadcast.state in _UNFINISHED]
    if not unfinished:
        raise InputError("no broadcast is unfinished; `newsletter status` lists all of them")
    if len(unfinished) > 1:
        numbers = ", ".join(str(broadcast.id) for broadcast in unfinished)
        remedy = f"name one: newsletter resume {unfinished[-1].id}"
        raise InputError(f"several broadcasts are unfinished: {numbers}; {remedy}")
    return unfinished[0]


def _standing_waivers(findings: Sequence[Finding]) -> Iterator[Waiver]:
    """Yield what the settings and the issue waive of errors, each rule once."""
    standing = {finding.rule: finding.waived for finding in findings if finding.waived}
    errors = {finding.rule for finding in findings if finding.severity is Severity.ERROR}
    yield from (Waiver(rule=rule, because=reason) for rule, reason in standing.items() if rule in errors)


def _require_rules(waivers: Sequence[Waiver]) -> None:
    known = [*(rule.id for rule in RULES), *(requirement.id for requirement in REQUIREMENTS)]
    held = {rule.id for rule in RULES if not rule.can_be_waived}
    for waiver in waivers:
        if waiver.rule in {rule.id for rule in AUDIENCE_RULES}:
            remedy = 'import the list again with the consent of these people, or with --basis "…", which is kept'
            raise InputError(f"{waiver.rule} cannot be waived: {remedy}")
        if waiver.rule not in known:
            raise InputError(f"there is no check {waiver.rule}; write one that `newsletter check --list` explains")
        if waiver.rule in held:
            raise InputError(f"{waiver.rule} cannot be waived: the law, or the sending itself, asks for it")
        if not waiver.because.strip():
            raise InputError(f'the waiver of {waiver.rule} has no reason; add --because "…"')
