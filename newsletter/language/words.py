"""What languages call days and months, and the words that stand around a date: from CLDR (Babel), and what it lacks."""

from collections.abc import Mapping

from babel import Locale, UnknownLocaleError

# How a language says that something happens on that day each week; `{day}` is the weekday's name.
_WEEKLY = {
    "ar": "كل {day}",
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
    "zh": "每周{day}",
}
_COMMA = {"ar": "، ", "ja": " ", "zh": " "}  # between the weekday and the days; elsewhere a comma
# As people type a date in any of the languages: before the day or the month, between both, and beside a time of day.
BEFORE_A_DATE = ("the", "on", "den", "der", "dem", "am", "el", "le", "il", "de")
OF_A_MONTH = ("of", "de", "del", "d[’']")
OF_A_MONTH_JOINED = "ב"  # written in one word with the month
BESIDE_A_CLOCK = ("am", "pm", "a.m.", "p.m.", "uhr", "h")


def locale_of(language: str) -> Locale | None:
    """Return what Babel knows of a language, or of it without its region; None where it knows neither."""
    for name in (language, language.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def language_name(language: str) -> str:
    """Return what a language is called in English; its code where nothing is known of it."""
    locale = locale_of(language)
    return (locale and locale.get_display_name("en")) or language


def weekly(weekday: str, locale: Locale) -> str:
    """Return how a language says that something happens on a weekday, given by its name, each week."""
    return _WEEKLY.get(locale.language, "{day}").format(day=weekday)


def comma_of(locale: Locale) -> str:
    """Return what stands between a weekday and the days."""
    return _COMMA.get(locale.language, ", ")


def typed_forms(names: Mapping[str, Mapping[int, str]], *widths: str) -> dict[str, int]:
    """Return every form in which days or months of CLDR are typed, with the number of each: from 0 for Monday.

    That is each name as it is and in capitals, with and without the dot of an abbreviation.
    """
    forms: dict[str, int] = {}
    for width in widths or ("wide", "abbreviated"):
        for number, name in names.get(width, {}).items():
            bare = name.rstrip(".")
            for form in (name, bare, bare[:1].upper() + bare[1:], bare.upper()):
                forms.setdefault(form, number)
    return forms
