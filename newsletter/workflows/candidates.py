"""Who no longer reads: people to be asked whether they want to stay, and people to be let go.

They are found by a segment, and by nothing else, so that what is counted here and whom a broadcast to that segment
reaches are the same people.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.config import Config
from newsletter.model.stats import Candidates, Engagement, Purpose
from newsletter.store.database import Database
from newsletter.store.segments import count_segment
from newsletter.store.stats import sent_issues
from newsletter.workflows.segments import segment_where


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patience:
    """How long somebody may keep silent: both must have passed."""

    days: int
    issues: int


_PATIENCE = {
    Purpose.RE_ENGAGE: _Patience(days=90, issues=3),
    Purpose.SUNSET: _Patience(days=180, issues=6),
}


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
        return f"openings are known since {opens_known_since:%Y-%m-%d}, and it takes {days} days"
    return ""
