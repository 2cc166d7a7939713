"""Check of the texts of events: the days, months and lengths in them must agree with the event's own keys."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from newsletter.checks.base import CheckContext, Problem, remembered, rule, warning
from newsletter.checks.reading.event_words import UNITS, EventWords, event_words
from newsletter.checks.reading.sources import Passage
from newsletter.checks.reading.typed_dates import (
    DateWords,
    TypedDate,
    clause_at,
    date_words,
    days_meant,
    sentence_at,
)
from newsletter.checks.rules.event_fields import items_of
from newsletter.language.clock import show_day
from newsletter.language.counts import count_of
from newsletter.model.finding import Severity
from newsletter.model.issue import Item, Occurrence

_CORRECT = "correct the text, or `starts` and `ends` in this file"
_LONGEST_SESSION = timedelta(hours=12)  # a longer time in hours is rarely the length of an event
_RECENTLY = timedelta(days=183)  # a day that lies farther back is hardly meant as one to come
_MONTH_IN_NUMBERS = re.compile(r"(?<!\d)(?P<number>\d{1,2})[月월](?!\s?\d)")
# Names of months that are also other words. They count only after a word such as “in”.
_OTHER_WORDS = frozenset({"may", "march", "mai", "mars", "marzo"})


class EventText(Struct, frozen=True, kw_only=True, eq=False):
    """A paragraph of an event's texts, and the words in which it is read. Instances are compared by identity."""

    passage: Passage
    item: Item
    first: date
    last: date
    times: tuple[Occurrence, ...]
    sent: date  # the date of the issue
    dates: DateWords
    words: EventWords

    @property
    def text(self) -> str:
        """The text of the passage."""
        return self.passage.whole

    @property
    def is_title(self) -> bool:
        """Whether it is the title or the subtitle, which are about nothing but the event."""
        place, source = self.passage.places[0], self.item.source
        return place in {source.at("title"), source.at("subtitle"), source.at("badge")}

    def problem(self, position: int, what: str, remedy: str = _CORRECT) -> Problem:
        """Return a warning at the line of a position in the text."""
        return warning(self.passage.place_at(position), what, remedy)


def event_texts(context: CheckContext) -> Iterator[EventText]:
    """Yield each paragraph of the texts of events that have a date, if the issue's language is known."""
    issue = context.subject.issue
    items = {item.source.path: item for item in items_of(issue)}
    for passage in context.sources.passages:
        item = items.get(passage.places[0].path)
        if item is not None and (text := _event_text(passage, item, issue.fields.date, issue.language)) is not None:
            yield text


@lru_cache(maxsize=8192)
def _event_text(passage: Passage, item: Item, sent: date, language: str) -> EventText | None:
    """Return a paragraph of an event with a date. If nothing has changed, it is the same object as before."""
    dates, first, last = date_words(language), item.fields.first_day, item.fields.last_day
    if dates is None or first is None or last is None:
        return None
    times = item.times()
    end = times[-1].ends if times else None
    return EventText(
        passage=passage,
        item=item,
        times=times,
        first=first,
        last=last if end is None else end.date(),
        sent=sent,
        dates=dates,
        words=event_words(language, tuple(dates.weekdays), tuple(dates.months)),
    )


@rule("E7", severity=Severity.WARNING)
def check_event_texts(context: CheckContext) -> Iterable[Problem]:
    """Event texts with another day, month or length.

    The text of an event must not name another day, month or length than its keys, nor a deadline that has passed.
    Readers cannot know which of the two is right. Sentences about deadlines, recordings, requirements and the past may
    name other days.

    No other text may invite readers to a day before the issue.
    """
    for text in event_texts(context):
        yield from _contradictions(text)
    issue = context.subject.issue
    items = {item.source.path for item in items_of(issue)}
    for passage in context.sources.passages:
        if passage.places[0].path not in items:
            yield from _invitations(passage, issue.fields.date, issue.language)


@remembered
def _contradictions(text: EventText) -> Iterator[Problem]:
    typed = list(text.dates.all_dates_in(text.text))
    yield from _days(text, typed)
    yield from _months(text, typed)
    yield from _weekdays(text, typed)
    yield from _lengths(text)


