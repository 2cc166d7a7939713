"""Schedule a broadcast: read the time, and find out whom it reaches when, and how it travels until then."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import say_moment
from newsletter.language.when import clock_note, read_when
from newsletter.model.broadcast import Schedule
from newsletter.model.ledger import FreezePreview, ZoneCount
from newsletter.model.pace import Pace
from newsletter.providers.base import Provider
from newsletter.workflows.send.pace import opens_at, pace_of, shown_window

PATIENCE = timedelta(minutes=5)  # that one run waits for the pace, or for others; the next run goes on
_LAST_ZONE = "Etc/GMT+12"  # where a day ends last: by its clocks everybody's time is past


class Travel(StrEnum):
    """How mail gets to its time."""

    HELD = "held"  # the provider is handed all of it at once, and keeps it
    HELD_LATER = "held later"  # `run-due` hands it to the provider a while ahead, which keeps it
    ON_TIME = "on time"  # the provider cannot keep it: `run-due` hands it over at its time


class SchedulePlan(Struct, frozen=True, kw_only=True):
    """When a broadcast reaches whom, and how, before anything is frozen."""

    schedule: Schedule
    first: datetime  # when the first of it reaches people; of what is still to come
    last: datetime
    zones: tuple[ZoneCount, ...]  # in the order of their moments; empty without local time
    travel: Travel | None  # None: the provider was not opened
    begins: datetime  # when what is still to come is first handed over
    notes: tuple[str, ...]  # what is odd about the time
    zoneless: int  # people without a zone that is known, who go by the schedule's clock

    @property
    def leaves_at_once(self) -> bool:
        """Whether some of it is handed over as soon as it is frozen."""
        return self.travel is Travel.HELD or bool(self.past)

    @property
    def past(self) -> tuple[ZoneCount, ...]:
        """The zones whose time is past; their people get it as soon as it is sent."""
        return tuple(zone for zone in self.zones if zone.due_at < self.first)

    def zone_at(self, moment: datetime) -> str:
        """Return the zone, of most people, whose time comes at that moment."""
        there = [zone for zone in self.zones if zone.due_at == moment]
        return max(there, key=lambda zone: zone.deliveries).zone if there else self.schedule.zone


def read_schedule(text: str, *, zone: str, is_local_time: bool, now: datetime) -> Schedule:
    """Return the schedule that a person typed; `zone` is the newsletter's.

    Raise InputError where it cannot be read, is past, or is one moment for everybody in spite of local time.
    """
    when = read_when(text, zone=zone, now=now)
    if is_local_time and when.fixed_by:
        raise InputError(
            f"{when.fixed_by!r} makes it one moment for everybody, and --local-time asks for everybody's own clock; "
            "leave out one of the two"
        )
    schedule = Schedule(wall_time=when.wall_time, zone=when.zone, is_local_time=is_local_time)
    if schedule.moment_in(_LAST_ZONE if is_local_time else when.zone) <= now:
        raise InputError(f"{say_moment(when.moment, when.zone, now=now)}: that is past; write a time that is to come")
    return schedule


def plan_schedule(
    config: Config, schedule: Schedule, preview: FreezePreview, *, provider: Provider | None, now: datetime
) -> SchedulePlan:
    """Plan when everybody of the preview gets the broadcast, and how it travels until then.

    Raise InputError where the time is outside the provider's sending hours, or past for everybody.
    """
    moment = schedule.moment_in(schedule.zone)
    moments = [zone.due_at for zone in preview.zones] or [moment]
    ahead = [each for each in moments if each > now]
    if not ahead:
        raise InputError("that is past on the clocks of everybody who would get it; write a time that is to come")
    pace, zone = pace_of(config), schedule.zone
    if not schedule.is_local_time and pace.window is not None and (opens := opens_at(pace.window, moment)) != moment:
        fits = f"the next time that fits is {say_moment(opens, zone, now=now)}"
        raise InputError(f"{say_moment(moment, zone, now=now)}: {shown_window(pace)}; {fits}")
    travel = _travel(provider, last=ahead[-1], now=now)
    return SchedulePlan(
        schedule=schedule,
        first=ahead[0],
        last=ahead[-1],
        zones=preview.zones,
        travel=travel,
        begins=_begins(config, travel, first=ahead[0], now=now),
        notes=(*_odd_clocks(schedule, preview), *_closed_hours(pace, preview, travel)),
        zoneless=preview.zoneless,
    )


def lead_of(config: Config) -> timedelta:
    """Return how long before its time mail is handed to a provider that holds it."""
    return timedelta(minutes=config.settings.delivery.lead_minutes)


def _travel(provider: Provider | None, *, last: datetime, now: datetime) -> Travel | None:
    if provider is None:
        return None
    if provider.scheduler is None:
        return Travel.ON_TIME
    return Travel.HELD if last - now <= provider.scheduler.longest else Travel.HELD_LATER


def _begins(config: Config, travel: Travel | None, *, first: datetime, now: datetime) -> datetime:
    if travel is Travel.HELD:
        return now
    return max(now, first - lead_of(config)) if travel is Travel.HELD_LATER else first


def _odd_clocks(schedule: Schedule, preview: FreezePreview) -> list[str]:
    zones = [zone.zone for zone in preview.zones] if schedule.is_local_time else [schedule.zone]
    return [note for zone in zones if (note := clock_note(schedule.wall_time, zone))]


def _closed_hours(pace: Pace, preview: FreezePreview, travel: Travel | None) -> list[str]:
    """Return how many people's clocks, in local time, show the time while the provider is handed nothing."""
    if pace.window is None or travel is not Travel.ON_TIME:
        return []
    window = pace.window
    late = sum(zone.deliveries for zone in preview.zones if opens_at(window, zone.due_at) != zone.due_at)
    return [f"{late:,} get it later than their time: {shown_window(pace)}"] if late else []
