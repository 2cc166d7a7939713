"""Checks of how dates are written: in numbers, from the day of reading, or with another month than the issue's."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from newsletter.checks.base import CheckContext, Problem, remembered, rule, warning
from newsletter.checks.reading.event_words import event_words
from newsletter.checks.reading.typed_dates import DateWords, date_words
from newsletter.checks.rules.event_fields import items_of
from newsletter.language import dates as forms
from newsletter.language.clock import MONTHS
from newsletter.model.finding import Severity
from newsletter.model.issue import Issue

_YEAR = r"(?P<year>(?:19|20)\d\d|\d\d)"
_NUMBERS = (
    re.compile(rf"(?<![\w./:-])(?P<one>\d{{1,2}})(?P<mark>[/-])(?P<two>\d{{1,2}})(?P=mark){_YEAR}(?![\w/:-]|\.\d)"),
    re.compile(rf"(?<![\w./:-])(?P<one>\d{{1,2}})\.\s?(?P<two>\d{{1,2}})\.\s?{_YEAR}(?![\w/:-]|\.\d)"),
    re.compile(
        r"(?<![\w./:-])(?P<year>(?:19|20)\d\d)(?P<mark>[./-])(?P<one>\d{1,2})(?P=mark)(?P<two>\d{1,2})(?![\w/:-]|\.\d)"
    ),
    re.compile(r"(?<![\w./:-])(?P<year>20\d\d)(?P<one>0[1-9]|1[0-2])(?P<two>[0-3]\d)(?![\w/:-]|\.\d)"),
)
# A text without these signs has no such date.
_SIGN = re.compile(r"\d(?:[./-]\s?\d|\d{7}|st\b|nd\b|rd\b|th\b)")
# Without a year, two numbers are a date only after a word that says so.
_SHORT = re.compile(
    r"(?<!\w)(?:on|by|until|from|am|ab|bis|den|vom|le|du|au|el|al|del|il|dal|em|dia|op|tot|vanaf|den|till)\s"
    r"(?P<written>(?P<one>\d{1,2})(?:/(?P<two>\d{1,2})(?![\w/]|\.\d)|\.(?P<second>\d{1,2})\.(?!\d)))",
    re.IGNORECASE,
)
_DOTTED = frozenset({"de", "da", "fi", "nb", "no", "pl", "cs", "sk", "ru", "tr"})  # here 13.1. is a usual way to write
_ORDINAL = re.compile(
    r"(?<!\w)on (?:the )?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)\b(?! (?:of|century|floor|street|anniv))"
)
_YEAR_ALONE = re.compile(r"(?<![\d./-])(?:19|20)\d\d(?![\d/-]|\.\d)")
_NEAR_YEARS = 5
_NEAR_TURN = 10  # days around the turn of a month in which both months are fine in a subject


@rule("E6", severity=Severity.WARNING)
def check_written_dates(context: CheckContext) -> Iterable[Problem]:
    """Dates in numbers, or from the day of reading.

    Write dates with the name of the month, best with the weekday. 3/4/2026 is in March in America and in April in
    Europe. “Tomorrow” in the text of an event depends on when the email is read.
    """
    issue = context.subject.issue
    words, language = date_words(issue.language), issue.language.partition("-")[0]
    items = {item.source.path for item in items_of(issue)}
    for passage in context.sources.passages:
        told = _in_numbers(passage.whole, language, words, issue.fields.date.year)
        if passage.places[0].path in items and words is not None:
            told += _from_today(passage.whole, issue.language, words)
        for position, what in told:
            yield warning(passage.place_at(position), what, _remedy(passage.whole, position, issue))


@remembered
def _in_numbers(text: str, language: str, words: DateWords | None, year: int) -> Iterator[tuple[int, str]]:
    """Yield each date in numbers. Its year, if it has two digits, must be near that of the issue."""
    if not _SIGN.search(text):
        return
    for shape in _NUMBERS:
        for match in shape.finditer(text):
            before = text[max(match.start() - 20, 0) : match.start()]
            has_weekday = words is not None and words.any_weekday.search(before) is not None
            is_near = len(match["year"]) == 4 or abs(int(match["year"]) - year % 100) <= _NEAR_YEARS
            if _is_day(match["one"], match["two"]) and is_near and not (has_weekday and language in _DOTTED):
                yield match.start(), f"the date {match[0]} is in numbers, which not everyone reads the same way"
    for match in _SHORT.finditer(text):
        two = match["two"] or match["second"]
        if _is_day(match["one"], two) and not (match["second"] and language in _DOTTED):
            yield (
                match.start("written"),
                f"the date {match['written']} is in numbers, which not everyone reads the same way",
            )
    if language == "en":
        for match in _ORDINAL.finditer(text):
            yield match.start(), f"“{match[0]}” does not say in which month"


def _is_day(one: str, two: str) -> bool:
    """Return whether two numbers are a day and a month, in either order."""
    low, high = sorted((int(one), int(two)))
    return 1 <= low <= 12 and high <= 31


@remembered
def _from_today(text: str, language: str, words: DateWords) -> Iterator[tuple[int, str]]:
    pattern = event_words(language, tuple(words.weekdays), tuple(words.months)).relative
    for match in pattern.finditer(text):
        yield match.start(), f"“{match[0]}” depends on the day on which the email is read"


def _remedy(text: str, position: int, issue: Issue) -> str:
    """Return what to write, with the day that is meant if only one can be."""
    for shape in _NUMBERS:
        match = shape.match(text, position)
        if match is None:
            continue
        numbers, year = [int(match["one"]), int(match["two"])], int(match["year"])
        for month, day in ((numbers[0], numbers[1]), (numbers[1], numbers[0])):
            if month == day or (month <= 12 < day):
                try:
                    meant = date(year + 2000 * (year < 100), month, day)
                except ValueError:
                    return "this day does not exist; write the right one with the name of its month"
                return f"write “{forms.format_day(meant, issue.language)}”"
    return "write the weekday, the day and the name of the month"


@rule("E9", severity=Severity.WARNING)
def check_subject_dates(context: CheckContext) -> Iterable[Problem]:
    """Another month or year in the subject.

    A month or year in the subject, the preheader or the title must be that of the issue or of one of its events. The
    rest of last month's subject is the mistake that readers see first.
    """
    issue = context.subject.issue
    words = date_words(issue.language)
    if words is None:
        return
    fine = _fine_months(issue)
    for key in ("subject", "preheader", "title"):
        text = getattr(issue.fields, key)
        for what in _wrong_months(text, words, fine, issue):
            remedy = f"write the month and year of this issue, or correct its `date`, {issue.fields.date}"
            yield warning(issue.source.at(key), what, remedy)


def _fine_months(issue: Issue) -> set[tuple[int, int]]:
    """Return the years and months that a subject may name."""
    sent = issue.fields.date
    days = {sent, sent - timedelta(days=_NEAR_TURN), sent + timedelta(days=_NEAR_TURN)}
    for item in items_of(issue):
        first, last = item.fields.first_day, item.fields.last_day
        if first is not None and last is not None:
            days |= {first + timedelta(days=day) for day in range(0, min((last - first).days, 366) + 1, 7)} | {last}
        if item.fields.deadline is not None:
            days.add(item.fields.deadline.date)
    return {(day.year, day.month) for day in days}


def _wrong_months(text: str, words: DateWords, fine: set[tuple[int, int]], issue: Issue) -> Iterator[str]:
    sent = issue.fields.date
    own = f"{MONTHS[sent.month - 1]} {sent.year}"
    years = {year for year, _ in fine} | {sent.year - (sent.month <= 2), sent.year + (sent.month >= 10)}
    covered: set[int] = set()
    for match in _month_and_year(tuple(words.months)).finditer(text):
        covered.update(range(*match.span()))
        month = words.months[match["month"]] if match["month"] else int(match["number"])
        stated = match["first"] or match["year"]
        if match["month"] and not stated and _is_other_word(match["month"], text, match):
            continue
        if not any(each == month and (not stated or year == int(stated)) for year, each in fine):
            yield f"“{match[0].strip()}” is not the month of this issue, {own}"
    for match in _YEAR_ALONE.finditer(text):
        if match.start() not in covered and int(match[0]) not in years:
            yield f"“{match[0]}” is not the year of this issue, {sent.year}"


@lru_cache(maxsize=16)
def _month_and_year(months: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for a month, with a day and a year or without: `March`, `6 mars 2026`, `2026年3月`."""
    names = "|".join(re.escape(name) for name in sorted(months, key=len, reverse=True) if len(name) > 2) or "(?!)"
    day = r"(?:\d{1,2}(?:st|nd|rd|th)?,? )?"
    named = rf"(?<!\w)(?P<month>{names})\.?(?!\w)(?:(?:,? | de | d’){day}(?P<first>(?:19|20)\d\d))?"
    return re.compile(rf"{named}|(?:(?P<year>20\d\d)年\s?)?(?P<number>\d{{1,2}})[月월]")


def _is_other_word(name: str, text: str, match: re.Match[str]) -> bool:
    """Return whether the name of a month is probably another word, as in “You may rest” or “Avril writes”."""
    if name.casefold() not in {"may", "march", "mar", "mai", "sun", "dec", "set", "ago"}:
        return False
    around = text[max(match.start() - 4, 0) : match.start()] + text[match.end() : match.end() + 12]
    return not re.search(r"\b(?:in|of|im)\s|\d|news|letter|issue|edition|update", around, re.IGNORECASE)


RULES = (check_written_dates, check_subject_dates)
