"""Names of days and months, and words around a date, in each language.

They come from CLDR, through Babel. The words that CLDR lacks are in the catalogues, in the group `dates`.
"""

import re
from collections.abc import Mapping

from babel import Locale, UnknownLocaleError

from newsletter.language.catalogue import spoken, words_of

# For a language without a catalogue, in which English words would be worse than none.
_WITHOUT_WORDS = {"weekly": "{day}", "from": "{day} –", "zone": "({city})"}
_QUOTED = re.compile("'[^']*'")  # words in a pattern of CLDR
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


def status_words(status: str | None, language: str) -> str:
    """Return the word for an event that is canceled or postponed, or an empty string for any other."""
    return words_of(spoken([language]), "event")[status] if status else ""


def weekly(weekday: str, locale: Locale) -> str:
    """Return the phrase for "every week on this day" in a language. `weekday` is the day's name."""
    return _dates(locale.language)["weekly"].format(day=weekday)


def from_day(day: str, locale: Locale) -> str:
    """Return the phrase for "from this day on" in a language."""
    return _dates(locale.language)["from"].format(day=day)


def time_of_city(city: str, locale: Locale) -> str:
    """Return the phrase for "in the time zone of this city", as it follows a time of day: `Phoenix time`."""
    return _dates(locale.language)["zone"].format(city=city)


def range_sign(locale: Locale) -> str:
    """Return the sign between the first and the last day of a range, with the spaces around it."""
    return _dates(locale.language)["range"].format(first="", last="")


def clock_range_sign(locale: Locale) -> str:
    """Return the sign between two times of day, with the spaces around it."""
    return _dates(locale.language)["clock_range"].format(first="", last="")


def has_half_days(locale: Locale) -> bool:
    """Return whether the times of a day are written with am and pm, or words for other parts of the day."""
    letters = _QUOTED.sub("", locale.time_formats["short"].pattern)
    return any(letter in letters for letter in "abB")


def short_clock_pattern(locale: Locale) -> str:
    """Return CLDR's pattern for a time of day in 24 hours."""
    return str(locale.datetime_skeletons["Hm"].pattern)


def after_clock(clock: str, locale: Locale) -> str:
    """Return a time of day, or a range of them, with the word that the language puts after it."""
    return _dates(locale.language)["clock"].format(times=clock)


def comma_between(language: str) -> str:
    """Return the text between a weekday and the dates in a language."""
    return _dates(language)["comma"].format(weekday="", days="")


def semicolon_between(language: str) -> str:
    """Return the text between one statement and the next in a language."""
    return _dates(language)["semicolon"].format(first="", second="")


def colon_after(label: str, language: str) -> str:
    """Return the colon after a label, with the spaces around it. A label that ends in punctuation gets no colon."""
    colon = words_of(spoken([language]), "theme")["label"].format(label="", text="")
    return colon if label[-1:] not in _ENDS_A_LABEL else " " * colon.endswith(" ")


def _dates(language: str) -> Mapping[str, str]:
    chosen = spoken([language])
    words = words_of(chosen, "dates")
    return words if language.partition("-")[0] == chosen.partition("-")[0] else {**words, **_WITHOUT_WORDS}


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
