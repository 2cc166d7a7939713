"""The words that people write around the dates, times and lengths of events, in each language of the theme."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files

from msgspec import Struct, convert

UNITS = (1, 60, 60 * 24, 60 * 24 * 7)  # minutes: the units of lengths, in the order of the data
_NEVER = "(?!)"
_WITHOUT_SPACES = frozenset({"ja", "ko", "zh"})  # or with endings that are joined to a word
_JOINS_MONTHS = frozenset({"he"})  # “in” is written as one word with the month


class _Data(Struct, frozen=True, kw_only=True):
    """The words of one language, as written in `data/event_words.toml`, which explains them."""

    starts: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    this: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    invite: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    in_month: tuple[str, ...] = ()
    relative: tuple[str, ...] = ()
    clock_before: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class EventWords(Struct, frozen=True, kw_only=True):
    """The words of one language as patterns. A pattern without words never matches."""

    starts: re.Pattern[str]
    due: re.Pattern[str]
    aside: re.Pattern[str]
    past: re.Pattern[str]
    this: re.Pattern[str]
    each: re.Pattern[str]
    invite: re.Pattern[str]
    on_weekday: re.Pattern[str]  # a weekday, after a word such as “on”
    relative: re.Pattern[str]
    month_alone: re.Pattern[str]  # a month without a day, after a word such as “in”
    lengths: re.Pattern[str]  # groups: clock, number, half, word, and u0 to u3, the units
    numbers: tuple[re.Pattern[str], ...]  # from one on


@lru_cache(maxsize=16)
def event_words(language: str, weekdays: Sequence[str], months: Sequence[str]) -> EventWords:
    """Return the words of a language, which may have a region. The names of its weekdays and months are CLDR's."""
    bare = language.partition("-")[0]
    data, starts = _data().get(bare, _Data()), "" if bare in _WITHOUT_SPACES else r"(?<!\w)"

    def any_of(words: Sequence[str]) -> str:
        return f"(?:{'|'.join(words) or _NEVER})"

    def pattern(text: str) -> re.Pattern[str]:
        return re.compile(f"{starts}{text}", re.IGNORECASE)

    relative = any_of(data.relative).replace("WEEKDAY", any_of(list(map(re.escape, weekdays))))
    month = any_of([re.escape(month) for month in months])
    units = "|".join(f"(?P<u{place}>{unit})" for place, unit in enumerate(data.units)) or _NEVER
    clock = rf"(?P<clock>{any_of(data.clock_before)}\s+)?"
    number = rf"(?:(?P<number>\d{{1,3}})(?P<half>[.,]5|½)?|(?P<word>{any_of(data.numbers)}))"
    named = any_of([re.escape(day) for day in weekdays if len(day) > 3])  # abbreviations are often other words
    gap = r"\s*" if bare in _JOINS_MONTHS else r"\s+"
    begins = r"(?<![\d.,:–])" if bare in _WITHOUT_SPACES else r"(?<![\w.,:–-])"
    return EventWords(
        starts=pattern(any_of(data.starts)),
        due=pattern(any_of(data.due)),
        aside=pattern(any_of(data.aside)),
        past=pattern(any_of(data.past)),
        this=pattern(any_of(data.this)),
        each=pattern(any_of(data.each)),
        invite=pattern(any_of(data.invite)),
        on_weekday=re.compile(rf"{starts}(?i:{any_of(data.on)}){gap}(?P<weekday>{named})(?:s|ar|en)?(?!\w)"),
        relative=pattern(relative if bare in _WITHOUT_SPACES else rf"{relative}(?!\w)"),
        month_alone=re.compile(
            rf"{starts}(?i:{any_of(data.in_month)}){gap}(?P<month>{month})(?!\w)(?:\s+(?:de\s+)?(?P<year>20\d\d))?(?!\s*\d)"
            if data.in_month
            else _NEVER
        ),
        lengths=re.compile(rf"{begins}{clock}{number}[\s\u00a0]?-?(?:{units})", re.IGNORECASE),
        numbers=tuple(re.compile(number, re.IGNORECASE) for number in data.numbers),
    )


@cache
def _data() -> dict[str, _Data]:
    text = files("newsletter").joinpath("checks", "data", "event_words.toml").read_text("utf-8")
    return convert(tomllib.loads(text), dict[str, _Data])
