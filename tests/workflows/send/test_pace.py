"""The pace: what may be sent when, and never more, no matter who sends and how often sending starts again."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk, NotYet
from newsletter.model.pace import Pace, Rate, SendingWindow, WarmUp, Weekday
from newsletter.store.database import Database
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.workflows.send.pace import allowances, chunk_size_for, opens_at, pace_of, shown_window
from tests.store.builders import ACCEPTED, add_people, freeze
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

LOS_ANGELES, PARIS, SAO_PAULO = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/Paris"), ZoneInfo("America/Sao_Paulo")
OFFICE_HOURS = SendingWindow(opens=time(8), closes=time(20), weekdays=frozenset(), zone=LOS_ANGELES)
WORKDAYS = frozenset({Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY})
NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)


def pace_from(folder: Path, lines: str, *, use: str = "outbox") -> Pace:
    """The pace of a workspace whose settings end with these lines."""
    write_workspace(folder, {"newsletter.toml": f'{CONFIG}\n[provider]\nuse = "{use}"\n{lines}\n'})
    return pace_of(load_config(folder))


def at(zone: ZoneInfo, *moment: int) -> datetime:
    return datetime(*moment, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


# What newsletter.toml says


def test_nothing_is_limited_where_nothing_is_said(tmp_path: Path) -> None:
    pace = pace_from(tmp_path, "")

    assert (pace.rates, pace.window, pace.warm_up) == ((), None, None)
    assert allowances(pace, NOW) == ()


def test_the_pace_is_that_of_the_provider_in_use(tmp_path: Path) -> None:
    lines = """
