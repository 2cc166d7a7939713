"""Check of the texts of events: the times of day and time zones in them must agree with the event's own keys."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from newsletter.checks.base import CheckContext, Problem, remembered, rule
from newsletter.checks.reading.typed_dates import clause_at, sentence_at
from newsletter.checks.rules.event_texts import EventText, event_texts
from newsletter.language.clock import say_clock
from newsletter.language.words import locale_of
from newsletter.language.zone_labels import city_of, zone_label
from newsletter.model.finding import Severity

# The names of time zones that people write after a time of day, each with a zone that has it. IST, for example, is left
# out, because it is used in India, Ireland and Israel.
_ZONES = {
    **dict.fromkeys(("PT", "PST", "PDT", "Pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("MT", "MDT", "Mountain"), "America/Denver"),
    **dict.fromkeys(("CT", "CDT", "Central"), "America/Chicago"),
    **dict.fromkeys(("ET", "EST", "EDT", "Eastern"), "America/New_York"),
    **dict.fromkeys(("CET", "CEST", "MEZ", "MESZ", "HEC", "HAEC"), "Europe/Paris"),
    **dict.fromkeys(("UTC", "GMT", "Z"), "UTC"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    "BST": "Europe/London",
    "JST": "Asia/Tokyo",
    "BRT": "America/Sao_Paulo",
}
_NAMED = rf"(?:{'|'.join(sorted(_ZONES, key=len, reverse=True))})(?!\w)"
_HALVES = {
    **dict.fromkeys(("a", "午前", "上午", "早上", "오전", "아침", "ص"), 0),
    **dict.fromkeys(("p", "午後", "下午", "晚上", "오후", "저녁", "밤", "م"), 12),
}
# HOUR and MINUTE are replaced. A bare number is a time of day only beside a word that says so.
_SHAPES = (
    r"(?<![\d:.,/])HOUR(?:[:.]MINUTE)?\s?(?P<half>[apAP])\.?\s?[mM]\b\.?",  # 8 am, 8:00 p.m.
    r"(?<![\d:.,/])HOUR(?:[:.]MINUTE)?\s?Uhr\b",
    r"(?<![\d:.,/\w])HOUR\s?h(?:\s?MINUTE)?(?!\w)",  # 20 h 30, 20h30
    r"(?<!\w)(?i:kl\.?|om|vanaf|alle(?: ore)?|ore|às|a las?|בשעה|الساعة)\s?HOUR(?:[:.]MINUTE)?(?![\d:.,]\d|\w)",
    r"(?P<half>午前|午後|上午|下午|早上|晚上)?HOUR(?:時|点)(?!間)(?:MINUTE分|(?P<thirty>半))?",
    r"(?P<half>오전|아침|오후|저녁|밤)?\s?(?<!\d)HOUR시(?!간)(?:\s?MINUTE분|\s?(?P<thirty>반))?",  # 오후 3시 30분
    r"(?<![\d:.,/–-])HOUR:MINUTE(?![:\d%]|\.\d)(?:\s?(?P<half>[صم])(?!\w))?",
    r"(?<=:[0-5]\d[–-])HOUR:MINUTE(?![:\d%]|\.\d)",  # the end of 9:00–12:00
)
_NAMED_CLOCKS = {
    **dict.fromkeys(("noon", "midi", "mezzogiorno", "mediodía", "meio-dia", "正午", "정오"), 12),
    **dict.fromkeys(("midnight", "mitternacht", "minuit", "mezzanotte", "medianoche", "meia-noite", "자정"), 0),
}
_HOUR, _MINUTE = r"(?P<hour>[01]?\d|2[0-4])", r"(?P<minute>[0-5]\d)"
_CLOCKS = (
    *(re.compile(shape.replace("HOUR", _HOUR).replace("MINUTE", _MINUTE)) for shape in _SHAPES),
    re.compile(rf"(?<!\w)(?P<named>{'|'.join(_NAMED_CLOCKS)})(?!\w)", re.IGNORECASE),
)
_BEFORE = timedelta(hours=1)  # people arrive, and trains leave, before an event
_AFTER = re.compile(rf"\s?\(?(?:(?P<name>{_NAMED})(?:[ -]?(?:Standard |Daylight )?[Tt]ime)?(?P<offset>[+−-]\d\d?)?)")
_UNKNOWN_AFTER = re.compile(r"\s?\(?(?:[A-Z]{2,5}(?![\w])|[A-Z]\w+(?: [A-Z]\w+)? [Tt]ime\b)")
_TIME_WORDS = r"[Tt]ime|Zeit|hora|heure|ora|tijd|tid|時間|时间|시간|توقيت|שעון"
_TIME_WORD, _DIGIT = re.compile(_TIME_WORDS, re.IGNORECASE), re.compile(r"\d")
_ZONE_ALONE = re.compile(
    rf"(?<!\w)(?:US )?(?P<long>Pacific|Mountain|Central|Eastern) (?:Standard |Daylight )?[Tt]ime"
    rf"|(?i:{_TIME_WORDS})s?\b[^.!?\n]{{0,20}}?(?<!\w)(?P<name>{_NAMED})(?! ?[+−-]\d)"
)


class _Clock(Struct, frozen=True, kw_only=True):
    """A time of day in a text: the times that it may mean, and the zone if the text names one that is known."""

    written: str
    position: int
    times: tuple[time, ...]
    zone: tzinfo | None
    is_known: bool  # False if the text names a zone that is not known here


@rule("E8", severity=Severity.WARNING)
def check_event_clocks(context: CheckContext) -> Iterable[Problem]:
    """Event texts with another time.

    A time of day or a time zone in the text of an event must agree with its keys. If the text says 9 am and the line
    above it 8 am, half of your readers come late. Times between the start and the end may be part of a program.
    """
    for text in event_texts(context):
        if text.times:
            yield from _contradictions(text, context.subject.issue.language)


@remembered
def _contradictions(text: EventText, language: str) -> Iterator[Problem]:
    clocks = list(_clocks(text, language))
    yield from _times(text, clocks)
    yield from _zones(text, clocks, language)


def _clocks(text: EventText, language: str) -> Iterator[_Clock]:
    taken: set[int] = set()
    for shape in _CLOCKS if _DIGIT.search(text.text) else _CLOCKS[-1:]:
        for match in shape.finditer(text.text):
            span = {*range(*match.span())}
            if span & taken:
                continue
            taken |= span
            yield _clock(match, text.text, language)


def _clock(match: re.Match[str], text: str, language: str) -> _Clock:
    found = match.groupdict()
    named = found.get("named")
    hour, half = int(found.get("hour") or _NAMED_CLOCKS[str(named).lower()]) % 24, found.get("half")
    minute = int(found.get("minute") or (30 if found.get("thirty") else 0))
    if half:
        hours = {hour % 12 + _HALVES[half.lower()]}
    else:
        # Without its half, an hour up to twelve may be of either, but not “9 Uhr” or “noon”.
        hours = {hour} if hour > 12 or named or "Uhr" in match[0] else {hour, hour + 12}
    after = _AFTER.match(text, match.end())
    city = None if after else _city_after(_cities_in(text, language)).match(text, match.end())
    zone: tzinfo | None = None
    if after is not None:
        zone = ZoneInfo(_ZONES[after["name"]])
    elif city is not None:
        zone, after = ZoneInfo(_cities(language)[city["city"] or city["other"] or city["place"]]), city
    return _Clock(
        written=f"{match[0].strip()}{after[0] if after else ''}".strip(),
        position=match.start(),
        times=tuple(time(each % 24, minute) for each in sorted(hours)),
        zone=zone,
        is_known=(after is not None and not after.groupdict().get("offset"))
        or _UNKNOWN_AFTER.match(text, match.end()) is None,
    )


def _times(text: EventText, clocks: Sequence[_Clock]) -> Iterator[Problem]:
    """Yield the first time of each sentence that does not agree."""
    told: set[str] = set()
    clauses = [clause_at(text.text, clock.position) for clock in clocks]
    times_in = Counter(clauses)
    for clock, clause in zip(clocks, clauses, strict=True):
        sentence = sentence_at(text.text, clock.position)
        is_alone = times_in[clause] == 1
        # Of two times, the words for “until” only say that they are a range.
        others = (text.words.aside, *([text.words.due] if is_alone else []))
        if not clock.is_known or text.words.past.search(sentence) or any(each.search(clause) for each in others):
            continue
        says_start = is_alone and text.words.starts.search(clause) is not None
        if sentence in told or _agrees(text, clock, at_start=says_start):
            continue
        told.add(sentence)
        starts, ends = text.times[0]
        when = f"{say_clock(starts)}{f' to {say_clock(ends)}' if ends else ''} in {text.item.zone.key}"
        what = f"“{clock.written}” does not agree with the times of this event, {when}"
        yield text.problem(clock.position, what)


def _agrees(text: EventText, clock: _Clock, *, at_start: bool) -> bool:
    """Return whether one of the times that a text may mean is in the event, or, with `at_start`, is its start.

    Without an end, an event only has a start, which a text must not contradict when it speaks of the start.
    """
    for occurrence in text.times:
        starts, ends = occurrence
        if ends is None and not at_start and clock.zone is None:
            return True
        last = starts if at_start or ends is None else ends
        for off in (-1, 0, 1):
            day = starts.date() + timedelta(days=off)
            zone = clock.zone or text.item.zone
            moments = [datetime.combine(day, each, zone).astimezone(UTC) for each in clock.times]
            first = starts.astimezone(UTC) - (timedelta() if at_start or clock.zone else _BEFORE)
            if any(first <= moment <= last.astimezone(UTC) for moment in moments):
                return True
    return False


def _zones(text: EventText, clocks: Iterable[_Clock], language: str) -> Iterator[Problem]:
    """Yield zones that stand alone, such as “All times are Eastern Time” or “Berlin time”, and are not the event's."""
    if not _TIME_WORD.search(text.text):
        return
    covered = {position for clock in clocks if clock.zone for position in range(clock.position, clock.position + 30)}
    locale = locale_of(language)
    named = [(match, _ZONES[match["long"] or match["name"]]) for match in _ZONE_ALONE.finditer(text.text)]
    cities = _cities(language)
    named += [
        (match, cities[match["city"] or match["place"]])
        for match in _city_times(_cities_in(text.text, language)).finditer(text.text)
    ]
    for match, name in named:
        starts, zone = text.times[0].starts, ZoneInfo(name)
        if match.start() in covered or starts.astimezone(zone).utcoffset() == starts.utcoffset() or locale is None:
            continue
        label = zone_label(text.item.zone, [starts], locale)
        what = f"“{match[0].strip()}” is not the time zone of this event, {text.item.zone.key} ({label})"
        yield text.problem(match.start(), what, "correct the text, or `timezone` in this file")


