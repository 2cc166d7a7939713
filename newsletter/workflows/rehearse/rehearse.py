"""Rehearse a broadcast from beginning to end, and forecast who gets it when. Nothing is sent, and nothing is written.

The plan, the freeze, the pace, the claims and the recording are the real ones. They work on a copy of the data, with a
virtual clock and a twin of the provider.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.broadcast import Tally, Waiver
from newsletter.model.finding import REPEAT, Finding
from newsletter.model.pace import Pace
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.store.ledger.recall import last_run
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.tempo import past_claims, stated_zones
from newsletter.store.scratch import fork, scratch_copy
from newsletter.store.sqlite.engine import SqliteDatabase
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.rehearse.failures import Aftermath, Scene, aftermaths, cut_off_freeze
from newsletter.workflows.rehearse.run import RehearsedRun, Wait, offline
from newsletter.workflows.rehearse.twin import Handed, Tempo, Twin, tempo_of
from newsletter.workflows.rehearse.virtual_time import VirtualTime
from newsletter.workflows.send.awake import Awake, usual_awake
from newsletter.workflows.send.begin import beginning_of
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast

_WORTH_TELLING = timedelta(seconds=20)  # shorter waits are frequent with a limit per second
_POINTS = 120  # of the line over time
_SPANS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}
Progress = Callable[[float], None]  # called with the fraction that is done, from 0 to 1
_COPIED, _PREPARED, _SENT = 0.05, 0.2, 0.7  # the fractions at which the parts of a rehearsal are done, by experience


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be rehearsed, besides the order itself."""

    seed: int = 1
    awake: Awake | None = None  # what sends what is due; None: what ran last, or a timer
    seconds: float | None = None  # how long the provider takes per email or request; None: as measured
    with_failures: bool = True


class ZoneForecast(Struct, frozen=True, kw_only=True):
    """When the people in one time zone get a broadcast, in their own time."""

    zone: str
    people: int
    first: datetime
    last: datetime


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


def rehearse(
    config: Config,
    order_in: Callable[[SqliteDatabase], Order],
    wish: Wish,
    *,
    now: datetime,
    on_progress: Progress = lambda _done: None,
) -> Rehearsal:
    """Rehearse an order on a copy of the data. `order_in` makes the order, given that copy.

    The same data, seed and time give the same result. Raise MistakesError for mistakes in the files. Raise InputError
    if there is no list, no recipient, or no twin of the provider, or if the time is not possible.
    """
    if not config.has_database:
        raise InputError("there is no list yet; import one with `newsletter subscribers import FILE`")
    copied = _part(on_progress, 0.0, _COPIED)
    with scratch_copy(config.database, workspace=config.root, on_progress=copied) as database:
        time = VirtualTime(now)
        twin = Twin(config, time, seed=wish.seed)
        twin.tempo = tempo_of(twin, past_claims(database, twin.name), stated_seconds=wish.seconds)
        awake = wish.awake or usual_awake(last_run(database), now=now)
        plan = _plan(config, database, order_in(database), twin, now=now)
        permitted = _permitted(plan)
        cut_off = cut_off_freeze(database, permitted, twin, now=now) if wish.with_failures else None
        broadcast = start_broadcast(database, permitted, twin, now=now)
        people = plan.preview.recipients
        sent = _part(on_progress, _PREPARED, _SENT if wish.with_failures else 1.0)
        run = RehearsedRun(
            config=offline(config),
            database=database,
            twin=twin,
            time=time,
            broadcast=broadcast.id,
            awake=awake,
            on_settled=lambda _more: sent(twin.accepted / people),
        )
        beginning = beginning_of(config, broadcast, plan, now=now)
        with ExitStack() as forks:
            scene = None
            if cut_off is not None:
                frozen = forks.enter_context(fork(database))
                scene = Scene(run=run, plan=plan, seed=wish.seed, cut_off=cut_off, frozen=frozen, frozen_at=now)
                twin.call_at_half(
                    people, lambda: scene.keep_middle(forks.enter_context(fork(database, logs=twin.open_logs())))
                )
            run.begin(beginning)
            run.to_end()
            found = _forecast(run, plan, wish, now=now)
            if scene is None:
                return found
            failures = aftermaths(scene, _part(on_progress, _SENT, 1.0))
            return replace(found, failures=tuple(failures))


