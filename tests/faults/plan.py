"""What is to go wrong in a run, drawn from its seed and from nothing else."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, StrEnum, auto
from random import Random

from newsletter.model.broadcast import BroadcastKind
from tests.faults.misfortunes import NOTHING, WEIGHTS, Mood
from tests.faults.seams import Death, Moment

LAST_ROUND = 14  # by then everything must have come to its end
FOR_GOOD = 1000  # deferrals of a mailbox that never takes its email
SPARES = 10  # deliveries that a plan may name by their number: every run has more people


# Far ahead; about as far as SendGrid surely gives mail back, ten minutes; too close for that.
_HOLDS = (timedelta(hours=3), timedelta(minutes=10, seconds=2), timedelta(minutes=5))


# What a broadcast can be. No one gets an issue twice as the same kind, and everyone can get it as another.
_KINDS = (BroadcastKind.ISSUE, BroadcastKind.ISSUE, BroadcastKind.CORRECTION)
_GRACE = timedelta(minutes=10)

_PROVIDERS = ("sendgrid", "sendgrid", "smtp", "smtp", "outbox")
_FEW_ZONES, _MANY_ZONES = 3, 50
_FAST = 60.0  # the speed of the clock in a run with a pace: a minute is a second
_STRIDES = (timedelta(minutes=50), timedelta(hours=3), timedelta(hours=9))  # of the clock, from round to round
# Enough for SQLite's index of its log, which is 32 KiB; not enough for the log of a whole broadcast.
_SCARCE_BYTES = (40_000, 400_000)


class Deed(Enum):
    """What people do beside the processes that send."""

    KILL_SENDER = auto()  # one of the processes that send, from outside
    KILL_ALL = auto()
    LEAVE = auto()  # someone unsubscribes, leaves the topic or has themselves erased
    PAUSE = auto()
    CANCEL = auto()
    CANCEL_KILLED = auto()  # and is repeated afterwards
    JOIN = auto()  # another process beside the others
    RESUME = auto()  # of what runs already
    CUT_CONNECTIONS = auto()  # PostgreSQL only: the server ends the connections of one process
    RESTART_DATABASE = auto()  # PostgreSQL only: stopped at once, and started again


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A deed at a moment: while the Nth request of the round is handled."""

    request: int
    is_after_queueing: bool  # once its emails are taken
    deed: Deed
    number: int  # which process, which person


