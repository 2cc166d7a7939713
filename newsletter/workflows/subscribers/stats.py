"""Statistics about the audience: its size, growth and sources, and the people who no longer read the newsletter."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import show_day
from newsletter.language.words import language_name
from newsletter.model.stats import (
    AudienceFacts,
    AudienceStats,
    Breakdown,
    Candidates,
    Engagement,
    Growth,
    LetterPurpose,
    MonthlyGrowth,
)
from newsletter.store.database import Database
from newsletter.store.merge import past_imports
from newsletter.store.segments import count_segment
from newsletter.store.stats import (
    Movements,
    count_engagement,
    count_facts,
    count_languages,
    count_mailboxes,
    count_movements,
    count_sources,
    count_zones,
    sent_issues,
)
from newsletter.workflows.segments import segment_where

Counted = TypeVar("Counted")

STEPS = 8  # the number of calls to `on_step`
ENGAGEMENT_DAYS = 90
_MONTHS = 12
_MOST_MONTHS = 240
_SOURCES = 10
_LANGUAGES = 8
_ZONES = 6
_DOMAINS = 5


def describe_audience(
    config: Config, database: Database, *, since: date | None = None, now: datetime, on_step: Callable[[int], None]
) -> AudienceStats:
    """Return all statistics about the audience, from one snapshot of the data.

    `since` is any day in the first month of the growth table; by default, the table covers a year. `on_step` is called
    with 1 after each of the STEPS. Raise InputError if `since` is in the future or too long ago.
    """

    def step(counted: Counted) -> Counted:
        on_step(1)
        return counted

    months = _months(since, now)
    with database.read():  # all counts see the same snapshot
        facts = step(_with_titles(count_facts(database, now=now), config))
        movements = step(count_movements(database, since=datetime(months[0].year, months[0].month, 1, tzinfo=UTC)))
        zones, regions = step(count_zones(database, people=facts.people, most=_ZONES))
        engagement = step(count_engagement(database, days=ENGAGEMENT_DAYS, now=now))
        return AudienceStats(
            at=now,
            facts=facts,
            growth=_growth(movements, months, after=facts.people - facts.all_suppressed),
            sources=step(count_sources(database, people=facts.people, most=_SOURCES)),
            imports=past_imports(database),
            languages=step(_named(count_languages(database, people=facts.people, most=_LANGUAGES))),
            zones=zones,
            regions=regions,
            mailboxes=step(count_mailboxes(database, people=facts.people, most=_DOMAINS)),
            engagement=engagement,
            candidates=step(find_candidates(config, database, engagement, now=now)),
        )


def growth_since(database: Database, *, since: date, now: datetime) -> Growth:
    """Return the growth of the list from the month of a day on."""
    months = _months(since, now)
    with database.read():
        facts = count_facts(database, now=now)
        movements = count_movements(database, since=datetime(months[0].year, months[0].month, 1, tzinfo=UTC))
        return _growth(movements, months, after=facts.people - facts.all_suppressed)


def _months(since: date | None, now: datetime) -> tuple[date, ...]:
    """Return the first day of each month, from the month of `since` to the current one."""
    last = now.astimezone(UTC).date().replace(day=1)
    count = _MONTHS if since is None else 12 * (last.year - since.year) + last.month - since.month + 1
    if count < 1:
        raise InputError(
            f"{since:%Y-%m} is in the future; write this month or an earlier one, for example --since {now:%Y-%m}"
        )
    if count > _MOST_MONTHS:
        raise InputError(
            f"{since:%Y-%m} is more than {_MOST_MONTHS // 12} years ago; "
            f"write a later month, such as --since {now:%Y-%m}"
        )
    numbers = range(12 * last.year + last.month - count, 12 * last.year + last.month)
    return tuple(date(number // 12, number % 12 + 1, 1) for number in numbers)


def _growth(movements: Movements, months: tuple[date, ...], *, after: int) -> Growth:
    """Return the movements by month. Entries dated in the future count in the current month."""
    keys = [f"{month:%Y-%m}" for month in months]
    joined, returned = _up_to(keys[-1], movements.joined), _up_to(keys[-1], movements.returned)
    left: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for month, reasons in movements.left.items():
        left[min(month, keys[-1])].update(reasons)
    by_month = zip(months, keys, strict=True)
    return Growth(
        months=tuple(
            MonthlyGrowth(month=month, joined=joined[key], returned=returned[key], left=left[key])
            for month, key in by_month
        ),
        after=after,
    )


def _up_to(last: str, counted: Mapping[str, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for month, people in counted.items():
        sums[min(month, last)] += people
    return sums


def _with_titles(facts: AudienceFacts, config: Config) -> AudienceFacts:
    """Give topics their titles from newsletter.toml. A topic that is no longer defined keeps its name."""
    titles = config.settings.topics
    named = tuple(replace(topic, title=titles.get(topic.topic, topic.topic)) for topic in facts.topics)
    return replace(facts, topics=named)


def _named(languages: Breakdown) -> Breakdown:
    return replace(
        languages, groups=tuple(replace(group, title=language_name(group.name)) for group in languages.groups)
    )


class _Patience(Struct, frozen=True, kw_only=True):
    """How long a subscriber must have been inactive: at least this many days and this many issues."""

    days: int
    issues: int


_PATIENCE = {LetterPurpose.RE_ENGAGE: _Patience(days=90, issues=3), LetterPurpose.SUNSET: _Patience(days=180, issues=6)}


def find_candidates(
    config: Config, database: Database, engagement: Engagement, *, now: datetime
) -> tuple[Candidates, ...]:
    """Return, for each purpose, the segment of inactive subscribers and its size."""
    sent = sent_issues(database, most=max(patience.issues for patience in _PATIENCE.values()))
    found = []
    for purpose, patience in _PATIENCE.items():
        days, count = _days(patience, sent, now), None
        expression, issues = silence_of(days), patience.issues
        because = _why_unknown(patience, days, sent, engagement.opens_known_since, now)
        if not because:
            count = count_segment(database, segment_where(config, database, expression, now=now).condition, at=now)
        found.append(
            Candidates(purpose=purpose, issues=issues, days=days, expression=expression, count=count, because=because)
        )
    return tuple(found)


def silence_of(days: int) -> str:
    """Return the segment expression for inactive subscribers.

    They joined more than `days` days ago. In the last `days` days, they were emailed but neither opened nor clicked.
    """
    return (
        f"joined < {days} days ago and last_received >= {days} days ago "
        f"and last_opened < {days} days ago and last_clicked < {days} days ago"
    )


def _days(patience: _Patience, sent: tuple[datetime, ...], now: datetime) -> int:
    """Return a number of days that contains enough issues. Newsletters that are sent rarely need more days."""
    if len(sent) < patience.issues:
        return patience.days
    return max(patience.days, (now - sent[patience.issues - 1]).days + 1)


def _why_unknown(
    patience: _Patience, days: int, sent: tuple[datetime, ...], opens_known_since: datetime | None, now: datetime
) -> str:
    """Return why inactivity cannot be determined yet, or an empty string if it can."""
    if len(sent) < patience.issues:
        return f"{len(sent)} of the {patience.issues} issues needed have been sent"
    if opens_known_since is None:
        return "no opens or clicks have been reported, so inactivity cannot be determined"
    if opens_known_since > now - timedelta(days=days):
        return f"opens have been reported only since {show_day(opens_known_since)}, and {days} days are needed"
    return ""