def _part(on_progress: Progress, begins: float, ends: float) -> Progress:
    """Return a callback for the progress of one part, given the fractions of the whole at which it begins and ends."""
    return lambda done: on_progress(begins + (ends - begins) * min(done, 1.0))


def _plan(config: Config, database: SqliteDatabase, order: Order, twin: Twin, *, now: datetime) -> BroadcastPlan:
    """Plan the broadcast without writing to the workspace, not even what builds remember."""
    theme = Theme(config.root, Memory(config.root / BUILD_FOLDER / ".memory", is_written=False))
    return plan_broadcast(config, database, order, provider=twin, now=now, is_preview=True, theme=theme)


def _permitted(plan: BroadcastPlan) -> BroadcastPlan:
    """Return the plan without what blocks it, because a rehearsal often comes before the approval."""
    known = {waiver.rule for waiver in plan.request.waivers}
    repeat = () if REPEAT.id in known else (Waiver(rule=REPEAT.id, because="this is a rehearsal"),)
    return replace(plan, blocking=(), request=replace(plan.request, waivers=(*plan.request.waivers, *repeat)))


def _forecast(run: RehearsedRun, plan: BroadcastPlan, wish: Wish, *, now: datetime) -> Rehearsal:
    twin, found = run.twin, run.current()
    home = run.config.settings.newsletter.timezone
    arrivals = _Arrivals(stated_zones(run.database), home)
    for handed in twin.handed:
        arrivals.add(handed.reaches_at, handed.people)
    ends = [handed.at for handed in twin.handed] or [now]
    times = sorted(arrivals.by_time) or [now]
    return Rehearsal(
        issue=found.issue,
        segment=found.segment,
        provider=found.provider,
        seed=wish.seed,
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
        zones=arrivals.zones(),
        hours=dict(sorted(arrivals.hours().items())),
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
        """Return the zones, the one with the earliest email first."""
        found = [
            ZoneForecast(
                zone=name,
                people=sum(times.values()),
                first=min(times).astimezone(zone),
                last=max(times).astimezone(zone),
            )
            for name, zone, times in self._known()
        ]
        return tuple(sorted(found, key=lambda each: (each.first, each.last, each.zone)))

    def hours(self) -> Counter[int]:
        """Return how many people get it in each hour on their own clocks."""
        counts: Counter[int] = Counter()
        for _, zone, times in self._known():
            for at, people in times.items():
                counts[at.astimezone(zone).hour] += people
        return counts

    def timeline(self) -> tuple[Point, ...]:
        """Return how many people have it over time, in at most so many points."""
        points, total = [], 0
        for at, people in sorted(self.by_time.items()):
            total += people
            points.append(Point(at=at, people=total))
        step = max(1, len(points) // _POINTS)
        return (*points[:-1:step], *points[-1:])

    def _known(self) -> Iterator[tuple[str, ZoneInfo, Counter[datetime]]]:
        """Yield each zone with its clock. People with an unknown zone use the newsletter's."""
        merged: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
        for name, times in self._in_zone.items():
            merged[_known_zone(name) or self._home].update(times)
        for name, times in merged.items():
            yield name, ZoneInfo(name), times


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def _span_uses(handed: Sequence[Handed], pace: Pace) -> Iterator[SpanUse]:
    """Yield the most emails that the provider gets in any second, minute, hour and day, and the limit for it.

    What is sent one by one is spread over the seconds of its batch.
    """
    limits = {rate.seconds: rate.deliveries for rate in pace.rates}
    by_second: Counter[int] = Counter()
    for each in handed:
        first, last, count = int(each.began.timestamp()), int(each.at.timestamp()), len(each.people)
        seconds = range(first, last + 1) if each.is_one_by_one else (first,)
        for place, second in enumerate(seconds):
            by_second[second] += count * (place + 1) // len(seconds) - count * place // len(seconds)
    times = sorted(by_second)
    for span, name in _SPANS.items():
        most = current = oldest = 0
        for second in times:
            current += by_second[second]
            while times[oldest] <= second - span:
                current -= by_second[times[oldest]]
                oldest += 1
            most = max(most, current)
        yield SpanUse(span=name, most=most, limit=limits.get(span))


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
