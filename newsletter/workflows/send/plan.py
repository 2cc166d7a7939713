"""Broadcast an issue to a segment: plan the broadcast, freeze it, and reopen it after a crash."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.registry import RULES
from newsletter.config import CONFIG_FILE, Config
from newsletter.errors import FindingsError, InputError, MistakesError
from newsletter.language.clock import show_utc
from newsletter.model.audience import Suppression
from newsletter.model.axes import in_every_version
from newsletter.model.broadcast import Broadcast, BroadcastKind, BroadcastState, Schedule, Waiver
from newsletter.model.finding import AUDIENCE_RULES, REQUIREMENTS, Finding, Severity
from newsletter.model.issue import Issue
from newsletter.model.ledger import NO_CONSENT, FreezePreview, FreezeRequest
from newsletter.model.pace import Pace
from newsletter.model.readership import VERSIONS
from newsletter.model.rendered import RenderedIssue
from newsletter.model.segment import Segment
from newsletter.model.tracking import with_tracking
from newsletter.providers.base import Provider
from newsletter.render.theme import Theme
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast, resume_broadcast
from newsletter.store.ledger.freeze import NotRenderedError, RepeatedContentError, freeze_broadcast, preview_freeze
from newsletter.store.soft_bounces import find_soft_bounced
from newsletter.store.subscribers import known_fields
from newsletter.store.suppressions import suppress_listed
from newsletter.store.versions import chosen_version
from newsletter.workflows.compose.compose import Composed, Probing, judge_rendered, probe_issue, render_folder
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.events.judge import judge_reactions
from newsletter.workflows.publish.on_sending import host_pictures
from newsletter.workflows.segment_notes import notes_on, notes_on_knowledge
from newsletter.workflows.segments import require_segments
from newsletter.workflows.send.approve import repeated_content, sample_people_left, unmet_requirements
from newsletter.workflows.send.canary import CanaryPlan, CanaryWish, plan_canary, provisional, wants_canary, waves_with
from newsletter.workflows.send.lost_records import notes_on_lost_records
from newsletter.workflows.send.pace import chunk_size_for, pace_of
from newsletter.workflows.send.recover import recover
from newsletter.workflows.send.schedule import SchedulePlan, plan_schedule
from newsletter.workflows.send.told import notes_on_old_times
from newsletter.workflows.send.versions import ComparisonPower, for_version, power_of, version_waves

_CHOSEN = (
    "Version {version} was chosen in an earlier broadcast of this issue. To send only that, add --version {version}"
)
_UNFINISHED = frozenset({BroadcastState.RUNNING, BroadcastState.PAUSED})


class Order(Struct, frozen=True, kw_only=True):
    """The user's request: an issue, a segment and a time."""

    folder: Path  # the issue's folder
    segment: Segment
    waivers: tuple[Waiver, ...] = ()
    schedule: Schedule | None = None  # None means as soon as possible
    kind: BroadcastKind = BroadcastKind.ISSUE
    canary: CanaryWish = CanaryWish()
    version: str = ""  # the one that everyone gets; empty: versions are compared, if there are several
    subjects: tuple[str, ...] = ()  # in place of those of the issue, for a follow-up


