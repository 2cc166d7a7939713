"""Weekdays, dates and zones that somebody typed, held against the calendar.

The program makes those of an event from its fields, so they cannot be wrong; those in titles and in prose can. What can
be read in two ways is never told: a date without a year is wrong only if it is so in each year that may be meant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.checks.base import Evidence, Fault, error
from newsletter.checks.reading.date_words import CLOCK_WITH_ZONE, DateWords, TypedDate, date_words
from newsletter.checks.reading.sources import SourceText
from newsletter.language.clock import WEEKDAYS, show_day
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, Item

_LOOKED_BACK, _LOOKED_AHEAD = timedelta(days=183), timedelta(days=300)
# Short names that say which half of the year is meant, with a place that keeps both halves. GMT, MST, CST and others
# are not among them: somewhere they hold all year round, or mean another part of the world.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paragraph:
    """A text as a whole, and the place of each of its lines."""

    text: str
    places: tuple[Place, ...]

    def place_at(self, position: int) -> Place:
        return self.places[self.text.count("\n", 0, position)]


def check_typed_dates(evidence: Evidence) -> Iterable[Fault]:
    """No typed weekday is another than that of its date, and no typed zone one of the other half of the year."""
    issue = evidence.subject.issue
    words = date_words(issue.language)
    items = {item.source.path: item for section in issue.sections for item in section.items}
    for paragraph in _paragraphs(evidence.sources.texts):
        item = items.get(paragraph.places[0].path)
        if words is not None:
            yield from _weekdays(paragraph, words, near=_date_of(item, issue))
        if item is not None:
            yield from _zones(paragraph, item)


def _paragraphs(texts: Iterable[SourceText]) -> Iterator[_Paragraph]:
    lines: list[SourceText] = []
    for text in texts:
        lines.append(text)
        if not text.goes_on:
            yield _Paragraph(text="\n".join(line.text for line in lines), places=tuple(line.place for line in lines))
            lines = []


def _date_of(item: Item | None, issue: Issue) -> date:
    """The date that others in a text are near to: the event's first, or the issue's own."""
    starts = None if item is None else item.starts_at()
    return issue.fields.date if starts is None else starts.date()


def _weekdays(paragraph: _Paragraph, words: DateWords, *, near: date) -> Iterator[Fault]:
    for typed in words.dates_in(paragraph.text):
        place, remedy = paragraph.place_at(typed.position), "correct the weekday or the date"
        days = list(_days_meant(typed, near))
        if not days:
            yield error(place, f"“{typed.written}” cannot be right: there is no such day", remedy)
            continue
        plausible = [
            day for day in days if near - _LOOKED_BACK <= day <= near + _LOOKED_AHEAD or typed.year is not None
        ]
        if plausible and all(day.weekday() != typed.weekday for day in plausible):
            day = min(plausible, key=lambda day: abs(day - near))
            what = f"“{typed.written}” cannot be right: in {day.year} that day is a {WEEKDAYS[day.weekday()]}"
            yield error(place, what, remedy)


def _days_meant(typed: TypedDate, near: date) -> Iterator[date]:
    """Every day that a date may mean, in the year that it names or in those around."""
    years = (near.year - 1, near.year, near.year + 1) if typed.year is None else (typed.year,)
    for year in years:
        try:
            yield date(year, typed.month, typed.day)
        except ValueError:  # 30 February, or 29 in most years
            continue


def _zones(paragraph: _Paragraph, item: Item) -> Iterator[Fault]:
    starts, ends = item.starts_at(), item.ends_at()
    if starts is None or ends is None:
        return
    for match in CLOCK_WITH_ZONE.finditer(paragraph.text):
        names = _right_names(match["zone"], item.zone, (starts, ends))
        if names and match["zone"] not in names:
            what = f"“{' '.join(match[0].split())}” cannot be right: on {show_day(starts)} it is {names[0]} there"
            remedy = "leave time and zone out, since they are shown from `starts` and `timezone`, or correct them"
            yield error(paragraph.place_at(match.start()), what, remedy)


def _right_names(said: str, zone: ZoneInfo, moments: Iterable[datetime]) -> list[str]:
    """What the zone of a short name is called at these moments; none where it is not clear which zone is meant."""
    of_year = {datetime(2026, month, 1, tzinfo=zone).tzname() for month in (1, 7)}
    if said in of_year:
        return [str(moment.astimezone(zone).tzname()) for moment in moments]
    place = _WINTER.get(said) or _SUMMER.get(said)
    if place is None:
        return []
    in_summer = {bool(moment.astimezone(ZoneInfo(place)).dst()) for moment in moments}
    same_place = [*(_SUMMER if is_summer else _WINTER for is_summer in in_summer)]
    return [name for names in same_place for name, where in names.items() if where == place] or [f"not {said}"]
