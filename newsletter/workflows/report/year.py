"""Gather what came of a year: how the list grew, who left, and what works."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from newsletter.errors import InputError
from newsletter.language.clock import say_time
from newsletter.language.counts import count_of, people_of
from newsletter.language.rates import say_interval, say_rate
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.stats import Growth
from newsletter.statistics.intervals import Proportion
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.report import LinkRow, count_reactions, sent_between
from newsletter.workflows.events.judge import SETTLES_AFTER, judge_reactions
from newsletter.workflows.report.issue import EarlierIssue, earlier_issues
from newsletter.workflows.report.outcomes import Outcomes, total_of
from newsletter.workflows.report.tables import (
    Chart,
    FigureTable,
    Line,
    count_measure,
    group_measures,
    rate_measure,
)
from newsletter.workflows.report.words import Told
from newsletter.workflows.subscribers.stats import growth_since

_LINKS_OF_EACH, _MOST_LINKS = 5, 15
_FEWEST = 30  # people; of fewer, a rate says nothing


def year_told(
    database: Database, year: int, *, zone: str, now: datetime, on_step: Callable[[str], None] = lambda _: None
) -> Told:
    """Return the report of a year in words and tables. Raise InputError if nothing was sent in it.

    `on_step` gets the name of each issue that was counted.
    """
    judge_reactions(database, now=now)
    begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    every = [each for each in list_broadcasts(database) if each.kind is BroadcastKind.ISSUE]
    sent = sent_between(database, [each.id for each in every])
    issues = earlier_issues(database, every, sent, before=ends, now=now, since=begins)
    if not issues:
        years = sorted({row.first_at.year for row in sent.values()})
        others = f"choose from {', '.join(map(str, years))}" if years else "`newsletter send` sends the first one"
        raise InputError(f"--year {year}: no issue was sent in that year; {others}")
    growth = _within(growth_since(database, since=begins.date(), now=now), year)
    best: list[tuple[EarlierIssue, LinkRow]] = []
    for issue in issues:
        numbers = [each.id for each in every if each.issue == issue.issue and each.id in sent]
        followed = count_reactions(database, numbers, settled=now - SETTLES_AFTER)
        best += [(issue, link) for link in followed.links[:_LINKS_OF_EACH]]
        on_step(issue.issue)
    total = total_of(each.outcomes for each in issues)
    tables = (_issues(issues), _growth(growth), _leaving(growth), _works(best))
    return Told(
        heading=f"The year {year}",
        title=f"{count_of(len(issues), 'issue')}, counted on {say_time(now, zone)}",
        story=tuple(_story(year, issues, total, growth)),
        warnings=(),
        tables=tuple(table for table in tables if table.lines),
        notes=tuple(_notes(total)),
    )


def _within(growth: Growth, year: int) -> Growth:
    """Return the months of the year alone."""
    later = sum(month.net for month in growth.months if month.month.year > year)
    months = tuple(month for month in growth.months if month.month.year == year)
    return Growth(months=months, after=growth.after - later)


def _story(year: int, issues: Sequence[EarlierIssue], total: Outcomes, growth: Growth) -> Iterator[str]:
    change = growth.after - growth.before
    how = "grew" if change > 0 else "shrank" if change < 0 else "stayed as large as it was"
    by = f" by {abs(change):,}" if change else ""
    yield (
        f"In {year}, your list {how}{by}, from {growth.before:,} to {people_of(growth.after)}: "
        f"{growth.joined + growth.returned:,} joined and {sum(growth.left.values()):,} left."
    )
    yield (
        f"You sent {count_of(len(issues), 'issue')} and {count_of(total.accepted, 'email')}; "
        f"{say_rate(total.arrival.rate)} arrived."
    )
    if total.known < _FEWEST:
        yield "How many were opened is not known: too few people let you know."
        return
    opened, clicked = say_interval(total.opening.interval), say_interval(total.clicking.interval)
    yield f"Of the emails to those who let us know, {opened} were opened, and {clicked} clicked.{_best(issues)}"


def _best(issues: Sequence[EarlierIssue]) -> str:
    """Name the issue that was opened most, if the numbers show that it was opened more than all others."""
    known = [each for each in issues if each.outcomes.known >= _FEWEST]
    if len(known) < 2:
        return ""
    best = max(known, key=lambda each: each.outcomes.opening.rate)
    others = total_of(each.outcomes for each in known if each is not best)
    if best.outcomes.opening.differs_from(others.opening, among=len(known)) <= 0:
        return " No issue clearly stands out."
    return f" {best.issue} was opened most."


def _issues(issues: Sequence[EarlierIssue]) -> FigureTable:
    pooled = [total_of(other.outcomes for other in issues if other is not each) for each in issues]
    lines = tuple(
        Line(label=each.issue, measures=group_measures(each.outcomes, others, among=len(issues)))
        for each, others in reversed(list(zip(issues, pooled, strict=True)))
    )
    note = "▲ higher and ▼ lower than all other issues of the year, as far as these numbers can show."
    return FigureTable(
        key="issues",
        title="Issue by issue",
        head="issue",
        lines=lines,
        note=note if len(lines) > 1 else "",
        chart=Chart.BARS,
        charted="opened",
    )


def _growth(growth: Growth) -> FigureTable:
    lines = []
    people = growth.before
    for month in growth.months:
        people += month.net
        counts = {"joined": month.gained, "left": month.all_left, "people": people}
        measures = tuple(count_measure(name, count) for name, count in counts.items())
        lines.append(Line(label=f"{month.month:%B}", measures=measures))
    note = "Those who returned count as joined. Months are in UTC."
    return FigureTable(key="growth", title="Growth", head="month", lines=tuple(lines), note=note)


def _leaving(growth: Growth) -> FigureTable:
    all_left = sum(growth.left.values())
    lines = tuple(
        Line(label=reason, measures=(rate_measure("people", Proportion(people, all_left)),))
        for reason, people in growth.left.items()
        if people
    )
    return FigureTable(key="leaving", title="Why people left", head="reason", lines=lines)


def _works(best: Sequence[tuple[EarlierIssue, LinkRow]]) -> FigureTable:
    """Return the links that the largest shares of readers clicked."""
    rates = [
        (issue, link, Proportion(link.people, issue.outcomes.known))
        for issue, link in best
        if 0 < link.people <= issue.outcomes.known and issue.outcomes.known >= _FEWEST
    ]
    # By the lower end of the range: a high rate of a few people is no success yet.
    rates.sort(key=lambda each: each[2].interval.low, reverse=True)
    lines = tuple(
        Line(label=_address(link.url), measures=(rate_measure("clicked", rate),), note=issue.issue, url=link.url)
        for issue, link, rate in rates[:_MOST_LINKS]
    )
    return FigureTable(
        key="works",
        title="What works: the links that most people followed",
        head="link",
        lines=lines,
        chart=Chart.BARS,
        charted="clicked",
    )


def _address(url: str) -> str:
    return url.partition("://")[2].partition("?")[0].rstrip("/").removeprefix("www.")


def _notes(total: Outcomes) -> Iterator[str]:
    yield "A range such as 41–43% holds the true rate in at least 95 of 100 such cases."
    if total.known:
        known = Proportion(total.known, total.accepted)
        yield (
            f"Opens and clicks are known of {say_rate(known.rate)} of the emails: those to people who agreed to "
            "tracking and still do. A person counts once for each issue."
        )