@remembered
def _invitations(passage: Passage, sent: date, language: str) -> Iterator[Problem]:
    """Yield days before the issue to which other texts still invite, or by which readers should do something."""
    dates = date_words(language)
    if dates is None:
        return
    words = event_words(language, tuple(dates.weekdays), tuple(dates.months))
    for typed in dates.all_dates_in(passage.whole):
        clause = clause_at(passage.whole, typed.position)
        sentence = sentence_at(passage.whole, typed.position)
        day = min(days_meant(typed, sent), key=lambda day: abs(day - sent), default=None)
        is_past = day is not None and timedelta() < sent - day < _RECENTLY
        is_asked = words.due.search(clause) or words.invite.search(sentence)
        if is_past and is_asked and typed.names_a_day and not words.past.search(sentence):
            what = f"“{typed.written}” is before the date of the issue, {show_day(sent)}"
            yield warning(passage.place_at(typed.position), what, "write a later day, or write about the past")


def _days(text: EventText, typed_dates: Iterable[TypedDate]) -> Iterator[Problem]:
    deadline = text.item.fields.deadline
    told: set[int] = set()
    for typed in (*text.dates.ends_of_ranges_in(text.text), *typed_dates):
        days = list(days_meant(typed, text.first))
        sentence = sentence_at(text.text, typed.position)
        is_right = any(text.first <= day <= text.last or (deadline and deadline.date == day) for day in days)
        is_told = typed.position in told
        if not days or is_right or is_told or not typed.names_a_day or text.words.past.search(sentence):
            continue
        day = min(days, key=lambda day: abs(day - text.first))
        if text.words.due.search(sentence):
            yield from _due(text, typed, day)
        elif not text.words.aside.search(_about(text, typed)) and _is_meant(text, typed, day, sentence):
            told |= {*typed.span}
            what = f"“{typed.written}” is not a day of this event, which {_when(text)}"
            yield text.problem(typed.position, what)


def _about(text: EventText, typed: TypedDate) -> str:
    """Return the words that may say that a day is not the event's: its sentence, or for 月 and 월 its clause."""
    around = clause_at if "月" in typed.written or "월" in typed.written else sentence_at
    return around(text.text, typed.position)


def _due(text: EventText, typed: TypedDate, day: date) -> Iterator[Problem]:
    if day < text.sent:
        what = f"“{typed.written}” is before the date of the issue, {show_day(text.sent)}"
        yield text.problem(typed.position, what, "write a later day, or delete the sentence")
    elif day > text.last and not text.words.aside.search(sentence_at(text.text, typed.position)):
        yield text.problem(typed.position, f"“{typed.written}” is after the event, which {_when(text)}")


def _is_meant(text: EventText, typed: TypedDate, day: date, sentence: str) -> bool:
    """Return whether a day is probably meant as a day of the event."""
    is_same_number = day.day in {text.first.day, text.last.day}
    is_invitation = typed.weekday is not None or text.words.starts.search(sentence) is not None
    return text.is_title or is_same_number or is_invitation


def _when(text: EventText) -> str:
    days = f"from {text.first} to {text.last}" if text.first != text.last else f"on {text.first}"
    return f"is {days}"


def _months(text: EventText, typed_dates: Iterable[TypedDate]) -> Iterator[Problem]:
    covered = {place for typed in typed_dates for place in typed.span}
    for match in (*text.words.month_alone.finditer(text.text), *_named_months(text)):
        found = match.groupdict()
        position = match.start("number" if "number" in found else "month")
        if position in covered or (found.get("year") and int(found["year"]) < text.first.year):
            continue
        month = int(found["number"]) if "number" in found else text.dates.months.get(found["month"])
        sentence = sentence_at(text.text, position)
        others = (text.words.past, text.words.due, text.words.aside)
        if month is None or month in _months_of(text) or any(each.search(sentence) for each in others):
            continue
        what = f"“{' '.join(match[0].split())}” is not a month of this event, which {_when(text)}"
        yield text.problem(position, what)


