"""The figures of a report as tables. The terminal, the page, CSV and JSON all show the same ones."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from newsletter.language.counts import people_of
from newsletter.model.broadcast import BroadcastKind, DeliveryStatus
from newsletter.model.machines import MachineVerdict
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import LANGUAGE, MAILBOX, ONLY, TRACKING, VERSION, Readership, TrackingMode
from newsletter.refusals import named_cause
from newsletter.statistics.intervals import Interval, Proportion
from newsletter.workflows.report.issue import IssueReport
from newsletter.workflows.report.outcomes import Outcomes, RecipientGroup, estimate, total_of


class Chart(StrEnum):
    """How a table is drawn."""

    NONE = ""
    BARS = "bars"  # a bar for each line, with its interval
    TIME = "time"  # a line over time


class Measure(Struct, frozen=True, kw_only=True):
    """One figure: a number, or a rate with its interval. An estimate has no number."""

    name: str
    count: int | None = None
    of: int | None = None
    rate: float | None = None
    interval: Interval | None = None
    is_estimate: bool = False
    differs: int = 0  # 1 or -1 if it is higher or lower than that of all others, as far as the numbers show


class Line(Struct, frozen=True, kw_only=True):
    """One line of a table."""

    label: str
    measures: tuple[Measure, ...]
    note: str = ""
    url: str = ""


class FigureTable(Struct, frozen=True, kw_only=True):
    """A table of figures. All lines have the same measures."""

    key: str
    title: str
    head: str  # above the labels
    lines: tuple[Line, ...]
    note: str = ""
    chart: Chart = Chart.NONE
    charted: str = ""  # the measure that is drawn


_LabelFor = Callable[[RecipientGroup, Readership], str]
_VERDICTS: Mapping[str, str] = {
    MachineVerdict.PREFETCH: "a look ahead",
    MachineVerdict.AGENT: "a program that says so",
    MachineVerdict.PRIVACY: "Apple's privacy proxy",
    MachineVerdict.NETWORK: "a scanner's network",
    MachineVerdict.CANARY: "followed a link that no one sees",
    MachineVerdict.BURST: "several links within two seconds",
    MachineVerdict.HASTY: "a click right after delivery",
}
_NOWHERE = "no longer on the list"
_UNKNOWN = "not known"
_STEPS = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336)  # hours after the first email
_MOST_LINKS = 30


def count_measure(name: str, count: int) -> Measure:
    """Return a plain number."""
    return Measure(name=name, count=count)


def rate_measure(name: str, rate: Proportion, *, differs: int = 0) -> Measure:
    """Return a rate with its interval."""
    return Measure(
        name=name,
        count=rate.count,
        of=rate.of,
        rate=rate.rate if rate.of else None,
        interval=rate.interval if rate.of else None,
        differs=differs,
    )


def tables_of(report: IssueReport) -> tuple[FigureTable, ...]:
    """Return all tables of a report that have a line."""
    tables = (
        _fates(report),
        _causes(report),
        *_reading(report),
        _time(report),
        *_breakdowns(report),
        _links(report),
        _sections(report),
        _machines(report),
        _earlier(report),
        _others(report),
    )
    return tuple(table for table in tables if table is not None and table.lines)


def _fates(report: IssueReport) -> FigureTable:
    total = report.total
    fates = [
        ("delivered", total.delivered),
        ("bounced", total.bounced),
        ("refused for now, and not delivered since", total.blocked),
        ("not sent by the provider", total.dropped),
        ("still being tried", total.waiting),
        ("accepted, and nothing heard since" if total.hears_of_delivery else "accepted by the server", total.silent),
    ]
    lines = [
        Line(label=label, measures=(rate_measure("emails", Proportion(count, total.accepted)),))
        for label, count in fates
        if count
    ]
    complaint = Line(
        label="marked as spam",
        measures=(rate_measure("emails", total.complaint),),
        note=f"of {people_of(total.may_complain)} whose mailboxes report it; Gmail's do not",
    )
    delayed = Line(
        label="delivered after a delay",
        measures=(rate_measure("emails", Proportion(total.delayed, total.accepted)),),
        note="part of those delivered",
    )
    left = Line(label="left", measures=(rate_measure("emails", total.leaving),), note="by any way, after this issue")
    return FigureTable(
        key="emails",
        title="Where the emails went",
        head="what",
        lines=(*lines, *([delayed] if total.delayed else []), complaint, left, *_left_out(report)),
    )


def _left_out(report: IssueReport) -> Iterator[Line]:
    if report.pending:
        yield Line(label="not sent yet, or unconfirmed", measures=(count_measure("emails", report.pending),))
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in report.settlements:
        what = "refused at once" if each.status is DeliveryStatus.INVALID else "left out beforehand"
        sums[what, each.reason] += each.deliveries
    for (what, reason), people in sorted(sums.items(), key=lambda each: -each[1]):
        yield Line(label=what, measures=(count_measure("emails", people),), note=reason)


def _causes(report: IssueReport) -> FigureTable:
    lines = []
    for kind, causes in (("bounced", report.causes.bounced), ("refused for now", report.causes.blocked)):
        for name, people in sorted(causes.items(), key=lambda each: -each[1]):
            cause = named_cause(name) if name else None
            label = cause.says if cause else "the server gave no reason"
            rate = Proportion(people, report.total.accepted)
            remedy = f"; {cause.remedy}" if cause else ""
            lines.append(Line(label=label, measures=(rate_measure("emails", rate),), note=f"{kind}{remedy}"))
    return FigureTable(key="causes", title="Why emails came back", head="cause", lines=tuple(lines))


def _reading(report: IssueReport) -> Iterator[FigureTable]:
    total = report.total
    if report.mode is TrackingMode.TOTALS:
        yield _totals(report)
    if not total.known:
        return
    share = Proportion(total.known, total.accepted)
    lines = [
        Line(label="let us know what they open", measures=(rate_measure("people", share),), note="of all recipients"),
        Line(label="opened", measures=(rate_measure("people", total.opening),), note="of those who let us know"),
        Line(label="clicked", measures=(rate_measure("people", total.clicking),), note="of those who let us know"),
        Line(
            label="may have opened",
            measures=(rate_measure("people", Proportion(report.only_machines, total.known)),),
            note="a program loaded the pictures for them, read or not",
        ),
    ]
    for label, is_click in (("opened, of all recipients", False), ("clicked, of all recipients", True)):
        found = estimate(report.groups, clicks=is_click)
        if found is not None and share.count < share.of:
            measure = Measure(name="people", rate=found.rate, interval=found.interval, is_estimate=True)
            note = "estimated: as if the others with the same language and mailbox did the same"
            lines.append(Line(label=label, measures=(measure,), note=note))
    yield FigureTable(key="reading", title="Opened and clicked", head="what", lines=tuple(lines))


def _totals(report: IssueReport) -> FigureTable:
    counts: defaultdict[tuple[bool, bool], int] = defaultdict(int)
    for row in report.totals:
        counts[row.is_click, MachineVerdict(row.judged).is_persons] += row.events
    lines = [
        Line(label=label, measures=(count_measure("times", counts[key]),))
        for label, key in (
            ("opened", (False, True)),
            ("clicked", (True, True)),
            ("opened by machines", (False, False)),
            ("clicked by machines", (True, False)),
        )
    ]
    note = "How often, not by how many people: in this mode, readers are not told apart."
    return FigureTable(key="totals", title="Opened and clicked", head="what", lines=tuple(lines), note=note)


def _time(report: IssueReport) -> FigureTable:
    began = report.sent.first_at.replace(minute=0, second=0)
    counts: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for (what, hour), people in report.hours.items():
        after = datetime.fromisoformat(f"{hour}:00:00Z") - began
        counts[what].append((after / timedelta(hours=1), people))
    total, passed = report.total, (report.at - began) / timedelta(hours=1)
    of = {"opened": total.known, "clicked": total.known, "left": total.accepted}
    steps = [step for step in _STEPS if step <= passed] or [1]
    lines = [
        Line(
            label=_hours(step),
            measures=tuple(
                rate_measure(what, Proportion(sum(people for at, people in counts[what] if at < step), people_in_all))
                for what, people_in_all in of.items()
                if people_in_all
            ),
        )
        for step in steps
    ]
    while len(lines) > 2 and lines[-1].measures == lines[-2].measures:
        lines.pop()  # nothing happened since
    note = "Each person counts from the first time on. Whole hours, from the hour of the first email."
    charted = "opened" if total.known else "left"
    return FigureTable(
        key="time", title="Over time", head="within", lines=tuple(lines), note=note, chart=Chart.TIME, charted=charted
    )


def _hours(hours: int) -> str:
    if hours < 48:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{hours // 24} days"


def _breakdowns(report: IssueReport) -> Iterator[FigureTable | None]:
    segments = {each.id: each.segment for each in report.broadcasts}
    yield _breakdown(report, "segment", "By segment", lambda key, _: segments[key.broadcast])
    yield _breakdown(report, "language", "By language", lambda key, _: _language(key.language))
    yield _breakdown(report, "mailbox", "By mailbox provider", lambda key, _: _mailbox(key.mailbox))
    axes = dict.fromkeys(name for each in report.readerships.values() for name, _ in each.values)
    for axis in axes:
        if axis in {TRACKING, MAILBOX, VERSION}:  # versions are compared only among those who got them first
            continue
        title = f"Section for {axis.removeprefix(ONLY)}" if axis.startswith(ONLY) else f"By {axis}"
        yield _breakdown(
            report, f"axis {axis}", "By language of the email" if axis == LANGUAGE else title, _label_on(axis)
        )


def _label_on(axis: str) -> _LabelFor:
    """Return the function that labels a group by its value of an axis."""

    def label(_: RecipientGroup, readership: Readership) -> str:
        value = readership.value(axis) or ""
        return _language(value) if axis == LANGUAGE else value or _UNKNOWN

    return label


def _breakdown(
    report: IssueReport, key: str, title: str, label_for: Callable[[RecipientGroup, Readership], str]
) -> FigureTable | None:
    """Return a table by one property of the recipients, the largest group first. One group alone says nothing new."""
    found: defaultdict[str, Outcomes] = defaultdict(Outcomes)
    for group, outcomes in report.groups.items():
        found[label_for(group, report.readerships[group.broadcast, group.variant])].take(outcomes)
    if len(found) < 2:
        return None
    ordered = sorted(found.items(), key=lambda each: (each[0] == _NOWHERE, -each[1].accepted, each[0]))
    lines = tuple(
        Line(
            label=label,
            measures=group_measures(
                outcomes, total_of(other for name, other in found.items() if name != label), among=len(found)
            ),
        )
        for label, outcomes in ordered
    )
    has_opens = report.total.known > 0
    return FigureTable(
        key=key,
        title=title,
        head=title.removeprefix("By ").partition(" ")[0].lower(),
        lines=lines,
        chart=Chart.BARS if has_opens else Chart.NONE,
        charted="opened",
        note="▲ higher and ▼ lower than all others, as far as these numbers can show. Without a mark, they do not.",
    )


_RATES: Mapping[str, Callable[[Outcomes], Proportion]] = {
    "opened": lambda outcomes: outcomes.opening,
    "clicked": lambda outcomes: outcomes.clicking,
    "bounced": lambda outcomes: outcomes.bounce,
    "spam": lambda outcomes: outcomes.complaint,
    "left": lambda outcomes: outcomes.leaving,
}


def group_measures(outcomes: Outcomes, others: Outcomes | None = None, *, among: int = 1) -> tuple[Measure, ...]:
    """Return the measures of a group, compared with all others."""
    rates = [
        rate_measure(
            name, rate(outcomes), differs=rate(outcomes).differs_from(rate(others), among=among) if others else 0
        )
        for name, rate in _RATES.items()
    ]
    return (count_measure("people", outcomes.accepted), *rates)


def _language(code: str) -> str:
    return Readership.of({LANGUAGE: code}).label if code else _UNKNOWN


def _mailbox(provider: str) -> str:
    return MailboxProvider(provider).label if provider else _NOWHERE


def _links(report: IssueReport) -> FigureTable | None:
    if report.mode is TrackingMode.OFF:
        return None
    is_total = report.mode is TrackingMode.TOTALS
    lines = tuple(
        Line(
            label=link.words or link.url,
            measures=(count_measure("times", link.clicks),)
            if is_total
            else (rate_measure("clicked", Proportion(min(link.people, report.total.known), report.total.known)),),
            note=link.section,
            url=link.url,
        )
        for link in report.links[:_MOST_LINKS]
    )
    more = len(report.links) - _MOST_LINKS
    return FigureTable(
        key="links",
        title="Links",
        head="link",
        lines=lines,
        note=f"The {_MOST_LINKS} most clicked of {len(report.links)} links." if more > 0 else "",
        chart=Chart.NONE if is_total else Chart.BARS,
        charted="clicked",
    )


def _sections(report: IssueReport) -> FigureTable:
    known = report.total.known
    lines = tuple(
        Line(label=section, measures=(rate_measure("clicked", Proportion(people, known)),))
        for section, people in sorted(report.sections.items(), key=lambda each: -each[1])
        if people <= known
    )
    note = "People who clicked at least one link in the section."
    return FigureTable(
        key="sections", title="Sections", head="section", lines=lines, note=note, chart=Chart.BARS, charted="clicked"
    )


def _machines(report: IssueReport) -> FigureTable:
    lines = tuple(
        Line(
            label=f"{'clicked' if row.is_click else 'opened'}: {_VERDICTS.get(row.judged, row.judged)}",
            measures=(count_measure("times", row.events),),
        )
        for row in report.machines
    )
    note = "Not counted as people's anywhere else."
    return FigureTable(key="machines", title="Opened and clicked by machines", head="what", lines=lines, note=note)


def _earlier(report: IssueReport) -> FigureTable | None:
    if not report.earlier:
        return None
    pooled = total_of(each.outcomes for each in report.earlier)
    this = Line(label=f"{report.issue} (this issue)", measures=group_measures(report.total, pooled))
    earlier = (Line(label=each.issue, measures=group_measures(each.outcomes)) for each in report.earlier)
    return FigureTable(
        key="earlier",
        title="Beside earlier issues",
        head="issue",
        lines=(this, *earlier),
        note="▲ higher and ▼ lower than the earlier issues together, as far as these numbers can show.",
        chart=Chart.BARS if report.total.known else Chart.NONE,
        charted="opened",
    )


def _others(report: IssueReport) -> FigureTable:
    lines = tuple(
        Line(label=_KINDS.get(kind, kind.value), measures=group_measures(outcomes))
        for kind, outcomes in report.others.items()
    )
    return FigureTable(key="others", title="Other emails about this issue", head="email", lines=lines)


_KINDS: Mapping[BroadcastKind, str] = {BroadcastKind.FOLLOW_UP: "follow-up", BroadcastKind.CORRECTION: "correction"}
