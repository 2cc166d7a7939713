"""What a broadcast would do, for a person who is about to say yes."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.cli import output
from newsletter.cli.compose.findings import not_judged, print_findings
from newsletter.config import Config
from newsletter.language.clock import say_day_and_clock, say_moment
from newsletter.model.finding import CONSENT
from newsletter.model.ledger import VariantCount, ZoneCount
from newsletter.model.segment import AD_HOC
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.plan import BroadcastPlan
from newsletter.workflows.send.schedule import SchedulePlan, Travel

_SHOWN_ZONES = 4


def print_plan(config: Config, plan: BroadcastPlan, *, through: str, now: datetime) -> None:
    """Print issue, sender, people, variants, time, provider, waivers and findings."""
    envelope, issue, request, preview = plan.request.envelope, plan.composed.issue, plan.request, plan.preview
    left_out = [f"{count.deliveries:,} {count.reason}" for count in preview.excluded]
    facts = [
        ("issue", f"{issue.name}  {issue.fields.title}"),
        ("subject", sample_mail(config, plan.composed.rendered.fullest).subject),
        ("from", f"{envelope.from_name} <{envelope.from_email}>"),
        ("to", f"{request.segment.name}: {output.count_of(preview.recipients, 'subscriber')}"),
        ("who", request.segment.expression if request.segment.name == AD_HOC else ""),
        ("about", ", ".join(config.settings.topics[topic] for topic in request.topics)),
        ("left out", "\n".join(left_out)),
        ("variants", variant_lines(preview.variants) if any(len(axis.values) > 1 for axis in request.axes) else ""),
        *(_schedule_facts(plan.schedule, provider=request.provider, now=now) if plan.schedule else ()),
        ("through", through),
        *(("waived", f"{waiver.rule}: {waiver.because}") for waiver in request.waivers),
        *(("not waived", f"{rule}: it found nothing") for rule in plan.unused_waivers),
        ("not judged", "\n".join(not_judged(plan.composed.not_run))),
    ]
    output.print_facts(facts)
    _note_people(plan)
    if plan.waived:
        count = output.count_of(len(plan.waived), "finding")
        output.note(f"Waived for this broadcast, which the ledger will say: {count}.")
    if plan.blocking:
        print_findings(plan.blocking)
    elif plan.warnings:
        output.note(f"{output.count_of(len(plan.warnings), 'warning')}; `newsletter check {issue.name}` lists them")


def variant_lines(counts: Sequence[VariantCount]) -> str:
    """Return how many people see what, one line per variant."""
    return "\n".join(f"{count.deliveries:,} see {count.readership.sees or 'the rest alone'}" for count in counts)


def _note_people(plan: BroadcastPlan) -> None:
    """Print what a person should know about the recipients beside their number."""
    if plan.without_consent:
        output.note(
            f"{output.count_of(plan.without_consent, 'subscriber')} left out: no consent on record; import the list "
            f'again with when they said yes, or with --basis "…" that says why they may be mailed [{CONSENT.id}]'
        )
    if plan.worn_out:
        addresses = f"{output.count_of(len(plan.worn_out), 'address')} of the list took no mail for long"
        output.note(f"{addresses}, and will be suppressed before anything is sent: soft bounces")


def _schedule_facts(plan: SchedulePlan, *, provider: str, now: datetime) -> list[tuple[str, str]]:
    """Return when it reaches whom, and what is needed for it."""
    schedule = plan.schedule
    if not schedule.is_local_time:
        facts = [("when", "\n".join([say_moment(plan.first, schedule.zone, now=now), *plan.notes]))]
    else:
        facts = [
            ("when", f"{say_day_and_clock(schedule.wall_time)}, by everybody's own clock"),
            ("first", say_moment(plan.first, plan.zone_at(plan.first), now=now)),
            ("last", say_moment(plan.last, plan.zone_at(plan.last), now=now)),
            ("zones", "\n".join([_zones_line(plan), *plan.notes])),
        ]
    if plan.past:
        where = f"{sum(zone.deliveries for zone in plan.past):,} in {_zone_names(plan.past)}"
        facts.append(("past", f"{where}, where the time is past: they get it as soon as it is sent"))
    return [*facts, ("until then", _travel_line(plan, provider))]


def _zones_line(plan: SchedulePlan) -> str:
    line = f"{len(plan.zones)}: {_zone_names(plan.zones)}"
    if plan.zoneless:
        line += f"\n{plan.zoneless:,} have no time zone that is known, and get it by the clock of {plan.schedule.zone}"
    return line


def _zone_names(zones: tuple[ZoneCount, ...]) -> str:
    largest = sorted(zones, key=lambda zone: -zone.deliveries)
    names = [zone.zone for zone in largest[:_SHOWN_ZONES]]
    if more := len(zones) - len(names):
        return f"{', '.join(names)} and {more:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _travel_line(plan: SchedulePlan, provider: str) -> str:
    if plan.travel is Travel.HELD:
        return f"{provider} holds it: this machine may sleep"
    timer = "let a timer run it every few minutes, or have workers"
    if plan.travel is Travel.ON_TIME:
        return f"`newsletter run-due` hands it over; {timer}"
    if plan.travel is Travel.HELD_LATER:
        begins = say_day_and_clock(plan.begins.astimezone(ZoneInfo(plan.schedule.zone)))
        return f"{provider} cannot hold it for so long: `newsletter run-due` hands it over from\n{begins} on; {timer}"
    return ""
