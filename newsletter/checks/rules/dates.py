"""Checks of dates: no past events, and no typed dates that disagree with the calendar.

The program writes an event's dates from its fields, so these cannot disagree. Dates typed into titles and text can.
They are found by each language's names of days and months (CLDR). A date that can be read in two ways is not reported:
a date without a year is wrong only if it is wrong in every year that it may mean.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from newsletter.checks.base import CheckContext, Problem, Subject, error, rule
from newsletter.checks.reading.sources import SourceText
from newsletter.language import words
from newsletter.language.clock import WEEKDAYS, show_day, show_minute
from newsletter.language.counts import people_of
from newsletter.model.finding import Place
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
_GAP = r"[ \t\u00a0\u202f]*\n?[ \t\u00a0\u202f]*"
_BEFORE = rf"(?:,|\.|،)?{_GAP}(?:(?:{'|'.join(words.BEFORE_A_DATE)})\b{_GAP})?"  # between the weekday and the rest
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|°|\.)?(?!\d|[.:/]\d)"
_OF = rf"{_GAP}(?:(?:{'|'.join(words.OF_A_MONTH)}){_GAP}|{words.OF_A_MONTH_JOINED})?"
_YEAR = rf"(?:,?{_GAP}(?:de{_GAP})?(?P<year>(?:19|20)\d\d)(?!\d))?"
# WEEKDAY, WHOLE (a weekday written in full) and MONTH are replaced by the names in one language.
_SHAPES = (
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<month>MONTH)\.?(?!\w){_GAP}{_DAY}{_YEAR}",  # Friday, March 6, 2026
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}{_DAY}{_OF}(?P<month>MONTH)(?!\w)\.?{_YEAR}",  # Freitag, 6. März 2026
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)-(?P<day>\d\d)(?!\d)",
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<day>\d{{1,2}})\.{_GAP}(?P<number>\d{{1,2}})\.(?P<year>20\d\d)?(?!\d)",
    r"(?:(?P<year>20\d\d)[年년]\s?)?(?P<number>\d{1,2})[月월]\s?(?P<day>\d{1,2})[日일号]"
    r"(?:\s?[（(](?P<weekday>WEEKDAY)[)）]|\s?(?P<whole>WHOLE))",  # 2月26日（木）
)
_SHOWN_ZONES = 3
_NEIGHBORHOOD = 20  # characters before a weekday; another weekday in them means a range or a choice


class _Paragraph(Struct, frozen=True, kw_only=True):
    """A paragraph of text, with the place of each of its lines."""

    text: str
    places: tuple[Place, ...]

    def place_at(self, position: int) -> Place:
        return self.places[self.text.count("\n", 0, position)]


class TypedDate(Struct, frozen=True, kw_only=True):
    """A weekday and a date as the user typed them."""

    written: str
    position: int
    weekday: int  # from 0 for Monday
    month: int
    day: int
    year: int | None


class DateWords(Struct, frozen=True, kw_only=True):
    """A language's names of days and months, in every form in which people type them."""

    weekdays: Mapping[str, int]  # from 0 for Monday
    months: Mapping[str, int]
    shapes: tuple[re.Pattern[str], ...]
    any_weekday: re.Pattern[str]

    def dates_in(self, text: str) -> Iterator[TypedDate]:
        """Yield every date that has a weekday, except those that name several weekdays."""
        if not self.any_weekday.search(text):
            return
        for shape in self.shapes:
            for match in shape.finditer(text):
                found = match.groupdict()
                before = text[max(match.start() - _NEIGHBORHOOD, 0) : match.start()]
                if self.any_weekday.search(before):
                    continue
                month = self.months[found["month"]] if "month" in found else int(found["number"])
                yield TypedDate(
                    written=" ".join(match[0].split()),
                    position=match.start(),
                    weekday=self.weekdays[found.get("weekday") or found["whole"]],
                    month=month,
                    day=int(found["day"]),
                    year=int(found["year"]) if found["year"] else None,
                )


@rule("E1")
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
    for paragraph in _paragraphs(context.sources.texts):
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
    """Return the date that dates in the text are likely to be near: the first day of the event, or the issue's date."""
    starts = None if item is None else item.starts_at()
    return issue.fields.date if starts is None else starts.date()


def _weekdays(paragraph: _Paragraph, words: DateWords, *, near: date) -> Iterator[Problem]:
    for typed in words.dates_in(paragraph.text):
        place = paragraph.place_at(typed.position)
        days = list(_days_meant(typed, near))
        if not days:
            yield error(place, f"“{typed.written}” does not exist in the calendar", "write a day that exists")
            continue
        is_sure = typed.year is not None
        plausible = [day for day in days if is_sure or near - _LOOKED_BACK <= day <= near + _LOOKED_AHEAD]
        if plausible and all(day.weekday() != typed.weekday for day in plausible):
            day = min(plausible, key=lambda day: abs(day - near))
            what = f"“{typed.written}” is wrong: in {day.year} that day is a {WEEKDAYS[day.weekday()]}"
            yield error(place, what, f"write {WEEKDAYS[day.weekday()]} in your language, or use another date")


def _days_meant(typed: TypedDate, near: date) -> Iterator[date]:
    """Yield every day that a date may mean, in the year that it names or else in the three nearest years."""
    years = (near.year - 1, near.year, near.year + 1) if typed.year is None else (typed.year,)
    for year in years:
        try:
            yield date(year, typed.month, typed.day)
        except ValueError:  # February 30, or February 29 in most years
            continue


def _zones(paragraph: _Paragraph, item: Item) -> Iterator[Problem]:
    starts, ends = item.starts_at(), item.ends_at()
    if starts is None or ends is None:
        return
    for match in CLOCK_WITH_ZONE.finditer(paragraph.text):
        names = _right_names(match["zone"], item.zone, (starts, ends))
        if names and match["zone"] not in names:
            what = f"“{' '.join(match[0].split())}” is wrong: on {show_day(starts)} the time zone there is {names[0]}"
            remedy = f"write {names[0]}, or delete the zone, since the email shows `starts` with its time zone anyway"
            yield error(paragraph.place_at(match.start()), what, remedy)


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


@lru_cache(maxsize=16)
def date_words(language: str) -> DateWords | None:
    """Return the names of days and months in a language, or None if they are not known."""
    locale = words.locale_of(language)
    if locale is None:
        return None
    weekdays, months = words.typed_forms(locale.days["format"]), words.typed_forms(locale.months["format"])
    whole = words.typed_forms(locale.days["format"], "wide")
    names = {"WEEKDAY": _one_of(weekdays), "MONTH": _one_of(months), "WHOLE": _one_of(whole)}
    return DateWords(
        weekdays=weekdays,
        months=months,
        shapes=tuple(_compiled(shape, names) for shape in _SHAPES),
        any_weekday=re.compile(_one_of(weekdays)),
    )


def _compiled(shape: str, names: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + re.sub("WEEKDAY|MONTH|WHOLE", lambda place: names[place[0]], shape))


def _one_of(names: Iterable[str]) -> str:
    """Return a pattern that matches any of the names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


RULES = (check_dates, check_typed_dates)
