"""The questions that the studio asks before it sends, approves, cancels or continues something.

Each says what would happen, in the same words as the terminal. The answer looks again: if the content or the people
have changed, the studio asks again instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.counts import count_of
from newsletter.model.broadcast import Schedule
from newsletter.model.finding import Finding, Means
from newsletter.model.proposal import Proposal
from newsletter.model.segment import EVERYONE
from newsletter.store.ledger.recall import last_run
from newsletter.web.studio.confirmations import Question, Settlement
from newsletter.web.studio.studio import Studio, opened
from newsletter.workflows.compose.compose import Composed, Probing, compose_issue
from newsletter.workflows.proposals import note_on, release, require_open, require_unchanged
from newsletter.workflows.segments import audience_fields, meant_by
from newsletter.workflows.send.approve import approve_content, approver, draft_approval
from newsletter.workflows.send.awake import Awake, possible_awake
from newsletter.workflows.send.begin import begin
from newsletter.workflows.send.canary import CanaryWish
from newsletter.workflows.send.courier import Trip
from newsletter.workflows.send.plan import (
    BroadcastPlan,
    Order,
    plan_broadcast,
    start_broadcast,
)
from newsletter.workflows.send.plan_facts import STUDIO_SEAT, notes_on_people, plan_facts
from newsletter.workflows.send.questions import (
    approval_facts,
    facts_of_test,
)
from newsletter.workflows.send.recall import is_awake
from newsletter.workflows.send.reviewer_copies import count_test_copies, require_own_addresses, send_test_copies
from newsletter.workflows.send.schedule import read_schedule

_EDITED = "The issue was edited in the meantime. This is how it is now."
CHANGED = "The issue, the list or the settings have changed in the meantime. This is what would happen now."


def _now() -> datetime:
    return datetime.now(UTC)


def require_folder(studio: Studio, issue: str) -> Path:
    """Return the folder of an issue. Raise InputError if it was renamed or deleted."""
    folder = studio.proofs.issues().get(issue)
    if folder is None:
        raise InputError(f"the issue {issue} no longer exists; check whether it was renamed or deleted")
    return folder


def _counted(findings: Sequence[Finding]) -> str:
    """Return the number of errors and warnings in words, without those that were overridden."""
    standing = [finding.severity.value for finding in findings if not finding.waived]
    words = [count_of(standing.count(each), each) for each in ("error", "warning") if each in standing]
    return ", ".join(words) or "none found"


# ── A test email ──────────────────────────────────────────────────────────────────────────────────────────────────────


def listed_reviewers(config: Config) -> tuple[str, ...]:
    """Return the mailboxes of all groups of reviewers, in the order of the settings, each once."""
    return tuple(dict.fromkeys(each for group in config.settings.reviewers.values() for each in group))


def copies_question(studio: Studio, issue: str, chosen: Sequence[str], *, notice: str = "") -> Question:
    """Ask whether to send a test email to reviewers. Only mailboxes in the settings may be chosen."""
    config = studio.read_config()
    mailboxes = tuple(each for each in listed_reviewers(config) if each in chosen)
    if not mailboxes or set(chosen) - set(mailboxes):
        raise InputError("choose at least one of the reviewers that newsletter.toml lists")
    require_own_addresses(config, mailboxes)
    through, composed = studio.courier.open_provider(config).describe(), _composed(studio, issue)
    facts = facts_of_test(composed, mailboxes, through=through, problems=_counted(composed.findings))
    copies = count_of(count_test_copies(composed, mailboxes), "test email")
    return Question(
        issue=issue,
        title=f"Send {copies}?",
        facts=tuple(facts),
        action=f"Send {copies}",
        notice=notice,
        act=partial(_send_test, studio, issue, mailboxes, composed.rendered.content_hash, through),
    )


def _send_test(
    studio: Studio, issue: str, mailboxes: Sequence[str], content_hash: str, through: str
) -> Settlement | Question:
    config, composed = studio.read_config(), _composed(studio, issue)
    if composed.rendered.content_hash != content_hash:
        return copies_question(studio, issue, mailboxes, notice=_EDITED)
    provider = studio.courier.open_provider(config)
    if provider.describe() != through or not set(mailboxes) <= set(listed_reviewers(config)):
        return copies_question(studio, issue, mailboxes, notice=CHANGED)
    with opened(config) as database:
        results = send_test_copies(
            config, database, composed, mailboxes, provider, now=_now(), on_sent=lambda _copies: None
        )
    refused = [copy for copy in results if copy.refused]
    accepted = count_of(len(results) - len(refused), "test email")
    said = f"{accepted} for {count_of(len(mailboxes), 'reviewer')}, accepted by {provider.name}."
    return Settlement(said=(said,), failure="\n".join(f"{copy.email} was rejected: {copy.refused}" for copy in refused))


def _composed(studio: Studio, issue: str) -> Composed:
    config = studio.read_config()
    return compose_issue(config, require_folder(studio, issue), known_fields=audience_fields(config))


# ── An approval ──────────────────────────────────────────────────────────────────────────────────────────────────────


def approval_question(studio: Studio, issue: str, by: str, *, notice: str = "") -> Question:
    """Ask whether to approve the issue exactly as it is now."""
    config = studio.read_config()
    with opened(config) as database:
        draft = draft_approval(config, database, require_folder(studio, issue), now=_now())
    name = approver(by)
    return Question(
        issue=issue,
        title=f"Approve {issue} as {name}?",
        facts=tuple(approval_facts(config, draft, by=name, problems=_counted(draft.composed.findings))),
        action=f"Approve as {name}",
        notice=notice,
        act=partial(_approve, studio, issue, name, draft.content_hash),
    )


def _approve(studio: Studio, issue: str, by: str, content_hash: str) -> Settlement | Question:
    config = studio.read_config()
    with opened(config) as database:
        draft = draft_approval(config, database, require_folder(studio, issue), now=_now())
        if draft.content_hash != content_hash:
            return approval_question(studio, issue, by, notice=_EDITED)
        approve_content(database, draft, by=by, now=_now())
    return Settlement(said=(f"{by} approved {issue}, content {content_hash[:12]}.",))


# ── A broadcast ──────────────────────────────────────────────────────────────────────────────────────────────────────


class SendForm(Struct, frozen=True, kw_only=True):
    """What a person filled in to send an issue."""

    segment: str = EVERYONE
    schedule: Schedule | None = None  # None: as soon as possible
    awake: Awake | None = None  # what will be running at that time
    canary: CanaryWish = CanaryWish()
    proposal: Proposal | None = None  # what an agent proposed, if this is it


def read_form(
    studio: Studio, *, segment: str, at: str, is_local_time: bool, awake: str, is_canary: bool = False
) -> SendForm:
    """Read the form. Without `at`, the issue is sent as soon as possible. Raise InputError for a mistake in it."""
    if not segment:
        raise InputError("choose the segment to send to")
    canary = CanaryWish(is_wanted=True if is_canary else None)
    if not at.strip():
        return SendForm(segment=segment, canary=canary)
    config = studio.read_config()
    zone = config.settings.newsletter.timezone
    if awake not in set(Awake):
        raise InputError("choose what will be running at that time")
    chosen = possible_awake(config, Awake(awake))
    schedule = read_schedule(at.strip(), zone=zone, is_local_time=is_local_time, now=_now())
    return SendForm(segment=segment, schedule=schedule, awake=chosen, canary=canary)


def plan_of(studio: Studio, issue: str, form: SendForm, *, probes: bool) -> BroadcastPlan:
    """Plan the broadcast as `newsletter send` does. Without `probes`, the checks that take a while are left out."""
    config, now = studio.read_config(), _now()
    without = studio.without | frozenset(map(Means, config.settings.checks.without))
    with opened(config) as database:
        meant = meant_by(config, database, segment=form.segment, now=now)
        order = Order(folder=require_folder(studio, issue), segment=meant, schedule=form.schedule, canary=form.canary)
        probing = Probing(now=now, without=without) if probes else None
        provider = studio.courier.open_provider(config)
        plan = plan_broadcast(config, database, order, provider=provider, probing=probing, now=now)
        if form.proposal is not None:
            require_unchanged(require_open(database, form.proposal.id, issue=issue, now=now), plan)
        return plan


def send_question(studio: Studio, issue: str, form: SendForm, *, notice: str = "") -> Question:
    """Ask whether to send or schedule the issue, with the whole plan. The number of people has to be typed."""
    plan, config = plan_of(studio, issue, form, probes=True), studio.read_config()
    people = plan.preview.recipients
    through = studio.courier.open_provider(config).describe()
    subscribers = count_of(people, "subscriber")
    verb = "Schedule it for" if form.schedule else "Send to"
    return Question(
        issue=issue,
        title=f"{verb} {subscribers}?",
        facts=tuple(plan_facts(config, plan, through=through, seat=STUDIO_SEAT, now=_now())),
        action=f"{'Schedule for' if form.schedule else 'Send to'} {subscribers}",
        notice=notice,
        notes=(
            *([note_on(form.proposal, plan)] if form.proposal else []),
            *plan.notes,
            *plan.composed.notes,
            *notes_on_people(plan),
            *_notes_on_awake(studio, form, plan),
        ),
        blocking=plan.blocking,
        people=people,
        act=partial(_send, studio, issue, form, plan, through),
    )


def _notes_on_awake(studio: Studio, form: SendForm, plan: BroadcastPlan) -> list[str]:
    """Return a warning if what a person says will be running has not run lately."""
    if form.awake is None and plan.canary is not None:
        return ["This studio watches what comes back, unless a service or a timer does. Leave it running until then."]
    if form.awake is None:
        return []
    if form.awake is Awake.HERE:
        return ["This studio sends the issue when it is due. Leave it running, and keep the computer awake."]
    with opened(studio.config) as database:
        last = last_run(database)
    if is_awake(last, now=_now()):
        return []
    return [f"No {_RUNNERS[form.awake]} has run here lately. If none is running then, nothing is sent."]


_RUNNERS = {Awake.SERVE: "service", Awake.TIMER: "timer", Awake.WORKER: "worker"}


def _send(studio: Studio, issue: str, form: SendForm, agreed: BroadcastPlan, through: str) -> Settlement | Question:
    """Create the broadcast exactly as agreed, and begin to send what is due. Ask again if anything differs."""
    config = studio.read_config()
    fresh = plan_of(studio, issue, form, probes=False)
    provider = studio.courier.open_provider(config)
    if fresh.blocking or provider.describe() != through or agreed_to(fresh) != agreed_to(agreed):
        return send_question(studio, issue, form, notice=CHANGED)
    # The checks that take a while ran when the person was asked, and the content is still the same.
    plan = replace(fresh, request=replace(fresh.request, waivers=agreed.request.waivers))
    with opened(config) as database:
        begun = start_broadcast if form.proposal is None else partial(release, proposal=form.proposal)
        broadcast = begun(database, plan=plan, provider=provider, most=agreed.preview.recipients, now=_now())
        beginning = begin(config, broadcast, plan, now=_now())
    stays = form.awake is Awake.HERE or (form.awake is None and plan.canary is not None)
    if beginning.is_now or stays:
        trip = Trip(config=config, broadcast=broadcast.id, is_now=beginning.is_now, ahead=beginning.ahead, stays=stays)
        studio.courier.send(trip)
    return Settlement(leads_to=f"sending/{broadcast.id}")


def agreed_to(plan: BroadcastPlan) -> tuple[object, ...]:
    """Return everything in a plan that a person agrees to. If any of it changes, they are asked again."""
    request, preview, schedule = plan.request, plan.preview, plan.schedule
    return (
        request.content_hash,
        request.envelope,
        request.provider,
        request.topics,
        request.segment.expression,
        request.grace,
        plan.composed.subject.config.settings.segments,  # the email's parts for some readers depend on them too
        preview.members,
        preview.excluded,
        preview.variants,
        preview.zones,
        preview.repeats,
        plan.worn_out,
        (plan.canary.people, plan.canary.waves.watch) if plan.canary else None,
        (schedule.first, schedule.last, schedule.travel) if schedule else None,
    )