[provider.outbox.pace]
per_second = 3
[provider.sendgrid.pace]
per_minute = 100
per_day = 5000
hours = "08:00-20:00"
weekdays = ["mon", "tue"]
[provider.sendgrid.pace.warm_up]
starts = 2026-02-18
"""
    pace = pace_from(tmp_path, lines, use="sendgrid")

    assert pace.rates == (Rate(deliveries=100, seconds=60), Rate(deliveries=5000, seconds=86400))
    assert pace.window == SendingWindow(
        opens=time(8), closes=time(20), weekdays=frozenset({Weekday.MONDAY, Weekday.TUESDAY}), zone=LOS_ANGELES
    )
    assert pace.warm_up == WarmUp(starts=date(2026, 2, 18), first_day=500, growth=1.5, zone=LOS_ANGELES)
    assert (
        shown_window(pace) == "emails are sent only from 08:00 to 20:00 on mon, tue, as set in [provider.sendgrid.pace]"
    )


def test_a_window_may_last_until_midnight(tmp_path: Path) -> None:
    window = pace_from(tmp_path, '[provider.outbox.pace]\nhours = "18:00 – 24:00"').window
    assert window is not None

    assert opens_at(window, at(LOS_ANGELES, 2026, 2, 19, 23, 59)) == at(LOS_ANGELES, 2026, 2, 19, 23, 59)
    assert opens_at(window, at(LOS_ANGELES, 2026, 2, 20, 0, 0)) == at(LOS_ANGELES, 2026, 2, 20, 18, 0)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('hours = "20:00-08:00"', "ends before it begins"),
        ('hours = "08:00-08:00"', "ends before it begins"),
        ('hours = "8-20"', "is not a range of hours"),
        ('hours = "08:00-24:30"', "is not a range of hours"),
        ("per_hour = 0", "the number is too small"),
        ('weekdays = ["someday"]', "mon"),
    ],
)
def test_a_pace_that_makes_no_sense_is_a_mistake(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(MistakesError, match=what):
        pace_from(tmp_path, f"[provider.outbox.pace]\n{line}")


# The window


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(LOS_ANGELES, 2026, 2, 19, 7, 59), at(LOS_ANGELES, 2026, 2, 19, 8, 0)),
        (at(LOS_ANGELES, 2026, 2, 19, 8, 0), at(LOS_ANGELES, 2026, 2, 19, 8, 0)),
        (at(LOS_ANGELES, 2026, 2, 19, 19, 59), at(LOS_ANGELES, 2026, 2, 19, 19, 59)),
        (at(LOS_ANGELES, 2026, 2, 19, 20, 0), at(LOS_ANGELES, 2026, 2, 20, 8, 0)),
        # The clocks go forward on March 8: the night is an hour shorter, and the window opens at eight all the same.
        (at(LOS_ANGELES, 2026, 3, 7, 20, 0), datetime(2026, 3, 8, 15, 0, tzinfo=UTC)),
        (at(LOS_ANGELES, 2026, 3, 6, 20, 0), datetime(2026, 3, 7, 16, 0, tzinfo=UTC)),
    ],
)
def test_the_window_opens_by_the_clock_of_its_zone(now: datetime, opens: datetime) -> None:
    assert opens_at(OFFICE_HOURS, now) == opens


def test_a_window_of_workdays_waits_over_the_weekend() -> None:
    window = SendingWindow(opens=time(8), closes=time(20), weekdays=WORKDAYS, zone=PARIS)

    assert opens_at(window, at(PARIS, 2026, 2, 20, 20, 0)) == at(PARIS, 2026, 2, 23, 8, 0)  # Friday evening → Monday
    assert opens_at(window, at(PARIS, 2026, 2, 22, 12, 0)) == at(PARIS, 2026, 2, 23, 8, 0)


def test_weekdays_alone_let_mail_leave_all_day_long(tmp_path: Path) -> None:
    window = pace_from(tmp_path, '[provider.outbox.pace]\nweekdays = ["sat", "sun"]').window
    assert window is not None

    assert opens_at(window, at(LOS_ANGELES, 2026, 2, 20, 23, 59)) == at(LOS_ANGELES, 2026, 2, 21, 0, 0)
    assert opens_at(window, at(LOS_ANGELES, 2026, 2, 21, 23, 59, 59)) == at(LOS_ANGELES, 2026, 2, 21, 23, 59, 59)


def test_a_window_that_the_clocks_skip_opens_the_next_day() -> None:
    window = SendingWindow(opens=time(2, 0), closes=time(3, 0), weekdays=frozenset(), zone=LOS_ANGELES)

    opens = opens_at(window, at(LOS_ANGELES, 2026, 3, 8, 0, 0))

    assert opens == at(LOS_ANGELES, 2026, 3, 9, 2, 0)


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
windows = st.builds(
    lambda first, last, days, zone: SendingWindow(
        opens=min(first, last), closes=max(first, last), weekdays=frozenset(days), zone=zone
    ),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0, hour=clock.hour // 2)),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0, hour=12 + clock.hour // 2)),
    st.sets(st.sampled_from(Weekday)),
    st.sampled_from([LOS_ANGELES, PARIS, SAO_PAULO, ZoneInfo("Africa/Cairo"), ZoneInfo("Australia/Lord_Howe")]),
)


@given(window=windows, now=moments)
def test_when_a_window_opens_it_is_open_and_was_not_before(window: SendingWindow, now: datetime) -> None:
    opens = opens_at(window, now)

    assert now <= opens <= now + timedelta(days=15)
    assert opens_at(window, opens) == opens
    local = opens.astimezone(window.zone)
    assert not window.weekdays or tuple(Weekday)[local.weekday()] in window.weekdays
    if opens > now:
        assert opens_at(window, opens - timedelta(seconds=1)) == opens


# The ramp


def allowed_on(ramp: WarmUp, day: date) -> int | None:
    found = allowances(Pace(warm_up=ramp), datetime.combine(day, time(12), tzinfo=ramp.zone))
    return found[0].deliveries if found else None


def test_a_warm_up_allows_more_each_day_until_it_limits_nothing() -> None:
    ramp = WarmUp(starts=date(2026, 2, 18), first_day=500, growth=1.5, zone=LOS_ANGELES)

    assert [allowed_on(ramp, date(2026, 2, day)) for day in (17, 18, 19, 20)] == [500, 500, 750, 1125]
    assert allowed_on(ramp, date(2036, 2, 18)) is None


def test_a_day_of_the_warm_up_is_the_newsletters_day() -> None:
    pace = Pace(warm_up=WarmUp(starts=date(2026, 3, 7), first_day=100, growth=2, zone=LOS_ANGELES))

    (evening,) = allowances(pace, at(LOS_ANGELES, 2026, 3, 8, 23, 30))

    assert (evening.deliveries, evening.since) == (200, at(LOS_ANGELES, 2026, 3, 8, 0, 0))
    assert evening.frees == at(LOS_ANGELES, 2026, 3, 9, 0, 0) == evening.since + timedelta(hours=23)


# The size of chunks


@pytest.mark.parametrize(
    ("rates", "size"),
    [((), 1000), ((5000,), 1000), ((1500,), 750), ((1000,), 1000), ((7,), 7), ((1,), 1), ((1500, 600), 600)],
)
def test_chunks_are_as_large_as_every_rate_lets_go(rates: tuple[int, ...], size: int) -> None:
    pace = Pace(rates=tuple(Rate(deliveries=rate, seconds=60) for rate in rates))

    assert chunk_size_for(1000, pace) == size


@given(provider=st.integers(1, 1000), rate=st.integers(1, 100_000))
def test_whole_chunks_nearly_use_up_a_rate(provider: int, rate: int) -> None:
    size = chunk_size_for(provider, Pace(rates=(Rate(deliveries=rate, seconds=60),)))

    assert 1 <= size <= min(provider, rate)
    assert rate // size * size > rate - size  # what is left is less than a chunk
    assert rate - rate // size * size <= rate // 2


def test_a_warm_up_is_met_to_a_tenth_of_its_first_day() -> None:
    pace = Pace(warm_up=WarmUp(starts=date(2026, 2, 18), first_day=500, growth=1.5, zone=LOS_ANGELES))

    assert chunk_size_for(1000, pace) == 50


# No one exceeds it: several workers, several processes, one ledger


class Traffic:
    """Workers who claim from one ledger by a simulated clock, and what left when."""

    def __init__(self, folder: Path, pace: Pace, *, people: int, workers: int) -> None:
        self.location, self.pace, self.workers = folder / "newsletter.db", pace, workers
        self.now = NOW
        self.left: list[tuple[datetime, int]] = []
        self.refused: NotYet | None = None
        self.claims = 0
        with open_test_database(self.location) as database:
            add_people(database, people)
            self.broadcast = freeze(database, chunk_size=chunk_size_for(10, pace)).id

    def run(self, steps: Sequence[tuple[float, bool]]) -> None:
        """In each step some time passes and one worker claims. Before some steps, the program ends and starts again."""
        with ExitStack() as stack:
            openings = self._openings(stack)
            for number, (seconds, is_new) in enumerate(steps):
                self.now += timedelta(seconds=seconds)
                if is_new:
                    stack.close()
                    openings = self._openings(stack)
                self._claim(*openings[number % self.workers])

    def _openings(self, stack: ExitStack) -> list[tuple[Database, str]]:
        databases = [stack.enter_context(open_test_database(self.location)) for _ in range(self.workers)]
        return [(database, stack.enter_context(database.runner()).id) for database in databases]

    def _claim(self, database: Database, runner: str) -> None:
        found = claim_chunk(
            database, self.broadcast, runner, (), now=self.now, allowances=allowances(self.pace, self.now)
        )
        self.refused = found if isinstance(found, NotYet) else None
        if isinstance(found, ClaimedChunk):
            self.claims += 1
            is_refused = self.claims % 4 == 0  # surely not taken: it goes again
            if not is_refused:
                self.left.append((self.now, len(found.deliveries)))
            outcome = Outcome(verdict=Verdict.READY, reason="later") if is_refused else ACCEPTED
            record_outcome(database, found, outcome, now=self.now)

    def most_within(self, span: timedelta) -> int:
        """The most deliveries that left within a span, wherever it begins."""
        return max(
            (sum(size for other, size in self.left if moment <= other < moment + span) for moment, _ in self.left),
            default=0,
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


rates = st.builds(Rate, deliveries=st.integers(1, 25), seconds=st.sampled_from([1, 60, 3600]))
steps = st.lists(st.tuples(st.floats(0, 40), st.sampled_from([False] * 9 + [True])), max_size=40)


@settings(max_examples=30)
@given(limits=st.lists(rates, min_size=1, max_size=2), steps=steps, workers=st.integers(1, 3))
def test_no_span_of_time_ever_sees_more_than_the_rate(
    limits: list[Rate], steps: list[tuple[float, bool]], workers: int
) -> None:
    with TemporaryDirectory() as name:
        traffic = Traffic(Path(name), Pace(rates=tuple(limits)), people=60, workers=workers)

        traffic.run(steps)

        for rate in limits:
            assert traffic.most_within(timedelta(seconds=rate.seconds)) <= rate.deliveries


def test_a_rate_is_used_up_and_then_waits_for_its_span(folder: Path) -> None:
    traffic = Traffic(folder, Pace(rates=(Rate(deliveries=20, seconds=60),)), people=60, workers=2)

    traffic.run([(0, False)] * 3)

    assert [size for _, size in traffic.left] == [10, 10]
    assert traffic.refused is not None
    assert timedelta(seconds=60) <= traffic.refused.until - traffic.now <= timedelta(seconds=62)
    assert "at most 20 per minute" in traffic.refused.reason
    traffic.now = traffic.refused.until
    traffic.run([(0, False)])
    assert len(traffic.left) == 3


def test_a_day_of_the_warm_up_ends_at_midnight_whatever_begins_anew(folder: Path) -> None:
    ramp = WarmUp(starts=date(2026, 2, 19), first_day=20, growth=1.5, zone=LOS_ANGELES)
    traffic = Traffic(folder, Pace(warm_up=ramp), people=200, workers=2)

    traffic.run([(60, number % 5 == 0) for number in range(30)])
    assert sum(size for _, size in traffic.left) == 20
    assert traffic.refused is not None
    assert traffic.refused.until == at(LOS_ANGELES, 2026, 2, 20, 0, 0)

    traffic.now = traffic.refused.until
    traffic.run([(60, number % 5 == 0) for number in range(40)])
    assert sum(size for _, size in traffic.left) == 20 + 30