class Way(StrEnum):
    """The command by which a process drains a broadcast."""

    SEND = "send"  # or `resume`
    RUN_DUE = "run-due"
    WORKER = "worker"  # PostgreSQL only


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One process that drains the broadcast."""

    way: Way = Way.SEND
    death: Death | None = None
    kill_after_seconds: float | None = None  # from outside
    unreachable: frozenset[int] = frozenset()  # which of its requests find no server listening
    most_bytes: int | None = None  # that it may write into one file: to SQLite, the disk is full


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The processes that send at the same time, and what happens meanwhile."""

    senders: tuple[Sender, ...]
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run."""

    seed: int
    people: int
    chunk_size: int
    concurrency: int
    mood: Mood
    hold: timedelta | None  # how far ahead of its time the mail is handed over; None: it leaves at once
    is_local_time: bool  # and each time zone has a time of its own
    freeze_deaths: tuple[Death | None, ...]  # the first tries to freeze
    rounds: tuple[Round, ...]  # after these, all goes well
    kinds: tuple[BroadcastKind, ...]  # what the issue is sent as, one broadcast after the other
    grace: timedelta = timedelta()  # before which nothing is sent
    provider: str = "sendgrid"
    zones: int = _FEW_ZONES
    stride: timedelta = timedelta()  # by which the clock jumps ahead from one round to the next
    per_minute: int | None = None  # the pace; the clock goes fast then
    has_deferrals: bool = False  # some mailboxes defer their email, a few for good
    timeout_seconds: float = 2  # that a process waits for an answer
    scripted: tuple[tuple[int, StrEnum], ...] = ()  # what some requests meet with, by their number

    @property
    def speed(self) -> float:
        """How fast the clock of the run goes."""
        return _FAST if self.per_minute else 1.0

    def misfortune(self, request: int) -> StrEnum:
        """What the Nth request of the run meets with."""
        if self.scripted:
            return dict(self.scripted).get(request, NOTHING[self.provider])
        draw = Random(f"{self.seed} request {request}")
        lot = draw.uniform(0, 100)
        for kinds, percent in WEIGHTS[self.provider].get(self.mood, {}).items():
            if lot < percent:
                return draw.choice(kinds)
            lot -= percent
        return NOTHING[self.provider]

    def deferrals(self, email: str) -> int:
        """How often a mailbox defers its email."""
        if not self.has_deferrals:
            return 0
        return Random(f"{self.seed} mailbox {email}").choices((0, 1, 2, 3, FOR_GOOD), (88, 5, 3, 2, 2))[0]


# A run in which nothing happens by chance.
QUIET = Plan(
    seed=0,
    people=30,
    chunk_size=10,
    concurrency=1,
    mood=Mood.FINE,
    hold=None,
    is_local_time=False,
    freeze_deaths=(),
    rounds=(),
    kinds=(BroadcastKind.ISSUE,),
)


def draw_plan(seed: int, *, is_postgresql: bool = False) -> Plan:
    """The plan of a seed."""
    draw = Random(seed)
    provider = draw.choice(_PROVIDERS)
    chunk_size = draw.randint(5, 25)
    people = int(draw.triangular(50, 300, 50) if provider == "sendgrid" else draw.triangular(50, 150, 50))
    rounds = draw.choice((1, 1, 1, 2, 2)) if is_postgresql else draw.choice((1, 2, 2, 3, 4))
    hold = draw.choice((None, None, None, None, *_HOLDS, _HOLDS[0]))
    is_waiting = hold is not None and (provider != "sendgrid" or draw.random() < 0.3)
    is_paced = hold is None and draw.random() < 0.12
    concurrency = draw.choice((1, 1, 1, 1, 2, 3) if is_postgresql else (1, 1, 1, 2, 2, 3, 4))
    drawing = _Drawing(
        draw=draw,
        is_postgresql=is_postgresql,
        may_wait_for_timers=hold is not None,
        may_be_workers=is_postgresql and not is_waiting and not is_paced,
        requests=6 if provider != "smtp" else 3 * chunk_size,
    )
    plan = Plan(
        seed=seed,
        people=people,
        chunk_size=chunk_size,
        concurrency=1 if provider == "outbox" else concurrency,
        mood=draw.choice(list(Mood)),
        hold=hold,
        is_local_time=draw.random() < 0.3,
        freeze_deaths=tuple(_death(draw, most=2) for _ in range(draw.choice((0, 0, 1, 2)))),
        rounds=tuple(drawing.round() for _ in range(rounds)),
        kinds=(BroadcastKind.ISSUE,) * draw.choice((1, 1, 2, 2) if is_postgresql else (1, 2, 2, 3)),
        provider=provider,
        zones=draw.choice((_FEW_ZONES, _MANY_ZONES)),
        stride=draw.choice(_STRIDES) if is_waiting else timedelta(),
        per_minute=max(chunk_size, people * 2 // 5) if is_paced else None,
        has_deferrals=provider == "smtp" and draw.random() < 0.5,
    )
    return replace(
        plan,
        kinds=tuple(draw.choice(_KINDS) for _ in plan.kinds),
        grace=_GRACE if hold is None and not is_paced and draw.random() < 0.2 else timedelta(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """Draws the rounds of a plan."""

    draw: Random
    is_postgresql: bool
    may_wait_for_timers: bool
    may_be_workers: bool
    requests: int  # among which an incident happens

    def round(self) -> Round:
        """Draw one round."""
        senders = 3 if self.is_postgresql else self.draw.choice((1, 1, 2))
        incidents = self.draw.choice((0, 1, 1, 2, 3))
        return Round(
            senders=tuple(self._sender() for _ in range(senders)),
            incidents=tuple(self._incident() for _ in range(incidents)),
        )

    def _sender(self) -> Sender:
        draw = self.draw
        way = draw.choice(("own hand", "own hand", "outside", "none", "none"))
        begins = draw.randint(1, 8)
        return Sender(
            way=self._way(),
            death=_death(draw, most=12) if way == "own hand" else None,
            kill_after_seconds=draw.uniform(0.01, 0.3) if way == "outside" else None,
            unreachable=frozenset(range(begins, begins + draw.choice((0, 0, 0, 1, 3, 9)))),
            most_bytes=draw.randint(*_SCARCE_BYTES) if draw.random() < 0.08 and not self.is_postgresql else None,
        )

    def _way(self) -> Way:
        lot = self.draw.random()
        if self.may_wait_for_timers and lot < 0.4:
            return Way.RUN_DUE
        return Way.WORKER if self.may_be_workers and lot > 0.9 else Way.SEND

    def _incident(self) -> Incident:
        weights = {
            Deed.KILL_SENDER: 6,
            Deed.KILL_ALL: 2,
            Deed.LEAVE: 5,
            Deed.PAUSE: 2,
            Deed.CANCEL: 2,
            Deed.CANCEL_KILLED: 2,
            Deed.JOIN: 3,
            Deed.RESUME: 2,
            Deed.CUT_CONNECTIONS: 4 if self.is_postgresql else 0,
            Deed.RESTART_DATABASE: 0.6 if self.is_postgresql else 0,
        }
        (deed,) = self.draw.choices(list(weights), list(weights.values()))
        return Incident(
            request=self.draw.randint(1, self.requests),
            is_after_queueing=self.draw.random() < 0.5,
            deed=deed,
            number=self.draw.randint(0, SPARES - 1),
        )


def _death(draw: Random, *, most: int) -> Death:
    return Death(moment=draw.choice(list(Moment)), number=draw.randint(1, most))