def _weekdays(text: EventText, typed_dates: Iterable[TypedDate]) -> Iterator[Problem]:
    """Yield weekdays without a date that are not the event's, in sentences about when it takes place."""
    days = {(text.first + timedelta(days=day)).weekday() for day in range(min((text.last - text.first).days, 6) + 1)}
    if text.item.fields.repeats == "weekly":
        days = {moment.weekday() for time in text.times for moment in time if moment} or {text.first.weekday()}
    covered = {place for typed in typed_dates for place in typed.span}
    for match in text.words.on_weekday.finditer(text.text):
        position, sentence = match.start("weekday"), sentence_at(text.text, match.start())
        others = (text.words.past, text.words.due, text.words.aside)
        if text.dates.weekdays[match["weekday"]] in days or position in covered:
            continue
        if text.words.starts.search(sentence) and not any(each.search(sentence) for each in others):
            yield text.problem(position, f"“{match['weekday']}” is not a weekday of this event, which {_when(text)}")


def _named_months(text: EventText) -> Iterator[re.Match[str]]:
    """Yield months without a day: in a title in any form, elsewhere only as numbers (`4月`)."""
    yield from _MONTH_IN_NUMBERS.finditer(text.text)
    if text.is_title:
        names = [name for name in text.dates.months if len(name) > 3 and name.casefold() not in _OTHER_WORDS]
        yield from re.finditer(rf"(?<!\w)(?P<month>{'|'.join(map(re.escape, names))})(?!\w)", text.text)


def _months_of(text: EventText) -> set[int]:
    days = (text.last - text.first).days
    return (
        {(text.first + timedelta(days=day)).month for day in range(0, days + 1, 1)} if days < 366 else {*range(1, 13)}
    )


def _lengths(text: EventText) -> Iterator[Problem]:
    told: set[str] = set()
    for match in text.words.lengths.finditer(text.text):
        unit = next(place for place in range(len(UNITS)) if match[f"u{place}"])
        number = _number(match, text.words)
        right = _right_lengths(text, unit)
        sentence = sentence_at(text.text, match.start())
        is_first = sentence not in told
        told.add(sentence)
        if match.groupdict().get("clock") or number is None or not right or number * UNITS[unit] in right:
            continue
        if any(each.search(sentence) for each in (text.words.past, text.words.due, text.words.aside, text.words.each)):
            continue
        length, longest = timedelta(minutes=number * UNITS[unit]), timedelta(minutes=max(right))
        is_longer = unit < 2 and longest < length <= _LONGEST_SESSION
        is_whole = match[0].strip() == sentence.strip(" .!\n")
        if text.is_title or is_longer or is_whole or (is_first and text.words.this.search(sentence)):
            what = f"“{match[0].strip()}” is not the length of this event, which takes {_shown(text, unit)}"
            yield text.problem(match.start(), what)


def _number(match: re.Match[str], words: EventWords) -> float | None:
    if match["number"]:
        return int(match["number"]) + 0.5 * bool(match["half"])
    return next((place for place, each in enumerate(words.numbers, start=1) if each.fullmatch(match["word"])), None)


def _right_lengths(text: EventText, unit: int) -> set[int]:
    """Return the lengths of the event, in minutes, that a number of these units may state. There may be none.

    Retreats count their days or their nights, and courses their weeks or what is between the first and the last.
    """
    if unit < 2:
        length = text.times[0].length if text.times else timedelta()
        return {round(length / timedelta(minutes=1))} if timedelta() < length <= timedelta(days=1) else set()
    days = (text.last - text.first).days
    if text.item.fields.repeats == "weekly":
        weeks = days // 7
        return {UNITS[3] * (weeks + 1), UNITS[3] * weeks} if unit == 3 and weeks else set()
    return {UNITS[2] * (days + 1), UNITS[2] * max(days, 1)} if unit == 2 else set()


def _shown(text: EventText, unit: int) -> str:
    if unit < 2:
        minutes = round(text.times[0].length / timedelta(minutes=1))
        hours, rest = divmod(minutes, 60)
        parts = [count_of(hours, "hour")] * bool(hours) + [count_of(rest, "minute")] * bool(rest)
        return " ".join(parts)
    days = (text.last - text.first).days
    return count_of(days // 7 + 1, "week") if unit == 3 else count_of(days + 1, "day")


RULES = (check_event_texts,)
