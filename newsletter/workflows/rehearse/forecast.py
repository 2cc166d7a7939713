"""The forecast of a broadcast, from the run in which it was rehearsed: who gets it when, how fast, and why it waits."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from newsletter.model.broadcast import Tally
from newsletter.model.finding import Finding
from newsletter.model.pace import Pace
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.tempo import stated_zones
from newsletter.workflows.rehearse.failures import Aftermath
from newsletter.workflows.rehearse.run import RehearsedRun, Wait
from newsletter.workflows.rehearse.tempo import Tempo
from newsletter.workflows.rehearse.twin import Handed
from newsletter.workflows.send.awake import Awake
from newsletter.workflows.send.plan import BroadcastPlan

_WORTH_TELLING = timedelta(seconds=20)  # shorter waits are frequent with a limit per second
_POINTS = 120  # of the line over time
_SPANS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


class ZoneForecast(Struct, frozen=True, kw_only=True):
    """When the people in one time zone get a broadcast, in their own time."""

    zone: str
    people: int
    first: datetime
    last: datetime
    hours: Mapping[int, int]  # the hour of the day there → the number of people


class SpanUse(Struct, frozen=True, kw_only=True):
    """The most emails that are sent in any second, minute, hour or day, and the limit in the settings, if any."""

    span: str
    most: int
    limit: int | None


class Waited(Struct, frozen=True, kw_only=True):
    """How long nothing was sent for one reason."""

    reason: str
    seconds: float
    times: int


class Point(Struct, frozen=True, kw_only=True):
    """How many people had the email at a time."""

    at: datetime
    people: int


class Rehearsal(Struct, frozen=True, kw_only=True):
    """The forecast of a broadcast."""

    issue: str
    segment: str
    provider: str
    seed: int
    awake: Awake
    tempo: Tempo
    begins: datetime  # when a person would confirm it
    first: datetime  # when the first email reaches someone
    last: datetime  # when the last does
    handed_over: datetime  # when the provider has everything
    state: str
    reason: str  # why it did not end, if so
    tally: Tally
    requests: int
    connections: int  # at the same time
    zones: tuple[ZoneForecast, ...]
    hours: Mapping[int, int]  # the hour on people's own clocks → the number of people
    timeline: tuple[Point, ...]
    spans: tuple[SpanUse, ...]
    waits: tuple[Waited, ...]
    blocking: tuple[Finding, ...]  # what would stop the real broadcast today
    notes: tuple[str, ...]
    failures: tuple[Aftermath, ...]


def forecast_of(run: RehearsedRun, plan: BroadcastPlan, *, seed: int, now: datetime) -> Rehearsal:
    """Return what a run that has ended tells about the real broadcast, without the failures."""
    twin, found = run.twin, run.current()
    home = run.config.settings.newsletter.timezone
    arrivals = _Arrivals(stated_zones(run.database), home)
    for handed in twin.handed:
        arrivals.add(handed.reaches_at, handed.people)
    ends = [handed.at for handed in twin.handed] or [now]
    times, zones = sorted(arrivals.by_time) or [now], arrivals.zones()
    return Rehearsal(
        issue=found.issue,
        segment=found.segment,
        provider=found.provider,
        seed=seed,
        awake=run.awake,
        tempo=twin.tempo,
        begins=now,
        first=times[0],
        last=times[-1],
        handed_over=max(ends),
        state=found.state.value,
        reason=found.reason,
        tally=tally_of(run.database, found.id),
        requests=twin.requests,
        connections=twin.concurrency,
        zones=zones,
        hours={hour: sum(zone.hours.get(hour, 0) for zone in zones) for hour in range(24)},
        timeline=arrivals.timeline(),
        spans=tuple(_span_uses(twin.handed, plan.pace)),
        waits=_waited(run.waits),
        blocking=plan.blocking,
        notes=(*plan.notes, *dict.fromkeys(run.failures)),
        failures=(),
    )


class _Arrivals:
    """Who gets the email when, by time and zone."""

    def __init__(self, zones: Mapping[int, str], home: str) -> None:
        self.by_time: Counter[datetime] = Counter()
        self._zones, self._home = zones, home
        self._in_zone: defaultdict[str, Counter[datetime]] = defaultdict(Counter)

    def add(self, at: datetime, people: Sequence[int]) -> None:
        self.by_time[at] += len(people)
        zones, home = self._zones, self._home
        for zone, count in Counter([zones.get(person, home) for person in people]).items():
            self._in_zone[zone][at] += count

    def zones(self) -> tuple[ZoneForecast, ...]:
        """Return the zones, the one with the earliest email first, and the largest of those in the same minute."""
        return tuple(
            sorted(self._forecasts(), key=lambda each: (each.first.timestamp() // 60, -each.people, each.zone))
        )

    def _forecasts(self) -> Iterator[ZoneForecast]:
        """Yield a forecast per zone. People with an unknown zone use the newsletter's."""
        merged: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
        for name, times in self._in_zone.items():
            merged[_known_zone(name) or self._home].update(times)
        for name, times in merged.items():
            zone, hours = ZoneInfo(name), Counter[int]()
            for at, people in times.items():
                hours[at.astimezone(zone).hour] += people
            first, last = min(times).astimezone(zone), max(times).astimezone(zone)
            yield ZoneForecast(
                zone=name, people=hours.total(), first=first, last=last, hours=dict(sorted(hours.items()))
            )

    def timeline(self) -> tuple[Point, ...]:
        """Return how many people have it over time, in at most so many points."""
        points, total = [], 0
        for at, people in sorted(self.by_time.items()):
            total += people
            points.append(Point(at=at, people=total))
        step = max(1, len(points) // _POINTS)
        return (*points[:-1:step], *points[-1:])


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def _span_uses(handed: Sequence[Handed], pace: Pace) -> Iterator[SpanUse]:
    """Yield the most emails that begin in any second, minute, hour and day, and the limit for it.

    A batch counts when it begins, as it does for the limits.
    """
    limits = {rate.seconds: rate.deliveries for rate in pace.rates}
    begun = sorted((each.began, len(each.people)) for each in handed)
    for seconds, name in _SPANS.items():
        most = current = oldest = 0
        for at, size in begun:
            current += size
            while begun[oldest][0] <= at - timedelta(seconds=seconds):
                current -= begun[oldest][1]
                oldest += 1
            most = max(most, current)
        yield SpanUse(span=name, most=most, limit=limits.get(seconds))


def _waited(waits: Sequence[Wait]) -> tuple[Waited, ...]:
    """Return the total wait for each reason, the longest first. Waits that overlap count once."""
    by_reason: defaultdict[str, list[Wait]] = defaultdict(list)
    for wait in waits:
        by_reason[wait.reason].append(wait)
    found = []
    for reason, of_reason in by_reason.items():
        total, until = timedelta(), of_reason[0].begins
        for wait in of_reason:
            total += max(wait.ends - max(wait.begins, until), timedelta())
            until = max(until, wait.ends)
        if total >= _WORTH_TELLING:
            found.append(Waited(reason=reason, seconds=total.total_seconds(), times=len(of_reason)))
    return tuple(sorted(found, key=lambda each: -each.seconds))
