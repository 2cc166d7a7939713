"""What readers call a time zone at the moments of an event: a short name if it is true at all of them, else its city.

CLDR groups zones into metazones such as America_Pacific, and gives each a name. The name belongs to one zone, its
golden zone (`territory="001"` in CLDR's metaZones.xml). For a zone that keeps other hours, for example Phoenix in July,
the name is an hour off. Babel knows neither golden zones nor the dates on which a zone left its metazone (UTS #35).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

from newsletter.language.words import time_of_city

_GOLDEN_ZONES = {
    "Alaska": "America/Anchorage",
    "America_Central": "America/Chicago",
    "America_Eastern": "America/New_York",
    "America_Mountain": "America/Denver",
    "America_Pacific": "America/Los_Angeles",
    "Atlantic": "America/Halifax",
    "Brasilia": "America/Sao_Paulo",
    "British": "Europe/London",
    "Europe_Central": "Europe/Paris",
    "Europe_Eastern": "Europe/Bucharest",
    "GMT": "Atlantic/Reykjavik",
    "Hawaii": "Pacific/Honolulu",
    "Irish": "Europe/Dublin",
    "Japan": "Asia/Tokyo",
}
# Names that are a rule, not a place.
_RULES = {
    "CST6CDT": "America_Central",
    "EST5EDT": "America_Eastern",
    "MST7MDT": "America_Mountain",
    "PST8PDT": "America_Pacific",
}
_NO_NAME = "∅∅∅"  # CLDR's mark for a name that people in this region do not use
_MINUS = "\N{MINUS SIGN}"


def zone_label(zone: ZoneInfo, moments: Sequence[datetime], locale: Locale) -> str:
    """Return a name of the zone that is true at each of these times: `PT`, `Phoenix time`, `(Phoenix)` or `UTC−5`."""
    place = _place_of(zone.key)
    return _short_name(place, moments, locale) or _city_label(place, moments, locale) or offset_label(*moments)


def is_labeled_by_place(zone: ZoneInfo, moments: Sequence[datetime], locale: Locale) -> bool:
    """Return whether `zone_label` returns the zone's city. It stays true if the zone changes its clocks."""
    place = _place_of(zone.key)
    return not _short_name(place, moments, locale) and bool(_city_label(place, moments, locale))


def city_of(locale: Locale) -> dict[str, str]:
    """Return the zone of each city that a zone is named after, as the language spells it and as the database does."""
    metazones: Mapping[str, str] = get_global("meta_zones")
    places = [place for place in metazones if "/" in place and not place.startswith("Etc/")]
    return {
        name: place for place in places for name in (_city(place, locale), place.rpartition("/")[2].replace("_", " "))
    }


def city_in(zone: str, locale: Locale) -> str:
    """Return the city after which a zone is named, as the language spells it."""
    return _city(_place_of(zone), locale)


def place_label(zone: str, offsets: Iterable[timedelta], locale: Locale) -> str:
    """Return the city of a zone, or for a zone without one the differences from UTC that it has: `UTC−5`."""
    place = _place_of(zone)
    return _city(place, locale) if _is_place(place) else _label_of_offsets(offsets)


def territory_of(zone: str) -> str | None:
    """Return the code of the country in which a zone is, or None if it is in none, or in several."""
    territories: Mapping[str, str] = get_global("zone_territories")
    return territories.get(zone) or territories.get(_place_of(zone))


def is_twice(moment: datetime) -> bool:
    """Return whether the clocks of a time's zone show it twice that day."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset() and not is_skipped(moment)


def is_skipped(moment: datetime) -> bool:
    """Return whether the clocks of a time's zone skip it that day (PEP 495)."""
    first, second = (moment.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return first < second


def _place_of(key: str) -> str:
    """Return the name under which CLDR knows a zone: `America/Los_Angeles` for `US/Pacific`."""
    places: Mapping[str, str] = get_global("zone_aliases")
    return places.get(key, key)


def _short_name(place: str, moments: Sequence[datetime], locale: Locale) -> str:
    """Return a short name, or an empty string if the language has none that is true at each of these times."""
    if own := _names_in(locale.time_zones, place):
        return _name_at(own, ZoneInfo(place), moments)
    metazones: Mapping[str, str] = get_global("meta_zones")
    metazone = _RULES.get(place) or metazones.get(place, "")
    golden, names = _GOLDEN_ZONES.get(metazone), _names_in(locale.meta_zones, metazone)
    return _name_at(names, ZoneInfo(golden), moments) if golden and names else ""


def _names_in(table: Mapping[str, Mapping[str, Mapping[str, str]]], key: str) -> dict[str, str]:
    names = table.get(key, {}).get("short", {})
    return {
        kind: name for kind in ("generic", "standard", "daylight") if (name := names.get(kind, _NO_NAME)) != _NO_NAME
    }


def _name_at(names: Mapping[str, str], golden: ZoneInfo, moments: Sequence[datetime]) -> str:
    """Return the generic name, else the one of the half of the year in which all the times are."""
    if not _agrees(golden, moments):
        return ""
    if names.get("generic", names.get("standard")) != names.get("standard"):
        return names["generic"]
    year = moments[0].year
    winter = min(datetime(year, month, 1, tzinfo=golden).utcoffset() or timedelta() for month in (1, 7))
    kinds = {"standard" if moment.utcoffset() == winter else "daylight" for moment in moments}
    return names.get(kinds.pop(), "") if len(kinds) == 1 else ""


def _agrees(zone: ZoneInfo, moments: Sequence[datetime]) -> bool:
    """Return whether the clocks of another zone show the same at each of these times."""
    return all(moment.astimezone(zone).utcoffset() == moment.utcoffset() for moment in moments)


def _city_label(place: str, moments: Sequence[datetime], locale: Locale) -> str:
    """Return the zone's city, as its language labels a time with it, or an empty string for a zone without a place."""
    if not _is_place(place) or not _agrees(_zone(place), moments):
        return ""
    return time_of_city(_city(place, locale), locale)


def _is_place(place: str) -> bool:
    return "/" in place and not place.startswith("Etc/")


def _city(place: str, locale: Locale) -> str:
    named = locale.time_zones.get(place, {}).get("city")
    return str(named or place.rpartition("/")[2].replace("_", " "))


def offset_label(*moments: datetime) -> str:
    """Return the offset at these times: `UTC−5`, `UTC+5:30`, or `UTC`. Different offsets are separated by a slash."""
    return _label_of_offsets(moment.utcoffset() or timedelta() for moment in moments)


def _label_of_offsets(offsets: Iterable[timedelta]) -> str:
    return "UTC" + "/".join(_signed(offset) for offset in dict.fromkeys(offsets))


def _signed(offset: timedelta) -> str:
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    if not hours and not minutes:
        return ""
    return f"{_MINUS if offset < timedelta() else '+'}{hours}{f':{minutes:02}' if minutes else ''}"


@lru_cache(maxsize=64)
def _zone(key: str) -> ZoneInfo:
    return ZoneInfo(key)
