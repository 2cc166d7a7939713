"""Dates with their weekdays as people type them, found by the names that a language has for days and months (CLDR)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from newsletter.language import words

# A clock time and, behind it, the short name of a zone in capitals.
CLOCK_WITH_ZONE = re.compile(
    rf"(?<![\d:.])\d{{1,2}}(?:[:.]\d\d)?\s?(?:(?i:{'|'.join(map(re.escape, words.BESIDE_A_CLOCK))})\s?)?"
    r"\(?(?P<zone>[A-Z]{3,4})(?!\w)"
)
_GAP = r"[ \t\u00a0\u202f]*\n?[ \t\u00a0\u202f]*"
_BEFORE = rf"(?:,|\.|،)?{_GAP}(?:(?:{'|'.join(words.BEFORE_A_DATE)})\b{_GAP})?"  # between the weekday and the rest
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|°|\.)?(?!\d|[.:/]\d)"
_OF = rf"{_GAP}(?:(?:{'|'.join(words.OF_A_MONTH)}){_GAP}|{words.OF_A_MONTH_JOINED})?"
_YEAR = rf"(?:,?{_GAP}(?:de{_GAP})?(?P<year>(?:19|20)\d\d)(?!\d))?"
# In the place of WEEKDAY, WHOLE (a weekday in full) and MONTH come a language's names.
_SHAPES = (
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<month>MONTH)\.?(?!\w){_GAP}{_DAY}{_YEAR}",  # Friday, March 6, 2026
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}{_DAY}{_OF}(?P<month>MONTH)(?!\w)\.?{_YEAR}",  # Freitag, 6. März 2026
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)-(?P<day>\d\d)(?!\d)",
    rf"(?P<weekday>WEEKDAY)(?!\w){_BEFORE}(?P<day>\d{{1,2}})\.{_GAP}(?P<number>\d{{1,2}})\.(?P<year>20\d\d)?(?!\d)",
    r"(?:(?P<year>20\d\d)[年년]\s?)?(?P<number>\d{1,2})[月월]\s?(?P<day>\d{1,2})[日일号]"
    r"(?:\s?[（(](?P<weekday>WEEKDAY)[)）]|\s?(?P<whole>WHOLE))",  # 2月26日（木）
)
_NEIGHBOURHOOD = 20  # characters before a weekday: another one there makes them a range or a choice


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDate:
    """A weekday and a date as somebody typed them."""

    written: str
    position: int
    weekday: int  # from 0 for Monday
    month: int
    day: int
    year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWords:
    """What a language calls days and months, in every form in which they are typed."""

    weekdays: Mapping[str, int]  # from 0 for Monday
    months: Mapping[str, int]
    shapes: tuple[re.Pattern[str], ...]
    any_weekday: re.Pattern[str]

    def dates_in(self, text: str) -> Iterator[TypedDate]:
        """Every date with its weekday; not those whose weekday is one of several."""
        if not self.any_weekday.search(text):
            return
        for shape in self.shapes:
            for match in shape.finditer(text):
                found = match.groupdict()
                before = text[max(match.start() - _NEIGHBOURHOOD, 0) : match.start()]
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


@lru_cache(maxsize=16)
def date_words(language: str) -> DateWords | None:
    """The words of a language; None where nothing is known of it."""
    locale = words.locale_of(language)
    if locale is None:
        return None
    weekdays, months = words.typed_forms(locale.days["format"]), words.typed_forms(locale.months["format"])
    whole = _one_of(words.typed_forms(locale.days["format"], "wide"))
    names = {"WEEKDAY": _one_of(weekdays), "MONTH": _one_of(months), "WHOLE": whole}
    return DateWords(
        weekdays=weekdays,
        months=months,
        shapes=tuple(_compiled(shape, names) for shape in _SHAPES),
        any_weekday=re.compile(_one_of(weekdays)),
    )


def _compiled(shape: str, names: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + re.sub("WEEKDAY|MONTH|WHOLE", lambda place: names[place[0]], shape))


def _one_of(names: Iterable[str]) -> str:
    """A pattern for the longest of the names that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
