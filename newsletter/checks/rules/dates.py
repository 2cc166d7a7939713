"""Checks of dates: no past events, and no typed dates that disagree with the calendar.

The program writes an event's dates from its fields, so these cannot disagree. Dates typed into titles and text can.
They are found by each language's names of days and months (CLDR). A date that can be read in two ways is not reported:
a date without a year is wrong only if it is wrong in every year that it may mean.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.checks.base import CheckContext, Problem, Subject, error, remembered, rule
from newsletter.checks.reading.sources import Passage
from newsletter.checks.reading.typed_dates import DateWords, date_words, days_meant
from newsletter.language import words
from newsletter.language.clock import WEEKDAYS, show_day, show_minute
from newsletter.language.counts import people_of
from newsletter.model.issue import Issue, Item

_LOOKED_BACK, _LOOKED_AHEAD = timedelta(days=183), timedelta(days=300)
# Abbreviations that tell standard time from summer time, each with a time zone that uses both. GMT, MST, CST and others
# are left out, because they are used all year round in some places, or have another meaning elsewhere in the world.
_WINTER = {"PST": "America/Los_Angeles", "EST": "America/New_York", "CET": "Europe/Berlin", "MEZ": "Europe/Berlin"}
_SUMMER = {
    "PDT": "America/Los_Angeles",
    "MDT": "America/Denver",
    "CDT": "America/Chicago",
    "EDT": "America/New_York",
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "MESZ": "Europe/Berlin",
    "AEDT": "Australia/Sydney",
}

# A clock time followed by the abbreviation of a time zone in capitals.
CLOCK_WITH_ZONE = re.compile(
    rf"(?<![\d:.])\d{{1,2}}(?:[:.]\d\d)?\s?(?:(?i:{'|'.join(map(re.escape, words.BESIDE_A_CLOCK))})\s?)?"
    r"\(?(?P<zone>[A-Z]{3,4})(?!\w)"
)
_SHOWN_ZONES = 3


@rule("E1", is_once=True)
def check_dates(context: CheckContext) -> Iterable[Problem]:
    """Past events or deadlines.

    When the email is sent, no event may be over, and no deadline may have passed. Readers remember an invitation to an
    event that was already over. If the email is sent at each subscriber's local time, the last time counts.
    """
    for section in context.subject.issue.sections:
        for item in section.items:
            yield from _dates_of(item, context.subject)


def _dates_of(item: Item, subject: Subject) -> Iterator[Problem]:
    ends, deadline, at = item.ends_at(), item.deadline_at(), subject.at
    if ends is not None and ends <= at:
        last = item.fields.starts if item.fields.ends is None else item.fields.ends
        over = show_minute(last) if isinstance(last, datetime) else last
        delivery = _delivery(subject, after=ends, zone=item.zone)
        what = f"“{item.fields.title}” ends on {over}, before the email is sent {delivery}"
        place = item.source.at("starts" if item.fields.ends is None else "ends")
        yield error(place, what, f"correct `starts` and `ends` in this file, or delete {place.path}")
    elif item.fields.deadline is not None and deadline is not None and deadline <= at:
        deadline_text = f"{item.fields.deadline.label} {item.fields.deadline.date}"
        delivery = _delivery(subject, after=deadline, zone=item.zone)
        what = f"the deadline “{deadline_text}” will have passed by the time the email is sent {delivery}"
        yield error(
            item.source.at("deadline", "date"),
            what,
            "write a later `date` here, or delete `deadline` and the lines below it",
        )


def _delivery(subject: Subject, *, after: datetime, zone: ZoneInfo) -> str:
    """Return when the email arrives too late, as a time in a zone, and to whom if that differs by time zone."""
    shown = f"on {show_minute(subject.at.astimezone(zone))}"
    late = [arrival for arrival in subject.arrivals if arrival.due_at >= after]
    if not late:
        return shown
    late.sort(key=lambda arrival: (-arrival.deliveries, arrival.zone))
    names = [arrival.zone for arrival in late[:_SHOWN_ZONES]]
    if more := len(late) - len(names):
        names.append(f"{more:,} more time zones" if more > 1 else "1 more time zone")
    listed = " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])
    return f"to {people_of(sum(arrival.deliveries for arrival in late))} in {listed}, the last of them {shown}"


@rule("E2")
def check_typed_dates(context: CheckContext) -> Iterable[Problem]:
    """Wrong weekdays, dates or time zones.

    Dates that you type into a title or text are compared with the calendar and the event's time zone. If February 26
    is a Thursday, “Wednesday, February 26” brings half of your readers on the wrong day.

    A typed time zone is wrong if it belongs to the other half of the year, for example PST in July.
    """
    issue = context.subject.issue
    words = date_words(issue.language)
    items = {item.source.path: item for section in issue.sections for item in section.items}
    for passage in context.sources.passages:
        item = items.get(passage.places[0].path)
        if words is not None:
            yield from _weekdays(passage, words, _date_of(item, issue))
        if item is not None:
            yield from _zones(passage, item)


def _date_of(item: Item | None, issue: Issue) -> date:
    """Return the date that dates in the text are likely to be near: the first day of the event, or the issue's date."""
    starts = None if item is None else item.starts_at()
    return issue.fields.date if starts is None else starts.date()


@remembered
def _weekdays(passage: Passage, words: DateWords, near: date) -> Iterator[Problem]:
    for typed in words.all_dates_in(passage.whole):
        place = passage.place_at(typed.position)
        days = list(days_meant(typed, near))
        if not days and typed.names_a_day:
            yield error(place, f"“{typed.written}” does not exist in the calendar", "write a day that exists")
        if not days or typed.weekday is None:
            continue
        is_sure = typed.year is not None
        plausible = [day for day in days if is_sure or near - _LOOKED_BACK <= day <= near + _LOOKED_AHEAD]
        if plausible and all(day.weekday() != typed.weekday for day in plausible):
            day = min(plausible, key=lambda day: abs(day - near))
            what = f"“{typed.written}” is wrong: in {day.year} that day is a {WEEKDAYS[day.weekday()]}"
            yield error(place, what, f"write {WEEKDAYS[day.weekday()]} in your language, or use another date")


@remembered
def _zones(passage: Passage, item: Item) -> Iterator[Problem]:
    starts, ends = item.starts_at(), item.ends_at()
    if starts is None or ends is None:
        return
    for match in CLOCK_WITH_ZONE.finditer(passage.whole):
        names = _right_names(match["zone"], item.zone, (starts, ends))
        if names and match["zone"] not in names:
            what = f"“{' '.join(match[0].split())}” is wrong: on {show_day(starts)} the time zone there is {names[0]}"
            remedy = f"write {names[0]}, or delete the zone, since the email shows `starts` with its time zone anyway"
            yield error(passage.place_at(match.start()), what, remedy)


def _right_names(said: str, zone: ZoneInfo, moments: Iterable[datetime]) -> list[str]:
    """Return the right abbreviations of a time zone at these times, or an empty list if `said` is ambiguous."""
    of_year = {datetime(2026, month, 1, tzinfo=zone).tzname() for month in (1, 7)}
    if said in of_year:
        return [str(moment.astimezone(zone).tzname()) for moment in moments]
    place = _WINTER.get(said) or _SUMMER.get(said)
    if place is None:
        return []
    in_summer = {bool(moment.astimezone(ZoneInfo(place)).dst()) for moment in moments}
    same_place = [*(_SUMMER if is_summer else _WINTER for is_summer in in_summer)]
    return [name for names in same_place for name, where in names.items() if where == place] or [f"not {said}"]


RULES = (check_dates, check_typed_dates)
