"""Names of days and months, and words around a date, in each language.

They come from CLDR, through Babel. This module adds the words that CLDR lacks.
"""

import re
from collections.abc import Mapping

from babel import Locale, UnknownLocaleError

# How each language says that something happens on the same weekday every week; `{day}` is the weekday's name.
_WEEKLY = {
    "ar": "أيام {day}",
    "de": "jeden {day}",
    "en": "{day}s",
    "es": "cada {day}",
    "fr": "chaque {day}",
    "he": "כל {day}",
    "it": "ogni {day}",
    "ja": "毎週{day}",
    "nl": "elke {day}",
    "pt": "cada {day}",
    "sv": "varje {day}",
    "zh": "每{day}",
}
# How each language says that something happens from a day on; `{day}` is the day and its month.
_FROM = {
    "ar": "من {day}",
    "de": "ab {day}",
    "en": "from {day}",
    "es": "desde el {day}",
    "fr": "à partir du {day}",
    "he": "החל מ־{day}",
    "it": "dal {day}",
    "ja": "{day}から",
    "nl": "vanaf {day}",
    "pt": "a partir de {day}",
    "sv": "från {day}",
    "zh": "{day}起",
}
_RANGE = {"ja": "\N{FULLWIDTH TILDE}", "ko": "~", "zh": "至"}  # a dash with spaces around it in other languages
_CLOCK_RANGE = {"ja": "\N{FULLWIDTH TILDE}", "ko": "~"}
_AFTER_CLOCK = {"de": " Uhr"}
_QUOTED = re.compile("'[^']*'")  # words in a pattern of CLDR
_COMMA = {"ar": "، ", "ja": " ", "zh": " "}  # between the weekday and the dates; a comma in other languages
# Between a label and what it belongs to; a colon and a space in other languages.
_COLON = {"fr": "\N{NO-BREAK SPACE}: ", "ja": "\N{FULLWIDTH COLON}", "zh": "\N{FULLWIDTH COLON}"}
_ENDS_A_LABEL = (
    "?!:…\N{FULLWIDTH QUESTION MARK}\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH COLON}\N{ARABIC QUESTION MARK}"
)
# Words that people type with a date, in any language: before the day or month, between them, and beside a time of day.
BEFORE_A_DATE = ("the", "on", "den", "der", "dem", "am", "el", "le", "il", "de")
OF_A_MONTH = ("of", "de", "del", "d[’']")
OF_A_MONTH_JOINED = "ב"  # written as one word with the month
BESIDE_A_CLOCK = ("am", "pm", "a.m.", "p.m.", "uhr", "h")


def locale_of(language: str) -> Locale | None:
    """Return Babel's locale for a language, or for the language without its region, or None if Babel has neither."""
    for name in (language, language.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def language_name(language: str) -> str:
    """Return the English name of a language, or its code if Babel has no name for it."""
    locale = locale_of(language)
    return (locale and locale.get_display_name("en")) or language


def weekly(weekday: str, locale: Locale) -> str:
    """Return the phrase for "every week on this day" in a language. `weekday` is the day's name."""
    return _WEEKLY.get(locale.language, "{day}").format(day=weekday)


def from_day(day: str, locale: Locale) -> str:
    """Return the phrase for "from this day on" in a language."""
    return _FROM.get(locale.language, "{day} –").format(day=day)


def range_sign(locale: Locale) -> str:
    """Return the sign between the first and the last day of a range, with the spaces around it."""
    return _RANGE.get(locale.language, " – ")


def clock_range_sign(locale: Locale) -> str:
    """Return the sign between two times of day, with the spaces around it."""
    return _CLOCK_RANGE.get(locale.language, " – ")


def has_half_days(locale: Locale) -> bool:
    """Return whether the times of a day are written with am and pm, or words for other parts of the day."""
    letters = _QUOTED.sub("", locale.time_formats["short"].pattern)
    return any(letter in letters for letter in "abB")


def short_clock_pattern(locale: Locale) -> str:
    """Return CLDR's pattern for a time of day in 24 hours."""
    return str(locale.datetime_skeletons["Hm"].pattern)


def after_clock(clock: str, locale: Locale) -> str:
    """Return a time of day, or a range of them, with the word that the language puts after it."""
    return f"{clock}{_AFTER_CLOCK.get(locale.language, '')}"


def comma_of(locale: Locale) -> str:
    """Return the text between a weekday and the dates."""
    return _COMMA.get(locale.language, ", ")


def comma_between(language: str) -> str:
    """Return the text between a weekday and the dates in a language, given by its code."""
    return _COMMA.get(language.partition("-")[0], ", ")


def colon_after(label: str, language: str) -> str:
    """Return the colon after a label, with the spaces around it. A label that ends in punctuation gets no colon."""
    colon = _COLON.get(language.partition("-")[0], ": ")
    return colon if label[-1:] not in _ENDS_A_LABEL else " " * colon.endswith(" ")


def typed_forms(names: Mapping[str, Mapping[int, str]], *widths: str) -> dict[str, int]:
    """Return every form in which people type CLDR's names of days or months, with the number of each (Monday is 0).

    The forms are each name unchanged, capitalized and in capitals, with and without the dot of an abbreviation.
    """
    forms: dict[str, int] = {}
    for width in widths or ("wide", "abbreviated"):
        for number, name in names.get(width, {}).items():
            bare = name.rstrip(".")
            for form in (name, bare, bare[:1].upper() + bare[1:], bare.upper()):
                forms.setdefault(form, number)
    return forms
