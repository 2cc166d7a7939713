"""Say how an issue went in three sentences, and figures in words. Small numbers are not called a trend."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from newsletter.language.clock import say_time
from newsletter.language.counts import count_of, people_of
from newsletter.language.rates import say_interval, say_rate
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import TrackingMode
from newsletter.statistics.intervals import Proportion
from newsletter.workflows.report.compared import comparison_tables
from newsletter.workflows.report.issue import IssueReport
from newsletter.workflows.report.outcomes import Outcomes, total_of
from newsletter.workflows.report.tables import FigureTable, Measure, tables_of
from newsletter.workflows.send.alarms import BOUNCES_LIMIT, COMPLAINTS_LIMIT

_FEWEST = 30  # people; of fewer, a rate says nothing


def say_measure(measure: Measure) -> str:
    """Return a figure with its interval, such as `1,204 · 41–43%`."""
    mark = {1: " ▲", -1: " ▼"}.get(measure.differs, "")
    if measure.interval is not None and measure.count is None:
        return f"≈ {say_interval(measure.interval)}"
    count = f"{measure.count or 0:,}"
    if measure.of is None:
        return count
    return f"{count} · {say_interval(measure.interval)}{mark}" if measure.interval is not None else "–"


def say_shortly(measure: Measure) -> str:
    """Return a figure without what others beside it say: `41–43% ▲`, or `12 of 20` of a few."""
    if measure.of is None or measure.interval is None:
        return say_measure(measure)
    if measure.of < _FEWEST:
        return f"{measure.count} of {measure.of}"
    mark = {1: " ▲", -1: " ▼"}.get(measure.differs, "")
    return f"{say_interval(measure.interval)}{mark}"


class Told(Struct, frozen=True, kw_only=True):
    """A report as people read it."""

    heading: str  # the subject, or what it is about
    title: str
    story: tuple[str, ...]  # how it went, in three sentences
    warnings: tuple[str, ...]  # what a person should look into
    tables: tuple[FigureTable, ...]
    notes: tuple[str, ...]  # what the figures can and cannot say


def told(report: IssueReport, *, zone: str) -> Told:
    """Return a report in words and tables, with its times in a time zone."""
    return Told(
        heading=report.subject or report.issue,
        title=_title(report, zone),
        story=(_arrival(report), _reading(report), _leaving(report)),
        warnings=tuple(_warnings(report)),
        tables=(*comparison_tables(report), *tables_of(report)),
        notes=tuple(_notes(report, zone)),
    )


def _title(report: IssueReport, zone: str) -> str:
    return f"{report.issue}, sent {say_time(report.sent.first_at, zone)}"


def _arrival(report: IssueReport) -> str:
    total = report.total
    arrived = f"Of {people_of(total.accepted)}, {say_rate(total.arrival.rate)} got it"
    if not total.hears_of_delivery:
        arrived = (
            f"{people_of(total.accepted)} were sent it, and {say_rate(total.arrival.rate)} of these did not bounce"
        )
    failed = total.bounced + total.blocked + total.dropped
    troubles = f"; {count_of(failed, 'email')} came back" if failed else "; none came back"
    pending = f", and {report.pending:,} are still to be sent" if report.pending else ""
    return f"{arrived}{troubles}{pending}.{_comparison(report, _ARRIVED)}"


def _reading(report: IssueReport) -> str:
    total = report.total
    if report.mode is TrackingMode.OFF:
        return "Opens and clicks are not recorded, as your settings say."
    if report.mode is TrackingMode.TOTALS:
        return "Opens and clicks are counted, but not by people; see the numbers below."
    if not total.known:
        return "No one who got it has agreed to tracking, so it is not known who opened it."
    if total.known < _FEWEST:
        return (
            f"Of {people_of(total.known)} who let us know, {total.opened:,} opened it and {total.clicked:,} clicked: "
            "too few to say more."
        )
    opened, clicked = say_interval(total.opening.interval), say_interval(total.clicking.interval)
    who = f"the {total.known:,} who let us know"
    return f"Of {who}, {opened} opened it, and {clicked} clicked a link.{_comparison(report, _OPENED)}"


def _leaving(report: IssueReport) -> str:
    total = report.total
    left = f"{people_of(total.left)} left ({say_rate(total.leaving.rate)})" if total.left else "No one left"
    spam = f", and {total.complaints:,} marked it as spam" if total.complaints else ", and no one marked it as spam"
    unknown = " as far as mailboxes report it" if total.may_complain < total.accepted else ""
    return f"{left}{spam}{unknown}.{_comparison(report, _LEFT)}"


class _BesideEarlier(Struct, frozen=True):
    """A rate that is compared with that of earlier issues, and what is said if it is higher or lower."""

    rate: Callable[[Outcomes], Proportion]
    more: str
    fewer: str


_ARRIVED = _BesideEarlier(
    lambda each: each.arrival, "That is more than of earlier issues.", "Earlier issues did better."
)
_OPENED = _BesideEarlier(
    lambda each: each.opening, "Earlier issues were opened less.", "Earlier issues were opened more."
)
_LEFT = _BesideEarlier(lambda each: each.leaving, "Fewer left after earlier issues.", "More left after earlier issues.")
_COMPARISONS = 3


def _comparison(report: IssueReport, of: _BesideEarlier) -> str:
    """Return a sentence that compares a rate with the earlier issues, or nothing if the numbers show no difference."""
    mine, others = of.rate(report.total), of.rate(total_of(each.outcomes for each in report.earlier))
    if min(mine.of, others.of) < _FEWEST:
        return ""
    differs = mine.differs_from(others, among=_COMPARISONS)
    return f" {of.more}" if differs > 0 else f" {of.fewer}" if differs < 0 else ""


def _warnings(report: IssueReport) -> Iterator[str]:
    total = report.total
    if total.complaints and total.complaint.rate >= COMPLAINTS_LIMIT:
        yield (
            f"{total.complaints:,} of {people_of(total.may_complain)} whose mailboxes report it marked it as spam "
            f"({say_interval(total.complaint.interval)}). From {say_rate(COMPLAINTS_LIMIT)} on, mailbox providers "
            "begin to refuse email."
        )
    if total.bounced and total.bounce.rate >= BOUNCES_LIMIT:
        yield (
            f"{total.bounced:,} of {total.accepted:,} emails bounced ({say_interval(total.bounce.interval)}). From "
            f"{say_rate(BOUNCES_LIMIT)} on, your reputation suffers; see below why they came back."
        )


def _notes(report: IssueReport, zone: str) -> Iterator[str]:
    yield f"Deliveries, opens and clicks are counted up to {say_time(report.settled, zone)}, all else up to now."
    yield (
        "A range such as 41–43% holds the true rate in at least 95 of 100 such issues. Where ranges overlap, the "
        "difference may be chance."
    )
    if report.mode is TrackingMode.CONSENTED:
        known = Proportion(report.total.known, report.total.accepted)
        yield (
            f"Opens and clicks are known of {say_rate(known.rate)} of the recipients: those who agreed to tracking, "
            "and still do. Figures for all are estimates (≈): those who let us know may read more than others."
        )
        yield (
            "Some apps load every picture, read or not. Such opens are counted as machines', so the true share of "
            "openers may be higher. Clicks are more reliable."
        )
    if any(group.mailbox == MailboxProvider.GMAIL for group in report.groups):
        yield "Gmail does not report who marks an email as spam, so its users are left out of that rate."
