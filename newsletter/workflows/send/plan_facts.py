"""The plan of a broadcast in words, which a person reviews before they confirm.

The terminal prints it, and the studio shows it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from newsletter.config import Config
from newsletter.language.clock import say_day_and_clock, say_moment, say_time_span, say_wait
from newsletter.language.counts import count_of
from newsletter.language.words import language_name
from newsletter.model.broadcast import BroadcastKind, name_of
from newsletter.model.finding import CONSENT
from newsletter.model.issue_fields import Visibility
from newsletter.model.ledger import VariantCount, ZoneCount
from newsletter.model.readership import LANGUAGE, VERSION, TrackingMode
from newsletter.model.segment import AD_HOC
from newsletter.model.site_addresses import address_of, issue_path
from newsletter.model.waves import Waves
from newsletter.workflows.compose.check import not_judged
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.canary_facts import canary_lines, canary_notes
from newsletter.workflows.send.plan import BroadcastPlan
from newsletter.workflows.send.schedule import SchedulePlan, Travel
from newsletter.workflows.send.versions import version_facts

_SHOWN_ZONES = 4
_KINDS = {
    BroadcastKind.FOLLOW_UP: "a follow-up, only to people who are known to have received the issue and not opened it",
}


class Seat(Struct, frozen=True, kw_only=True):
    """Where a person confirms a broadcast: what that is called, and how it can be called off in its grace period."""

    name: str
    calls_off: str


TERMINAL_SEAT = Seat(name="this terminal", calls_off="Ctrl-C or `newsletter cancel`")
STUDIO_SEAT = Seat(name="this studio", calls_off="canceling it here or with `newsletter cancel`")


def plan_facts(
    config: Config, plan: BroadcastPlan, *, through: str, seat: Seat, now: datetime
) -> list[tuple[str, str]]:
    """Return the issue, sender, recipients, variants, time, provider and overridden checks as names and values.

    A value is empty if there is nothing to say, and has several lines if there is much.
    """
    envelope, issue, request, preview = plan.request.envelope, plan.composed.issue, plan.request, plan.preview
    left_out = [f"{count.deliveries:,} {count.reason}" for count in preview.excluded]
    schedule, compared = plan.schedule, _compared(plan)
    return [
        ("issue", f"{name_of(request.kind, issue.name)}  {issue.shown_title}"),
        ("kind", _KINDS.get(request.kind, "")),
        ("subject", sample_mail(config, plan.composed.rendered.fullest).subject),
        ("from", f"{envelope.from_name} <{envelope.from_email}>"),
        ("to", f"{request.segment.name}: {count_of(preview.recipients, 'subscriber')}"),
        ("where", request.segment.expression if request.segment.name == AD_HOC else ""),
        ("about", ", ".join(config.settings.topics[topic] for topic in request.topics)),
        ("left out", "\n".join(left_out)),
        ("languages", _languages_line(preview.variants)),
        ("variants", variant_lines(preview.variants, has_versions=compared is None) if _differs(plan) else ""),
        *(version_facts(issue, compared, preview.recipients, plan.power) if compared else ()),
        *(_schedule_facts(schedule, provider=request.provider, seat=seat, now=now) if schedule else ()),
        ("canary", _canary_line(config, plan, now=now)),
        ("tracking", _tracking_line(plan)),
        ("archive", _archive_line(plan)),
        ("through", through),
        ("grace", _grace_line(request.grace, seat)),
        *(("overridden", f"{waiver.rule}: {waiver.because}") for waiver in request.waivers),
        *(("not needed", f"override of {rule}: the check found no problem") for rule in plan.unused_waivers),
        ("skipped", "\n".join(not_judged(plan.composed.not_run))),
    ]


def _canary_line(config: Config, plan: BroadcastPlan, *, now: datetime) -> str:
    if plan.canary is None:
        return ""
    zone = plan.request.schedule.zone if plan.request.schedule else config.settings.newsletter.timezone
    return canary_lines(plan.canary, everyone=plan.preview.recipients, zone=zone, now=now)


def _languages_line(counts: Sequence[VariantCount]) -> str:
    """Return how many people get the issue in each language. It is empty if there is only one."""
    people: Counter[str] = Counter()
    for count in counts:
        people[count.readership.language] += count.deliveries
    if not any(people):
        return ""
    return ", ".join(f"{count:,} in {language_name(code)}" for code, count in people.most_common())


def _compared(plan: BroadcastPlan) -> Waves | None:
    """Return the waves in which versions are compared, or None if none are."""
    return plan.request.waves if plan.request.waves is not None and plan.request.waves.axis else None


def _differs(plan: BroadcastPlan) -> bool:
    """Return whether the email differs between readers in a way that its plan names."""
    is_correction = plan.request.kind is BroadcastKind.CORRECTION  # which differs by what people were told before
    told = {LANGUAGE, VERSION} if _compared(plan) is not None else {LANGUAGE}  # on a line of their own
    axes = (axis for axis in plan.request.axes if axis.name not in told)
    return not is_correction and any(len(axis.values) > 1 for axis in axes)


def notes_on_people(plan: BroadcastPlan) -> Iterator[str]:
    """Yield how many subscribers lack consent, how many addresses will be suppressed, and what a canary cannot show."""
    if plan.canary is not None:
        yield from canary_notes(plan.canary)
    if plan.without_consent:
        yield (
            f"{count_of(plan.without_consent, 'subscriber')} left out: no consent on record; import the list "
            f'again with a `consented_at` column, or with --basis "why you may email them" [{CONSENT.id}]'
        )
    if plan.worn_out:
        addresses = count_of(len(plan.worn_out), "address")
        yield f"{addresses} soft-bounced too often and will be blocked before anything is sent."


def _tracking_line(plan: BroadcastPlan) -> str:
    modes = {count.readership.tracking for count in plan.preview.variants}
    if TrackingMode.TOTALS in modes:
        return "totals: opens and clicks are counted for all readers together"
    agreed = sum(
        count.deliveries for count in plan.preview.variants if count.readership.tracking is TrackingMode.CONSENTED
    )
    if plan.composed.subject.settings.tracking.mode is TrackingMode.OFF:
        return "off: no opens or clicks are recorded"
    return f"consented: opens and clicks are recorded of {agreed:,} who agreed to it, and of no one else"


def _archive_line(plan: BroadcastPlan) -> str:
    archive, issue = plan.composed.subject.settings.archive, plan.composed.issue
    if archive is None or archive.to is None or plan.request.kind is not BroadcastKind.ISSUE:
        return ""
    visibility = issue.fields.visibility or archive.visibility
    if visibility is Visibility.NONE:
        return "no page: the issue is not in the archive"
    address = address_of(archive.url, issue_path(issue.name))
    return f"{'unlisted' if visibility is Visibility.UNLISTED else 'public'}, once the first email is sent: {address}"


def _grace_line(grace: timedelta, seat: Seat) -> str:
    if not grace:
        return ""
    return f"nothing is sent in the first {say_wait(grace)}, so that {seat.calls_off} reaches no one"


def variant_lines(counts: Sequence[VariantCount], *, has_versions: bool = True) -> str:
    """Return one line per variant, with the number of people who see it. Versions that are not decided are left out."""
    people: Counter[str] = Counter()
    for count in counts:
        readership = count.readership if has_versions else count.readership.having(VERSION, "")
        people[readership.sees or "only what everyone sees"] += count.deliveries
    return "\n".join(f"{number:,} see {what}" for what, number in people.items())


def _schedule_facts(plan: SchedulePlan, *, provider: str, seat: Seat, now: datetime) -> list[tuple[str, str]]:
    """Return the lines that say when each group receives the issue, and what must be running then."""
    schedule = plan.schedule
    if not schedule.is_local_time:
        facts = [("when", "\n".join([say_moment(plan.first, schedule.zone, now=now), *plan.notes]))]
    else:
        facts = [
            ("when", f"{say_day_and_clock(schedule.wall_time)}, in each subscriber's own time zone"),
            ("first", say_moment(plan.first, plan.zone_at(plan.first), now=now)),
            ("last", say_moment(plan.last, plan.zone_at(plan.last), now=now)),
            ("zones", "\n".join([_zones_line(plan), *plan.notes])),
        ]
    if plan.past:
        where = f"{sum(zone.deliveries for zone in plan.past):,} in {_zone_names(plan.past)}"
        facts.append(("past", f"{where}, where this time has already passed: the issue is sent to them immediately"))
    return [*facts, ("needs", _travel_line(plan, provider, seat, now=now))]


def _zones_line(plan: SchedulePlan) -> str:
    line = f"{len(plan.zones)}: {_zone_names(plan.zones)}"
    if plan.zoneless:
        line += f"\n{plan.zoneless:,} without a known time zone get the issue at this time in {plan.schedule.zone}"
    return line


def _zone_names(zones: tuple[ZoneCount, ...]) -> str:
    largest = sorted(zones, key=lambda zone: -zone.deliveries)
    names = [zone.zone for zone in largest[:_SHOWN_ZONES]]
    if more := len(zones) - len(names):
        return f"{', '.join(names)} and {more:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _travel_line(plan: SchedulePlan, provider: str, seat: Seat, *, now: datetime) -> str:
    """Return what must be running, and when, so that the issue is sent without the people who leave until then."""
    zone = ZoneInfo(plan.schedule.zone)
    begins, until = plan.begins.astimezone(zone), plan.last.astimezone(zone)
    if plan.travel is Travel.ON_TIME:
        when = "then" if begins == until else say_time_span(begins, until)
        return f"the service, a timer, a worker or {seat.name} must be running {when}: it sends the issue"
    if plan.travel is Travel.HELD:
        when = f"from now to {say_day_and_clock(until)}" if begins <= now else say_time_span(begins, until)
        what = f"it sends the issue to {provider}, which holds it until its time,\nand recalls it if someone leaves"
        return f"the service, a timer, a worker or {seat.name} must be running {when}: {what}"
    return ""