@lru_cache(maxsize=16)
def _cities(language: str) -> Mapping[str, str]:
    """Return the cities of time zones as a language spells them."""
    locale = locale_of(language)
    return {} if locale is None else city_of(locale)


@lru_cache(maxsize=64)  # asked for each time of day in the text
def _cities_in(text: str, language: str) -> tuple[str, ...]:
    """Return the cities in a text, the longest first. A pattern for all of them takes ten milliseconds to compile."""
    return tuple(sorted((name for name in _cities(language) if name in text), key=len, reverse=True))


@lru_cache(maxsize=256)
def _city_after(cities: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for the city after a time of day: “(Berlin)”, “(Dublin time)”, “Lisbon time”, “in London”."""
    names = "|".join(map(re.escape, cities)) or "(?!)"
    own = rf"\((?P<city>{names})[^)]*\)|(?:in )?(?!\()(?P<other>{names})[ -]time"
    return re.compile(rf"\s?(?:{own}|(?:in|en|em|à|a|i|w) (?P<place>{names})(?![\w-]))")


@lru_cache(maxsize=256)
def _city_times(cities: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for the time of a city: “Berlin time”, “hora de Madrid”, „Berliner Zeit“, 東京時間."""
    names = "|".join(map(re.escape, cities)) or "(?!)"
    after = rf"(?P<city>{names})(?:er|s)?[ -]?(?:time|Zeit|tijd|tid|時間|时间|시간)(?!\w)"
    before = rf"(?<!\w)(?i:hora|heure|ora|توقيت|שעון)\s(?:de |di |d’|d'|em |ב)?(?P<place>{names})(?!\w)"
    return re.compile(f"{after}|{before}")


RULES = (check_event_clocks,)
