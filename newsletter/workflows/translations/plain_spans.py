"""Finds the dates, times and prices in an original, which a translator does not type again."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from newsletter.checks.reading.typed_dates import TypedDate, date_words
from newsletter.language.dates import format_typed
from newsletter.translation.inline import PLAIN_KINDS, Code, CodeForm, CodeKind, Pieces
from newsletter.translation.inline_markdown import PlainSpan

_CODES = "USD|EUR|GBP|CHF|SEK|PLN|JPY|CAD|AUD"
_SIGNS = r"(?:US|CA|AU?|NZ|R)?\$|[€£¥₹₩₪]"
_NUMBER = r"\d(?:[\d.,'\u00a0\u202f]*\d)?"
_LATIN = r"A-Za-z\u00c0-\u024f0-9"  # ideographs and kana may stand beside a number without a space
_PRICE = re.compile(
    rf"(?<![{_LATIN}$])(?:{_SIGNS}|(?:{_CODES})\s)\s?{_NUMBER}"
    rf"|(?<![{_LATIN}.,]){_NUMBER}\s?(?:[€£₪₩円元]|(?:{_CODES}|zł|kr|Kč)(?![{_LATIN}]))"
)
_TIME = re.compile(
    rf"(?<![{_LATIN}:.])\d{{1,2}}:\d\d(?::\d\d)?(?![{_LATIN}:])(?:\s?[ap](?:\.m\.|m)(?![{_LATIN}]))?", re.IGNORECASE
)
_CONTACT = re.compile(
    r"https?://[^\s<>]+"
    rf"|(?<![{_LATIN}@./-])(?:[A-Za-z0-9_.+-]+@|www\.)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}(?:/[\w./-]*\w)?(?![{_LATIN}@])"
)
_PATTERNS = {CodeKind.PRICE: _PRICE, CodeKind.TIME: _TIME, CodeKind.CONTACT: _CONTACT}
_AND_ON = re.compile(r"\s?[–-]\s?(?P<day>\d{1,2})(?![\d.:/])(?:,? (?P<year>20\d\d))?")  # February 25–27, 2026
# The first day of a range that begins with the day, and with what it goes on: “25.–27. Februar”.
_BEFORE = re.compile(r"(?<![\w:.,])(?P<day>\d{1,2})\.?\s?[–-]\s?(?=\d{1,2}\.?\s(?:de |of )?[^\W\d]{3})")
_LEAP_YEAR = 2024  # of a date without a year, so that February 29 exists


def plain_spans(text: str) -> list[PlainSpan]:
    """Return the prices, times and addresses in a text, which are the same in every language."""
    return [
        PlainSpan(match.start(), match.end(), kind, match[0])
        for kind, pattern in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def typed_address(pieces: Pieces) -> str:
    """Return an address that someone typed into a translation, or an empty string."""
    spans = (span for piece in pieces if isinstance(piece, str) for span in plain_spans(piece))
    return next((span.translated for span in spans if span.kind is CodeKind.CONTACT), "")


def stand_free(pieces: Pieces) -> bool:
    """Return whether what stays the same is still the same beside what stands next to it: `1` makes 125 of 25."""
    codes = [piece for piece in pieces if isinstance(piece, Code) and piece.kind in PLAIN_KINDS]
    text, spaced = _flat(pieces, ""), _flat(pieces, " ")
    found = Counter[tuple[CodeKind, str]]((span.kind, span.translated) for span in plain_spans(text))
    found.update((span.kind, span.translated) for span in plain_spans(spaced) if span.kind is CodeKind.CONTACT)
    wanted = Counter[tuple[CodeKind, str]]((code.kind, code.markup) for code in codes if code.kind is not CodeKind.DATE)
    dates = [re.escape(code.markup) for code in codes if code.kind is CodeKind.DATE]
    free = sum(len(re.findall(rf"(?<!\d)(?<!\d[.,–-]){date}(?![.,–-]?\d)", text)) for date in set(dates))
    return not wanted - found and free >= len(dates)


def _flat(pieces: Pieces, beside: str) -> str:
    """Return the words as readers see them, with `beside` at the edges of links and emphasis."""
    return "".join(
        piece if isinstance(piece, str) else piece.markup if piece.kind in PLAIN_KINDS
        else " " if piece.form is CodeForm.ALONE else beside
        for piece in pieces
    )  # fmt: skip


def span_finder(source: str, target: str) -> Callable[[str], Sequence[PlainSpan]]:
    """Return a function that also finds the dates in a text, with the form that they have in the other language."""
    return lambda text: [*_dates_in(text, source, target), *plain_spans(text)]


def _dates_in(text: str, source: str, target: str) -> Iterator[PlainSpan]:
    words = date_words(source)
    if words is None:
        return
    masked = _BEFORE.sub(lambda match: " " * len(match[0]), text)
    before = {match.end(): match for match in _BEFORE.finditer(text)}
    for typed in words.all_dates_in(masked):
        start, end = typed.position, typed.position + len(typed.written)
        first, last, year = typed.day, None, typed.year
        if (earlier := before.get(start)) is not None:
            start, first, last = earlier.start(), int(earlier["day"]), typed.day
        elif year is None and (later := _AND_ON.match(text, end)):
            last, end = int(later["day"]), later.end()
            year = int(later["year"]) if later["year"] else None
        said = _said(typed, first, last, year, target)
        if said and (typed.names_a_day or last):
            yield PlainSpan(start, end, CodeKind.DATE, said)


def _said(typed: TypedDate, first: int, last: int | None, year: int | None, target: str) -> str:
    """Return a date in another language, or an empty text if there is no such day."""
    try:
        days = [date(year or _year_of(typed), typed.month, day) for day in (first, *([last] if last else []))]
    except ValueError:
        return ""
    return format_typed(days, target, has_year=year is not None, has_weekday=typed.weekday is not None)


def _year_of(typed: TypedDate) -> int:
    """Return a year for a date without one, in which it is on its weekday."""
    years = (_LEAP_YEAR + step for step in range(28) if typed.month != 2 or typed.day < 29 or step % 4 == 0)
    return next((y for y in years if date(y, typed.month, typed.day).weekday() == typed.weekday), _LEAP_YEAR)
