"""Read codes of languages and names of time zones, and return them as they are usually written."""

from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import available_timezones

from pydantic import TypeAdapter, ValidationError

from newsletter.errors import FaultError
from newsletter.model.values import Language, TimeZone

_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
_TIME_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


def checked_language(code: str) -> str:
    """Return the code of a language. Raise FaultError if it is not one."""
    return _known(_validated(_LANGUAGE, code, code), code)


@lru_cache(maxsize=1024)
def language_of(cell: str) -> str:
    """Return a language's code as it is usually written: `EN` and `pt_br` become `en` and `pt-BR`."""
    first, *rest = cell.replace("_", "-").split("-")
    parts = [first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)]
    return _known(_validated(_LANGUAGE, "-".join(parts), cell), cell)


@lru_cache(maxsize=1024)
def time_zone_of(cell: str) -> str:
    """Return the name of a time zone as the time zone database spells it."""
    name = cell.replace(" ", "_")
    return _validated(_TIME_ZONE, _zones_by_small_letters().get(name.lower(), name), cell)


def _known(language: str, given: str) -> str:
    if language.partition("-")[0] not in _known_languages():
        raise FaultError(f"{given!r} is not a language code", "write a code such as en, es or pt-BR")
    return language


@cache
def _known_languages() -> frozenset[str]:
    """Return the language codes of CLDR, including replaced ones such as iw for he."""
    from babel.core import Locale, get_global  # loaded here because its tables are large and few lists need them

    return frozenset({*Locale("en").languages, *get_global("likely_subtags"), *get_global("language_aliases")})


@cache
def _zones_by_small_letters() -> Mapping[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}


def _validated(adapter: TypeAdapter[str], value: str, given: str) -> str:
    try:
        return adapter.validate_python(value)
    except ValidationError as err:
        fault: FaultError = err.errors()[0]["ctx"]["error"]
        raise FaultError(fault.what.replace(repr(value), repr(given[:40]), 1), fault.remedy) from None
