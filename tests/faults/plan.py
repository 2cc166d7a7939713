"""What is to go wrong in a run, drawn from its seed and from nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto
from random import Random

from tests.faults.seams import Death, Moment

LAST_ROUND = 14  # by then everything must have come to its end
SPARES = 10  # deliveries that a plan may name by their number: every run has more people


class Misfortune(StrEnum):
    """What one request can meet with: every line of the table of outcomes."""

    NONE = "202"
    INVALID_ONE = "400 about one recipient"
    INVALID_SEVERAL = "400 about several recipients"
    REFUSED = "400 about the message"
    NOT_JSON = "415"
    TOO_LARGE = "413"
    NO_CREDITS = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    NOT_ALLOWED = "405"
    MOVED = "302"
    SLOW_DOWN_UNTIL = "429 with a reset"
    SLOW_DOWN = "429"
    BROKEN = "5xx, not queued"
    BROKEN_BUT_QUEUED = "500, queued"
    RESET = "reset, not queued"
    RESET_BUT_QUEUED = "reset, queued"
    TRUNCATED = "truncated reply, queued"
    HANG = "no answer"
    NOT_202 = "200 outside the sandbox"


_ENDING = (Misfortune.REFUSED, Misfortune.NOT_JSON)
_PAUSING = (
    Misfortune.NO_CREDITS,
    Misfortune.FORBIDDEN,
    Misfortune.NOT_FOUND,
    Misfortune.NOT_ALLOWED,
    Misfortune.MOVED,
    Misfortune.NOT_202,
)
_AMBIGUOUS = (
    Misfortune.BROKEN,
    Misfortune.BROKEN_BUT_QUEUED,
    Misfortune.RESET,
    Misfortune.RESET_BUT_QUEUED,
    Misfortune.TRUNCATED,
)
_HARMLESS = (
    Misfortune.INVALID_ONE,
    Misfortune.INVALID_SEVERAL,
    Misfortune.TOO_LARGE,
    Misfortune.SLOW_DOWN,
    Misfortune.SLOW_DOWN_UNTIL,
)


# Far ahead; about as far as SendGrid surely gives mail back, ten minutes; too close for that.
_HOLDS = (timedelta(hours=3), timedelta(minutes=10, seconds=2), timedelta(minutes=5))


# Enough for SQLite's index of its log, which is 32 KiB; not enough for the log of a whole broadcast.
_SCARCE_BYTES = (40_000, 400_000)


class Mood(Enum):
    """How a provider behaves in a run."""

    FINE = auto()  # only processes die
    ROUGH = auto()
    STORM = auto()
    STRICT = auto()
    MOODY = auto()
    ENDING = auto()
    EVERYTHING = auto()


# The percentage of the requests that meet with misfortunes of a kind.
_WEIGHTS: dict[Mood, dict[tuple[Misfortune, ...], int]] = {
    Mood.FINE: {},
    Mood.ROUGH: {_HARMLESS: 20, _AMBIGUOUS: 8, _PAUSING: 4},
    Mood.STORM: {_AMBIGUOUS: 30, (Misfortune.HANG,): 3, _PAUSING: 5, _HARMLESS: 10},
    Mood.STRICT: {_HARMLESS: 35},
    Mood.MOODY: {_PAUSING: 18, _HARMLESS: 10},
    Mood.ENDING: {_ENDING: 4, _AMBIGUOUS: 8, _HARMLESS: 10},
    Mood.EVERYTHING: {tuple(Misfortune)[1:]: 35},
}


class Deed(Enum):
    """What people do beside the processes that send."""

    KILL_SENDER = auto()  # one of the processes that send, from outside
    KILL_ALL = auto()
    SUPPRESS = auto()  # someone unsubscribes
    PAUSE = auto()
    CANCEL = auto()
    CANCEL_KILLED = auto()  # and is repeated afterwards
    JOIN = auto()  # another process beside the others
    RESUME = auto()  # of what runs already
    CUT_CONNECTIONS = auto()  # PostgreSQL only: the server ends the connections of one process
    RESTART_DATABASE = auto()  # PostgreSQL only: stopped at once, and started again


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A deed at a moment: while the API handles its Nth request of the round."""

    request: int
    is_after_queueing: bool
    deed: Deed
    number: int  # which process, which person


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One process that drains the broadcast."""

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
    broadcasts: int  # how often the issue is sent, where people of a stopped or cancelled one can still get it

    def misfortune(self, request: int) -> Misfortune:
        """What the Nth request of the run meets with."""
        draw = Random(f"{self.seed} request {request}")
        lot = draw.uniform(0, 100)
        for kinds, percent in _WEIGHTS[self.mood].items():
            if lot < percent:
                return draw.choice(kinds)
            lot -= percent
        return Misfortune.NONE


def draw_plan(seed: int, *, is_postgresql: bool = False) -> Plan:
    """The plan of a seed."""
    draw = Random(seed)
    people = int(draw.triangular(50, 300, 50))
    rounds = draw.choice((1, 1, 1, 2, 2)) if is_postgresql else draw.choice((1, 2, 2, 3, 4))
    return Plan(
        seed=seed,
        people=people,
        chunk_size=draw.randint(5, 25),
        concurrency=draw.choice((1, 1, 1, 1, 2, 3) if is_postgresql else (1, 1, 1, 2, 2, 3, 4)),
        mood=draw.choice(list(Mood)),
        hold=draw.choice((None, None, None, None, *_HOLDS)),
        is_local_time=draw.random() < 0.3,
        freeze_deaths=tuple(_death(draw, most=2) for _ in range(draw.choice((0, 0, 1, 2)))),
        rounds=tuple(_round(draw, is_postgresql=is_postgresql) for _ in range(rounds)),
        broadcasts=draw.choice((1, 1, 2, 2) if is_postgresql else (1, 2, 2, 3)),
    )


def _round(draw: Random, *, is_postgresql: bool) -> Round:
    senders = 3 if is_postgresql else draw.choice((1, 1, 2))
    incidents = draw.choice((0, 1, 1, 2, 3))
    return Round(
        senders=tuple(_sender(draw, is_postgresql=is_postgresql) for _ in range(senders)),
        incidents=tuple(_incident(draw, is_postgresql=is_postgresql) for _ in range(incidents)),
    )


def _sender(draw: Random, *, is_postgresql: bool) -> Sender:
    way = draw.choice(("own hand", "own hand", "outside", "none", "none"))
    begins = draw.randint(1, 8)
    return Sender(
        death=_death(draw, most=12) if way == "own hand" else None,
        kill_after_seconds=draw.uniform(0.01, 0.3) if way == "outside" else None,
        unreachable=frozenset(range(begins, begins + draw.choice((0, 0, 0, 1, 3, 9)))),
        most_bytes=draw.randint(*_SCARCE_BYTES) if draw.random() < 0.08 and not is_postgresql else None,
    )


def _death(draw: Random, *, most: int) -> Death:
    return Death(moment=draw.choice(list(Moment)), number=draw.randint(1, most))


def _incident(draw: Random, *, is_postgresql: bool) -> Incident:
    weights = {
        Deed.KILL_SENDER: 6,
        Deed.KILL_ALL: 2,
        Deed.SUPPRESS: 5,
        Deed.PAUSE: 2,
        Deed.CANCEL: 2,
        Deed.CANCEL_KILLED: 2,
        Deed.JOIN: 3,
        Deed.RESUME: 2,
        Deed.CUT_CONNECTIONS: 4 if is_postgresql else 0,
        Deed.RESTART_DATABASE: 0.6 if is_postgresql else 0,
    }
    (deed,) = draw.choices(list(weights), list(weights.values()))
    return Incident(
        request=draw.randint(1, 6),
        is_after_queueing=draw.random() < 0.5,
        deed=deed,
        number=draw.randint(0, SPARES - 1),
    )