class BroadcastPlan(Struct, frozen=True, kw_only=True):
    """Everything that a broadcast would do, before it starts."""

    folder: Path  # the issue's folder
    subjects: tuple[str, ...] = ()  # in place of those of the issue
    composed: Composed
    request: FreezeRequest
    preview: FreezePreview
    pace: Pace
    schedule: SchedulePlan | None  # None means as soon as possible
    blocking: tuple[Finding, ...]  # errors and unmet requirements that are not waived
    waived: tuple[Finding, ...]
    unused_waivers: tuple[str, ...]  # waivers given for checks that found no error
    notes: tuple[str, ...]  # what may be wrong with the segments, or with the database
    worn_out: tuple[Suppression, ...]  # addresses with too many soft bounces, which are suppressed before the freeze
    canary: CanaryPlan | None = None  # the first part, which can stop the others
    power: ComparisonPower | None = None  # whether comparing the versions can tell; None if nothing is tested

    @property
    def without_consent(self) -> int:
        """The number of subscribers in the segment who are left out because they have no recorded consent or basis."""
        return sum(count.deliveries for count in self.preview.excluded if count.reason == NO_CONSENT)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The warnings of the checks that are not waived. Warnings do not block sending."""
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
    is_preview: bool = False,
    theme: Theme | None = None,
) -> BroadcastPlan:
    """Compose the issue, check it as of its sending time, and find who would get what. Do not change the ledger.

    Unless it is only a preview, images are uploaded before it is checked whether they can be loaded.

    Without a `provider`, the plan does not say where the emails wait for their scheduled time. Raise MistakesError for
    mistakes in the files. Raise InputError if a check is unknown, the time is not possible, or there are no recipients.
    """
    _require_rules(order.waivers)
    issue, rendered = render_folder(config, order.folder, theme=theme, subjects=order.subjects)
    chosen = chosen_version(database, issue.name) if issue.versions else ""
    version = order.version
    if order.kind is BroadcastKind.FOLLOW_UP and issue.versions:  # nothing is compared a second time
        version = version or chosen or VERSIONS[0]
    if version:
        rendered = for_version(issue, rendered, version)
    judge_reactions(database, now=now)  # segments may ask who opened or clicked
    only = require_segments(config, database, issue.only_segments, now=now)
    request = request_of(config, order, issue, rendered, only, now=now)
    preview = preview_freeze(database, request, now=now)
    compared = request.waves if request.waves is not None and request.waves.axis else None
    # Every variant that has a recipient, or may have one once a version is chosen.
    rendered = rendered.judged_for(
        in_every_version((each.readership for each in preview.variants), request.axes if compared else ())
    )
    schedule = order.schedule
    planned = plan_schedule(config, schedule, preview, provider=provider, now=now) if schedule else None
    canary = plan_canary(config, database, request, preview, order.canary, now=now)
    request = replace(request, waves=waves_with(request.waves, canary))
    composed = judge_rendered(
        config,
        issue,
        rendered,
        at=max(planned.last if planned else now, now + request.grace, canary.ends_at(now) if canary else now),
        known_fields=known_fields(database),
        arrivals=[replace(zone, due_at=max(zone.due_at, now + request.grace)) for zone in preview.zones],
    )
    if probing is not None:  # last, because it is slow and the errors above are found quickly
        if not is_preview:
            host_pictures(config, rendered)
        composed = probe_issue(config, composed, replace(probing, are_pictures_hosted=not is_preview))
    unmet = unmet_requirements(config, database, issue.name, rendered.content_hash, subjects=order.subjects)
    holding_back = (
        *composed.errors,
        *sample_people_left(config, database),
        *unmet,
        *repeated_content(issue.name, preview.repeats),
    )
    named, found = {waiver.rule for waiver in order.waivers}, {finding.rule for finding in holding_back}
    used = (waiver for waiver in order.waivers if waiver.rule in found)
    return BroadcastPlan(
        folder=order.folder,
        subjects=order.subjects,
        composed=composed,
        request=replace(request, waivers=(*used, *_standing_waivers(composed.findings))),
        preview=preview,
        pace=pace_of(config),
        schedule=planned,
        blocking=tuple(finding for finding in holding_back if finding.rule not in named),
        waived=tuple(finding for finding in holding_back if finding.rule in named),
        unused_waivers=tuple(sorted(named - found)),
        notes=(
            *notes_on(database, [order.segment, *only]),
            *notes_on_lost_records(config, database),
            *notes_on_old_times(database, now=now),
            *([_CHOSEN.format(version=chosen)] if chosen and compared else ()),
            *(notes_on_knowledge(database, issue.name) if order.kind is BroadcastKind.FOLLOW_UP else ()),
        ),
        canary=canary,
        power=power_of(database, compared, preview.variants) if compared else None,
        worn_out=find_soft_bounced(database, config.settings.suppressions.soft_bounce_policy, now=now),
    )


def request_of(
    config: Config, order: Order, issue: Issue, rendered: RenderedIssue, only: Sequence[Segment], *, now: datetime
) -> FreezeRequest:
    """Return what would be frozen for an order, without its waivers. `only` are the segments that the issue names."""
    tracking = config.settings.tracking.mode
    waves = None if order.version or order.kind is not BroadcastKind.ISSUE else version_waves(issue, tracking)
    return FreezeRequest(
        issue=issue.name,
        segment=order.segment,
        axes=rendered.axes,
        only={each.name: each.condition for each in only},
        provider=config.settings.provider.use,
        content_hash=rendered.content_hash,
        envelope=envelope_of(config),
        waivers=(),
        schedule=order.schedule,
        topics=rendered.topics,
        good_until=issue.first_end_after(order.schedule.moment_in(order.schedule.zone) if order.schedule else now),
        kind=order.kind,
        grace=config.settings.delivery.grace,
        waves=waves or (provisional(config) if wants_canary(config, order.canary, order.kind) else None),
    )


def start_broadcast(
    database: Database, plan: BroadcastPlan, provider: Provider, *, most: int | None = None, now: datetime
) -> Broadcast:
    """Freeze the broadcast: write its recipients and content to the ledger.

    Before that, the addresses in `worn_out` are suppressed. A subscriber who joined after the plan was made may need
    another variant; it is rendered and checked before the freeze. Raise FindingsError if an error blocks sending. Raise
    InputError if there are no recipients, or more than `most`, if the scheduled time has passed by now, or if a variant
    is missing and the issue was edited after the plan was made. Raise StoreError if this drive has no working locks,
    because then two processes could send the same emails.
    """
    with database.runner():
        pass  # before anything is frozen
    _require_free(plan.blocking)
    if plan.schedule is not None and plan.schedule.first <= now:
        raise InputError(
            "the time in --at has passed in the meantime, so nothing was sent; run the command again with a later time"
        )
    if plan.worn_out:
        suppress_listed(database, plan.worn_out)
    chunk_size = chunk_size_for(provider.chunk_size, plan.pace)
    rendered = plan.composed.rendered
    while True:  # this ends: each round renders at least one more readership, and the number of readerships is finite
        try:
            tracked = with_tracking(rendered.variants, service_url=plan.request.envelope.service_url)
            request = replace(
                plan.request, tracking=tracked.mode, links=tracked.links, checks=plan.composed.checks, most=most
            )
            return freeze_broadcast(database, request, tracked.variants, chunk_size=chunk_size, now=now)
        except RepeatedContentError as err:  # another broadcast was started after the plan was made
            _require_free(repeated_content(plan.request.issue, err.repeats))
        except NotRenderedError as err:
            new = _as_planned(plan).judged_for(err.readerships)
            waived = {waiver.rule for waiver in plan.request.waivers}
            _require_free([error for error in _errors_in(plan.composed, new) if error.rule not in waived])
            rendered = replace(rendered, variants=(*rendered.variants, *new.variants))


def _as_planned(plan: BroadcastPlan) -> RenderedIssue:
    """Render the issue again. Raise InputError if it is no longer what was planned, tested and approved.

    Templates and images are read while a variant is rendered, so a variant that is rendered later could differ.
    """
    edited = InputError("the issue was edited in the meantime, so nothing was sent; review it, then send it again")
    try:
        _, rendered = render_folder(plan.composed.subject.config, plan.folder, subjects=plan.subjects)
    except MistakesError as err:  # the files had no mistakes when the plan was made
        raise edited from err
    if rendered.content_hash != plan.request.content_hash:
        raise edited
    return rendered


def _errors_in(composed: Composed, rendered: RenderedIssue) -> tuple[Finding, ...]:
    """Return the errors in additional variants of an issue, checked in the same way as its other variants."""
    subject = composed.subject
    return judge_rendered(
        subject.config,
        subject.issue,
        rendered,
        at=subject.at,
        known_fields=subject.known_fields,
        arrivals=subject.arrivals,
    ).errors


def _require_free(blocking: Sequence[Finding]) -> None:
    if blocking:
        raise FindingsError("\n".join(str(finding) for finding in blocking))


def require_unfinished(
    database: Database, broadcast_id: int | None, provider: Provider, *, lead: timedelta, now: datetime
) -> Broadcast:
    """Return the broadcast to continue, without changing it.

    Without a number, this is the only broadcast that was interrupted or paused. Raise InputError if there is none or
    more than one, if it is being canceled, if it started with another provider, or if it is scheduled more than `lead`
    ahead, or ahead at all for a provider that cannot hold it.
    """
    found = require_broadcast(database, broadcast_id) if broadcast_id is not None else _only_unfinished(database)
    if found.state is BroadcastState.CANCELLING:
        raise InputError(f"broadcast {found.id} is being canceled; run `newsletter cancel {found.id}` to finish")
    require_same_provider(found, provider.name)
    if found.state is BroadcastState.SCHEDULED:
        _require_can_leave(found, lead if provider.scheduler is not None else timedelta(), now=now)
    return found


def reopen_broadcast(database: Database, broadcast_id: int, *, now: datetime) -> Broadcast:
    """Reopen a broadcast so that it can continue. Requests of a dead process become unknown.

    Deliveries that are late are sent as soon as possible. Raise InputError if the broadcast has ended.
    """
    recover(database, broadcast_id, now=now)
    return resume_broadcast(database, broadcast_id, now=now)


def require_same_provider(broadcast: Broadcast, provider: str) -> None:
    """Raise InputError if the broadcast was started with a provider other than the current one."""
    if broadcast.provider != provider:
        change = f"started with {broadcast.provider}, but {CONFIG_FILE} now uses {provider}"
        remedy = f'to continue, set use = "{broadcast.provider}" under [provider] in that file'
        raise InputError(f"broadcast {broadcast.id} {change}; {remedy}")


def _require_can_leave(broadcast: Broadcast, lead: timedelta, *, now: datetime) -> None:
    """Raise InputError if a scheduled broadcast is due too far ahead to be sent to the provider now."""
    if broadcast.due_at is not None and broadcast.due_at > now + lead:
        raise InputError(
            f"broadcast {broadcast.id} is scheduled for {show_utc(broadcast.due_at)}; `newsletter run-due` "
            f"sends it on time. To send it sooner, run `newsletter cancel {broadcast.id}`, then send the issue again"
        )


def _only_unfinished(database: Database) -> Broadcast:
    broadcasts = list_broadcasts(database)
    unfinished = [broadcast for broadcast in broadcasts if broadcast.state in _UNFINISHED]
    unfinished = unfinished or [broadcast for broadcast in broadcasts if broadcast.continues_at is not None]
    if not unfinished:
        raise InputError("there is no unfinished broadcast; `newsletter status` lists all broadcasts")
    if len(unfinished) > 1:
        numbers = ", ".join(str(broadcast.id) for broadcast in unfinished)
        remedy = f"name one: newsletter resume {unfinished[-1].id}"
        raise InputError(f"several broadcasts are unfinished: {numbers}; {remedy}")
    return unfinished[0]


def _standing_waivers(findings: Sequence[Finding]) -> Iterator[Waiver]:
    """Yield one waiver for each check whose errors the settings or the issue waive."""
    standing = {finding.rule: finding.waived for finding in findings if finding.waived}
    errors = {finding.rule for finding in findings if finding.severity is Severity.ERROR}
    yield from (Waiver(rule=rule, because=reason) for rule, reason in standing.items() if rule in errors)


def _require_rules(waivers: Sequence[Waiver]) -> None:
    known = [*(rule.id for rule in RULES), *(requirement.id for requirement in REQUIREMENTS)]
    held = {rule.id for rule in RULES if not rule.can_be_waived}
    for waiver in waivers:
        if waiver.rule in {rule.id for rule in AUDIENCE_RULES}:
            remedy = 'import the list again with a consented_at column, or with --basis "why you may email them"'
            raise InputError(f"--waive {waiver.rule}: this check cannot be overridden; {remedy}")
        if waiver.rule not in known:
            raise InputError(
                f"--waive: there is no check {waiver.rule!r}; write one from `newsletter check --list`, for example E1"
            )
        if waiver.rule in held:
            what = (
                f"--waive {waiver.rule}: this check cannot be overridden, because it is required by law or for sending"
            )
            raise InputError(f"{what}; correct the problem, and leave out --waive {waiver.rule}")
        if not waiver.because.strip():
            raise InputError(
                f'--waive {waiver.rule} needs a reason; add it, for example --because "we announce the recording"'
            )
