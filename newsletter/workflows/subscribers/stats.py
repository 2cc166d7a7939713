"""What the audience looks like, from the first figure to those who no longer read."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

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
    MonthlyGrowth,
    Purpose,
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

STEPS = 8  # of which `on_step` hears
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
    """Counts everything there is to say of the audience, as it stands at one moment.

    `since` is a day of the first month of growth; a year is shown where none is named. `on_step` hears of each of the
    STEPS that is done. Raises InputError where `since` is to come, or too long ago.
    """
    months = _months(since, now)
    with database.read():  # one state for all that is counted
        facts = _with_titles(count_facts(database), config)
        on_step(1)
        movements = count_movements(database, since=datetime(months[0].year, months[0].month, 1, tzinfo=UTC))
        on_step(1)
        sources = count_sources(database, people=facts.people, most=_SOURCES)
        on_step(1)
        languages = _named(count_languages(database, people=facts.people, most=_LANGUAGES))
        on_step(1)
        zones, regions = count_zones(database, people=facts.people, most=_ZONES)
        on_step(1)
        mailboxes = count_mailboxes(database, people=facts.people, most=_DOMAINS)
        on_step(1)
        engagement = count_engagement(database, days=ENGAGEMENT_DAYS, now=now)
        on_step(1)
        candidates = find_candidates(config, database, engagement, now=now)
        on_step(1)
        imports = past_imports(database)
    return AudienceStats(
        at=now,
        facts=facts,
        growth=_growth(movements, months, after=facts.people - facts.all_suppressed),
        sources=sources,
        imports=imports,
        languages=languages,
        zones=zones,
        regions=regions,
        mailboxes=mailboxes,
        engagement=engagement,
        candidates=candidates,
    )


def _months(since: date | None, now: datetime) -> tuple[date, ...]:
    """The first days of the months from that of `since` to the current one."""
    last = now.astimezone(UTC).date().replace(day=1)
    count = _MONTHS if since is None else 12 * (last.year - since.year) + last.month - since.month + 1
    if count < 1:
        raise InputError(f"{since:%Y-%m} is still to come; name a month that has begun")
    if count > _MOST_MONTHS:
        raise InputError(f"{since:%Y-%m} is more than {_MOST_MONTHS // 12} years ago; name a later month")
    return tuple(_months_before(last, back) for back in reversed(range(count)))


def _months_before(month: date, count: int) -> date:
    number = 12 * month.year + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def _growth(movements: Movements, months: tuple[date, ...], *, after: int) -> Growth:
    """The movements month by month; what is dated in the future counts in the current month."""
    last = _key(months[-1])
    joined, returned = _up_to(last, movements.joined), _up_to(last, movements.returned)
    left: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for month, reasons in movements.left.items():
        left[min(month, last)].update(reasons)
    return Growth(
        months=tuple(
            MonthlyGrowth(
                month=month, joined=joined[_key(month)], returned=returned[_key(month)], left=left[_key(month)]
            )
            for month in months
        ),
        after=after,
    )


def _key(month: date) -> str:
    return f"{month:%Y-%m}"


def _up_to(last: str, counted: Mapping[str, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for month, people in counted.items():
        sums[min(month, last)] += people
    return sums


def _with_titles(facts: AudienceFacts, config: Config) -> AudienceFacts:
    """Topics under the titles that newsletter.toml gives them; one that it no longer defines keeps its name."""
    titles: Mapping[str, str] = config.settings.topics
    return replace(
        facts, topics=tuple(replace(topic, title=titles.get(topic.topic, topic.topic)) for topic in facts.topics)
    )


def _named(languages: Breakdown) -> Breakdown:
    return replace(
        languages, groups=tuple(replace(group, title=language_name(group.name)) for group in languages.groups)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patience:
    """How long somebody may keep silent: both must have passed."""

    days: int
    issues: int


_PATIENCE = {Purpose.RE_ENGAGE: _Patience(days=90, issues=3), Purpose.SUNSET: _Patience(days=180, issues=6)}


def find_candidates(
    config: Config, database: Database, engagement: Engagement, *, now: datetime
) -> tuple[Candidates, ...]:
    """For each purpose, how many people there are, and the segment that holds them."""
    sent = sent_issues(database, most=max(patience.issues for patience in _PATIENCE.values()))
    return tuple(
        _candidates(config, database, purpose, sent, engagement.opens_known_since, now=now) for purpose in Purpose
    )


def silence_of(days: int) -> str:
    """The expression of a segment: on the list for so many days and mailed in them, but nothing opened or clicked."""
    return (
        f"joined < {days} days ago and last_received >= {days} days ago "
        f"and last_opened < {days} days ago and last_clicked < {days} days ago"
    )


def _candidates(
    config: Config,
    database: Database,
    purpose: Purpose,
    sent: tuple[datetime, ...],
    opens_known_since: datetime | None,
    *,
    now: datetime,
) -> Candidates:
    patience = _PATIENCE[purpose]
    days = _days(patience, sent, now)
    expression = silence_of(days)
    because = _why_unknown(patience, days, sent, opens_known_since, now)
    count = None
    if not because:
        segment = segment_where(config, database, expression, now=now)
        count = count_segment(database, segment.condition)
    return Candidates(
        purpose=purpose, issues=patience.issues, days=days, expression=expression, count=count, because=because
    )


def _days(patience: _Patience, sent: tuple[datetime, ...], now: datetime) -> int:
    """The days that hold so many issues: more than asked where the newsletter is a rare one."""
    if len(sent) < patience.issues:
        return patience.days
    return max(patience.days, (now - sent[patience.issues - 1]).days + 1)


def _why_unknown(
    patience: _Patience, days: int, sent: tuple[datetime, ...], opens_known_since: datetime | None, now: datetime
) -> str:
    """Why nobody can be called silent yet; empty where somebody can."""
    if len(sent) < patience.issues:
        return f"{len(sent)} of the {patience.issues} issues that it takes have gone out"
    if opens_known_since is None:
        return "no opening or click has been reported, so silence says nothing"
    if opens_known_since > now - timedelta(days=days):
        return f"openings are known since {show_day(opens_known_since)}, and it takes {days} days"
    return ""
