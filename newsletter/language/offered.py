"""The languages and time zones that a person can choose from, with the names that readers of a language know."""

from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import available_timezones

from babel.core import Locale, UnknownLocaleError, get_global

from newsletter.language.zone_labels import city_in


def language_names(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return the codes of languages, each with its name in that language, sorted by name."""
    named = [(code, own_name(code)) for code in dict.fromkeys(codes)]
    return sorted(named, key=lambda pair: pair[1].casefold())


@lru_cache(maxsize=32)
def zone_names(language: str) -> tuple[tuple[str, str], ...]:
    """Return the time zones that belong to a country, each with its country and city, sorted by them.

    Other spellings of the same zone, such as Asia/Calcutta, are left out (CLDR).
    """
    locale = Locale.parse(language, sep="-")
    countries, aliases = get_global("zone_territories"), get_global("zone_aliases")
    names = [
        (zone, f"{locale.territories.get(country, country)} – {city_in(zone, locale)}")
        for zone in available_timezones() - aliases.keys()
        if "/" in zone and (country := countries.get(zone, "")).isalpha()
    ]
    return tuple(sorted(names, key=lambda pair: (pair[1].casefold(), pair[0])))


def own_name(code: str) -> str:
    """Return the name of a language as its speakers write it, or its code if Babel has no name for it."""
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return code
    name = locale.get_display_name(locale) or code
    return name[:1].upper() + name[1:]
