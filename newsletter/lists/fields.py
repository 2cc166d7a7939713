"""Reads languages, time zones and tags, each different value once."""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from zoneinfo import available_timezones

from pydantic import TypeAdapter, ValidationError

from newsletter.lists.cells import Cells, TidyColumn
from newsletter.model.audience import normal_tag, tags_text
from newsletter.model.values import Language, TimeZone

_TAG_SEPARATOR = re.compile(r"[;,|]")
_QUOTED_TAG = re.compile(r"([\"'])(.+)\1")
_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
_TIME_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


def languages(column: TidyColumn) -> tuple[Cells, dict[int, str]]:
    """A column of languages, empty where a cell is none; and by its place what is doubtful about that row."""
    return _looked_up(column, _language)


def time_zones(column: TidyColumn) -> tuple[Cells, dict[int, str]]:
    """A column of time zones, empty where a cell is none; and by its place what is doubtful about that row."""
    return _looked_up(column, _time_zone)


def checked_language(code: str) -> str:
    """The code of a language, if there is one of it; raises ValueError with what to write instead."""
    return _known(_validated(_LANGUAGE, code, code), code)


def tags(column: TidyColumn) -> tuple[Cells, frozenset[str]]:
    """A column of tags as the database keeps them, and the tags that there are."""
    read = {cell: tags_in_cell(cell) for cell in column.different}
    texts = {cell: tags_text(found) for cell, found in read.items()}
    return list(map(texts.__getitem__, column.cells)), frozenset(tag for found in read.values() for tag in found)


def tags_in_cell(cell: str) -> tuple[str, ...]:
    """The tags of a cell, which `;`, `,` or `|` stand between; without quotes around each."""
    parts = (part.strip() for part in _TAG_SEPARATOR.split(cell))
    bare = (quoted[2] if (quoted := _QUOTED_TAG.fullmatch(part)) else part for part in parts)
    return tuple(sorted({tag for part in bare if (tag := normal_tag(part))}))


def _looked_up(column: TidyColumn, read: Callable[[str], str]) -> tuple[Cells, dict[int, str]]:
    """A value that is none costs a person neither their place on the list nor the rest of their row."""
    meant, wrong = {}, {}
    for cell in column.different - {""}:
        try:
            if (found := read(cell)) != cell:
                meant[cell] = found
        except ValueError as err:
            wrong[cell], meant[cell] = f"{err}; taken without it", ""
    if not meant:
        return column.cells, {}
    return [meant.get(cell, cell) for cell in column.cells], column.places_of(wrong)


@lru_cache(maxsize=1024)
def _language(cell: str) -> str:
    """A language's code as it is usually written: `EN` and `pt_br` are en and pt-BR."""
    first, *rest = cell.replace("_", "-").split("-")
    parts = [first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)]
    return _known(_validated(_LANGUAGE, "-".join(parts), cell), cell)


def _known(language: str, given: str) -> str:
    if language.partition("-")[0] not in _known_languages():
        raise ValueError(f"{given!r} is the code of no language; write a code such as en, es or pt-BR")
    return language


@cache
def _known_languages() -> frozenset[str]:
    """The codes of languages in CLDR, with those that were replaced, such as iw for he."""
    from babel.core import Locale, get_global  # its tables are large, and few lists need them

    return frozenset({*Locale("en").languages, *get_global("likely_subtags"), *get_global("language_aliases")})


@lru_cache(maxsize=1024)
def _time_zone(cell: str) -> str:
    """A zone as the time zone database spells it."""
    name = cell.replace(" ", "_")
    return _validated(_TIME_ZONE, _zones_by_small_letters().get(name.lower(), name), cell)


@cache
def _zones_by_small_letters() -> Mapping[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}


def _validated(adapter: TypeAdapter[str], value: str, given: str) -> str:
    try:
        return adapter.validate_python(value)
    except ValidationError as err:
        why = str(err.errors()[0]["ctx"]["error"])
        raise ValueError(why.replace(repr(value), repr(given[:40]), 1)) from None
