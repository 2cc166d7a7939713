"""Schedule a broadcast: parse the time, find out who gets it when, and decide where it waits until then."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

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

PATIENCE = timedelta(minutes=5)  # the longest wait of one run for the pace or other processes
_LAST_ZONE = "Etc/GMT+12"  # the zone in which a day ends last; a time that has passed there has passed everywhere


class Travel(StrEnum):
    """The ways in which a broadcast waits for its scheduled time."""

    HELD = "held"  # it is submitted to the provider some time ahead, and the provider holds it
    ON_TIME = "on time"  # the provider cannot hold it, so it is submitted at the scheduled time


class SchedulePlan(Struct, frozen=True, kw_only=True):
    """Who will get a broadcast and when, and where the emails wait until then. The plan is made before the freeze."""

    schedule: Schedule
    first: datetime  # the earliest due time that is in the future
    last: datetime
    zones: tuple[ZoneCount, ...]  # in the order of their due times; empty without local time
    travel: Travel | None  # None if the provider was not opened
    begins: datetime  # when the emails due at `first` are submitted to the provider
    notes: tuple[str, ...]  # remarks about the time, such as a clock change
    zoneless: int  # the number of people without a known zone; the schedule's zone is used for them

    def leaves_at_once(self, now: datetime) -> bool:
        """Return whether some emails are submitted as soon as the broadcast is frozen."""
        return self.begins <= now or bool(self.past)

    @property
    def past(self) -> tuple[ZoneCount, ...]:
        """The zones in which the time has already passed. Their subscribers get the issue immediately."""
        return tuple(zone for zone in self.zones if zone.due_at < self.first)

    def zone_at(self, moment: datetime) -> str:
        """Return the zone that is due at a given time. If there are several, return the one with the most people."""
        there = [zone for zone in self.zones if zone.due_at == moment]
        return max(there, key=lambda zone: zone.deliveries).zone if there else self.schedule.zone


def read_schedule(text: str, *, zone: str, is_local_time: bool, now: datetime) -> Schedule:
    """Return the schedule for a time that a user typed. `zone` is the newsletter's time zone.

    Raise InputError if the text cannot be parsed, if the time has passed, or if it is a fixed time despite local time.
    """
    when = read_when(text, zone=zone, now=now)
    if is_local_time and when.fixed_by:
        raise InputError(
            f"{when.fixed_by!r} sets one time for everyone, but --local-time uses each subscriber's own time zone; "
            "delete the time zone from --at, or delete --local-time"
        )
    schedule = Schedule(wall_time=when.wall_time, zone=when.zone, is_local_time=is_local_time)
    if schedule.moment_in(_LAST_ZONE if is_local_time else when.zone) <= now:
        read = say_moment(when.moment, when.zone, now=now)
        raise InputError(f"--at {text!r} is in the past ({read}); write a time in the future")
    return schedule


def plan_schedule(
    config: Config, schedule: Schedule, preview: FreezePreview, *, provider: Provider | None, now: datetime
) -> SchedulePlan:
    """Plan when each recipient gets the broadcast, and how it waits until then.

    Raise InputError if the time is outside the provider's sending window or has passed for every recipient.
    """
    moment = schedule.moment_in(schedule.zone)
    moments = [zone.due_at for zone in preview.zones] or [moment]
    ahead = [each for each in moments if each > now]
    if not ahead:
        raise InputError("the time in --at has passed in every recipient's time zone; write a time in the future")
    pace, zone = pace_of(config), schedule.zone
    if not schedule.is_local_time and pace.window is not None and (opens := opens_at(pace.window, moment)) != moment:
        local = opens.astimezone(ZoneInfo(zone))
        what = f"--at means {say_moment(moment, zone, now=now)}, but {shown_window(pace)}"
        raise InputError(f'{what}; the next possible time is --at "{local:%Y-%m-%d %H:%M}"')
    travel = _travel(provider)
    return SchedulePlan(
        schedule=schedule,
        first=ahead[0],
        last=ahead[-1],
        zones=preview.zones,
        travel=travel,
        begins=max(now, ahead[0] - lead_of(config)) if travel is Travel.HELD else ahead[0],
        notes=(*_odd_clocks(schedule, preview), *_closed_hours(pace, preview, travel)),
        zoneless=preview.zoneless,
    )


def lead_of(config: Config) -> timedelta:
    """Return how long before its due time an email is submitted to a provider that can hold it."""
    return timedelta(minutes=config.settings.delivery.lead_minutes)


def _travel(provider: Provider | None) -> Travel | None:
    if provider is None:
        return None
    return Travel.ON_TIME if provider.scheduler is None else Travel.HELD


def _odd_clocks(schedule: Schedule, preview: FreezePreview) -> list[str]:
    zones = [zone.zone for zone in preview.zones] if schedule.is_local_time else [schedule.zone]
    return [note for zone in zones if (note := clock_note(schedule.wall_time, zone))]


def _closed_hours(pace: Pace, preview: FreezePreview, travel: Travel | None) -> list[str]:
    """Return a note with the number of recipients whose local time is outside the sending window, if any."""
    if pace.window is None or travel is not Travel.ON_TIME:
        return []
    window = pace.window
    late = sum(zone.deliveries for zone in preview.zones if opens_at(window, zone.due_at) != zone.due_at)
    return [f"{late:,} get it later than scheduled: {shown_window(pace)}"] if late else []
