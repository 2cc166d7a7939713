"""Dates as people type them into texts, found by a language's names of days and months (CLDR)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache

from msgspec import Struct

from newsletter.language import words

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
# The same without a weekday; a number that goes on, such as in “March 5.30 pm”, is not a day.
_BARE_SHAPES = (
    rf"(?P<month>MONTH)\.?(?!\w){_GAP}{_DAY}{_YEAR}",  # March 6, 2026
    rf"(?<![.:/\d–-]){_DAY}{_OF}(?P<month>MONTH)(?!\w)\.?{_YEAR}",  # 6. März 2026
    r"(?:(?P<year>20\d\d)[年년]\s?)?(?P<number>\d{1,2})[月월]\s?(?P<day>\d{1,2})[日일号]",  # 2月26日
)
_TO = r"\s?(?:[-–—~〜～]|to|through|until|till|bis|t/m|tot|al|au|ao|a|do)\s?"
# The days of several in one month: “March 7 to 9”, “7.–9. März”, 3月7日〜9日
_RANGES = (
    rf"(?P<month>MONTH)\.?(?!\w){_GAP}(?P<first>\d{{1,2}})(?:st|nd|rd|th)?{_TO}{_DAY}(?!\s?(?:[ap]\.?m\b|h\b|%)){_YEAR}",
    rf"(?<![.:/\d–-])(?P<first>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?{_TO}{_DAY}{_OF}(?P<month>MONTH)(?!\w)\.?{_YEAR}",
    r"(?:(?P<year>20\d\d)[年년]\s?)?(?P<number>\d{1,2})[月월]\s?(?P<first>\d{1,2})[日일号]?\s?[-–—~〜～]\s?(?P<day>\d{1,2})[日일号]",
)
_DIGIT = re.compile(r"\d")
_LAST_DAY = 39  # a number after a month that is higher was hardly meant as a day
_COUNTED = re.compile(
    r"\s+(?!(?:at|to|from|and|is|was|we|for|in|with|or|but|as|of|on|by|until|through|um|ab|bis|à|a las)\b)[^\W\d_]|%"
)
_NEIGHBORHOOD = 20  # characters before a weekday; another weekday in them means a range or a choice


class TypedDate(Struct, frozen=True, kw_only=True):
    """A date as the user typed it, with its weekday if it has one."""

    written: str
    position: int
    weekday: int | None  # from 0 for Monday
    month: int
    day: int
    year: int | None
    names_a_day: bool = True  # False if the number may be a count: “In June 31 people came”

    @property
    def span(self) -> range:
        """The positions that the date takes, with a sign or two after it."""
        return range(self.position, self.position + len(self.written) + 2)


class DateWords(Struct, frozen=True, kw_only=True, eq=False):
    """A language's names of days and months, in every form in which people type them.

    There is one object for each language, and instances are compared by identity.
    """

    weekdays: Mapping[str, int]  # from 0 for Monday
    months: Mapping[str, int]
    shapes: tuple[re.Pattern[str], ...]
    bare_shapes: tuple[re.Pattern[str], ...]
    ranges: tuple[re.Pattern[str], ...]
    any_month: re.Pattern[str]
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

    def all_dates_in(self, text: str) -> Iterator[TypedDate]:
        """Yield every date, with and without a weekday, in no order."""
        if not _DIGIT.search(text):  # most texts have none, and this takes a hundredth of the time of the patterns
            return
        with_weekday = list(self.dates_in(text))
        yield from with_weekday
        if not self.any_month.search(text):
            return
        covered = {place for each in with_weekday for place in each.span}
        for shape in self.bare_shapes:
            for match in shape.finditer(text):
                if match.start() in covered:
                    continue
                found = match.groupdict()
                month = self.months[found["month"]] if "month" in found else int(found["number"])
                yield TypedDate(
                    written=" ".join(match[0].split()),
                    position=match.start(),
                    weekday=None,
                    month=month,
                    day=int(found["day"]),
                    year=int(found["year"]) if found["year"] else None,
                    names_a_day=int(found["day"]) <= _LAST_DAY and not _is_count(match, text),
                )

    def ends_of_ranges_in(self, text: str) -> Iterator[TypedDate]:
        """Yield the first and the last day of each span of days in one month. Both are written as the whole span."""
        if not _DIGIT.search(text) or not self.any_month.search(text):
            return
        for shape in self.ranges:
            for match in shape.finditer(text):
                found = match.groupdict()
                for day in (int(found["first"]), int(found["day"])):
                    yield TypedDate(
                        written=" ".join(match[0].split()),
                        position=match.start(),
                        weekday=None,
                        month=self.months[found["month"]] if "month" in found else int(found["number"]),
                        day=day,
                        year=int(found["year"]) if found["year"] else None,
                    )


def _is_count(match: re.Match[str], text: str) -> bool:
    """Return whether a number after a month, with a word after it, may count something."""
    is_month_first = "month" in match.groupdict() and match.start("month") < match.start("day")
    return is_month_first and not match["year"] and _COUNTED.match(text, match.end()) is not None


def days_meant(typed: TypedDate, near: date) -> Iterator[date]:
    """Yield every day that a date may mean, in the year that it names or else in the three nearest years."""
    years = (near.year - 1, near.year, near.year + 1) if typed.year is None else (typed.year,)
    for year in years:
        try:
            yield date(year, typed.month, typed.day)
        except ValueError:  # February 30, or February 29 in most years
            continue


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
        bare_shapes=tuple(_compiled(shape, names) for shape in _BARE_SHAPES),
        ranges=tuple(_compiled(shape, names) for shape in _RANGES),
        any_weekday=re.compile(_one_of(weekdays)),
        any_month=re.compile(rf"{_one_of(months)}|\d[月월]"),
    )


def _compiled(shape: str, names: Mapping[str, str]) -> re.Pattern[str]:
    # Ideographs are letters too, and stand before a date without a space.
    before = r"(?<!\d)" if "月" in shape else r"(?<!\w)"
    return re.compile(before + re.sub("WEEKDAY|MONTH|WHOLE", lambda place: names[place[0]], shape))


def _one_of(names: Iterable[str]) -> str:
    """Return a pattern that matches any of the names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_END_OF_SENTENCE = re.compile(r"(?<![.!?…])[.!?…]+[)”\"’]*\s+(?=[^\W\d_a-zà-ÿ])|[。！？]|\n\s*\n")

_COMMA = re.compile(r"[,;](?!\d)|[、，；،]")
_LONGEST_SIDE = 400  # characters of a sentence on either side of a position; without it, many dates took quadratic time


def _around(text: str, position: int) -> tuple[str, int]:
    """Return the part of a text that can belong to the sentence at a position, and the position in that part."""
    begins = max(position - _LONGEST_SIDE, 0)
    return text[begins : position + _LONGEST_SIDE], position - begins


def sentence_at(text: str, position: int) -> str:
    """Return the sentence around a position in a text. One that is very long is cut on both sides."""
    text, position = _around(text, position)
    starts, ends = 0, len(text)
    for end in _END_OF_SENTENCE.finditer(text):
        if end.end() <= position:
            starts = end.end()
        elif end.start() >= position:
            ends = end.end()
            break
    return text[starts:ends]


def clause_at(text: str, position: int) -> str:
    """Return the part of a sentence around a position, between two commas."""
    text, position = _around(text, position)
    starts, ends = 0, len(text)
    for comma in _COMMA.finditer(text):
        if comma.end() <= position:
            starts = comma.end()
        else:
            ends = comma.start()
            break
    clause = text[starts:ends]
    return sentence_at(clause, position - starts)
