"""Checks of the keys of events: times that do not exist, deadlines after the start, unlikely years, repeated events."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from newsletter.checks.base import CheckContext, Problem, error, remembered, rule, warning
from newsletter.checks.reading.document import normalized
from newsletter.language.clock import say_clock, show_day, show_minute
from newsletter.language.zone_labels import is_skipped, is_twice
from newsletter.model.finding import Severity
from newsletter.model.issue import Issue, Item

_FARTHEST = timedelta(days=3 * 366)
_LONGEST = timedelta(days=366)


def items_of(issue: Issue) -> Iterator[Item]:
    """Yield every event and offer of an issue."""
    for section in issue.sections:
        yield from section.items


@rule("E4", is_once=True)
def check_clock_changes(context: CheckContext) -> Iterable[Problem]:
    """Event times that the clocks skip or show twice.

    Events must not start or end at a time that the clocks skip in spring or show twice in fall. Such an event is an
    hour early or late for some of your readers. Each time of a weekly event is checked.
    """
    for item in items_of(context.subject.issue):
        yield from _changes_of(item)


@remembered
def _changes_of(item: Item) -> Iterator[Problem]:
    told: set[str] = set()
    for occurrence in item.times():
        for key, moment in (("starts", occurrence.starts), ("ends", occurrence.ends)):
            if moment is None or key in told:
                continue
            if is_skipped(moment):
                told.add(key)
                yield _skipped(item, key, moment)
            elif is_twice(moment) and item.fields.offset is None:
                told.add(key)
                yield _twice(item, key, moment)
    yield from _wrong_offset(item)


def _skipped(item: Item, key: str, moment: datetime) -> Problem:
    what = f"clocks in {item.zone.key} skip {say_clock(moment)} on {show_day(moment)}"
    before, after = (
        moment.replace(fold=fold).astimezone(UTC).astimezone(item.zone).replace(tzinfo=None) for fold in (1, 0)
    )
    is_typed = moment.replace(tzinfo=None) in {item.fields.starts, item.fields.ends}
    if is_typed:
        remedy = f"write `{key}: {show_minute(before)}` or `{key}: {show_minute(after)}`"
    else:
        remedy = (
            f"choose another time, for example {before:%H:%M} or {after:%H:%M}, or make that day an event of its own"
        )
    return error(item.source.at(key), what, remedy)


def _twice(item: Item, key: str, moment: datetime) -> Problem:
    first, second = (_offset(moment.replace(fold=fold)) for fold in (0, 1))
    what = f"clocks in {item.zone.key} show {say_clock(moment)} twice on {show_day(moment)}"
    remedy = f"add `offset: {first}` for the first time or `offset: {second}` for the second, or choose another time"
    return warning(item.source.at(key), what, remedy)


def _wrong_offset(item: Item) -> Iterator[Problem]:
    offset, starts = item.fields.offset, item.starts_at()
    if offset is None or starts is None:
        return
    moments = [moment for each in item.times() for moment in each if moment is not None]
    right = {_offset(moment.replace(fold=fold)) for moment in moments for fold in (0, 1)}
    if not any(moment.utcoffset() == offset for moment in moments):
        shown = " or ".join(f"`offset: {each}`" for each in sorted(right))
        what = f"clocks in {item.zone.key} do not differ from UTC by that much on {show_day(starts)}"
        remedy = f"write {shown}, or delete this line" if right else "delete this line"
        yield error(item.source.at("offset"), what, remedy)


def _offset(moment: datetime) -> str:
    """Return the difference from UTC as it is written: `-07:00`."""
    return moment.isoformat()[-6:]


@rule("E5", is_once=True)
def check_event_dates(context: CheckContext) -> Iterable[Problem]:
    """Unlikely dates of events.

    No deadline may be after the start. No event may start more than three years after the issue, or last more than a
    year. Such a date is usually a typing mistake. An event that is in the issue twice looks like two events.
    """
    issue = context.subject.issue
    first: dict[tuple[str, object], Item] = {}
    for item in items_of(issue):
        yield from _unlikely(item, issue)
        if item.fields.starts is None:
            continue
        earlier = first.setdefault((normalized(item.fields.title), item.starts_at()), item)
        if earlier is not item:
            what = f"“{item.fields.title}” is in this issue twice, at the same time: also in {earlier.source.path}"
            yield warning(item.source.at("title"), what, "delete one of the two files, or correct `title` or `starts`")


def _unlikely(item: Item, issue: Issue) -> Iterator[Problem]:
    fields, sent = item.fields, issue.fields.date
    first, last, deadline = fields.first_day, fields.last_day, fields.deadline
    if first is None or last is None:
        return
    if deadline is not None and deadline.date > first:
        what = f"the deadline “{deadline.label} {deadline.date}” is after the event starts on {first}"
        yield error(item.source.at("deadline", "date"), what, "write an earlier `date` here, or correct `starts`")
    if first - sent > _FARTHEST:
        what = f"the event starts on {first}, {(first - sent).days // 365} years after the issue"
        yield error(item.source.at("starts"), what, "correct the year in `starts`, or the `date` of the issue")
    elif last - first > _LONGEST:
        what = f"the event lasts from {first} to {last}, more than a year"
        yield warning(item.source.at("ends"), what, "correct the year in `ends`")


@rule("E10", severity=Severity.WARNING, is_once=True)
def check_canceled_events(context: CheckContext) -> Iterable[Problem]:
    """Buttons of canceled events.

    An event with `status: canceled` must not have a button that invites people to it. The email shows that it is
    canceled, but many readers only see the button.
    """
    for item in items_of(context.subject.issue):
        if item.fields.status == "canceled" and item.fields.button is not None:
            what = f"“{item.fields.title}” is canceled, but has the button “{item.fields.button.label}”"
            remedy = "delete `button`, or write a `link` to the page that says what people can do now"
            yield warning(item.source.at("button"), what, remedy)


RULES = (check_clock_changes, check_event_dates, check_canceled_events)
