"""Read languages, time zones, tags and attributes. Each distinct value of a column is read only once."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from zoneinfo import available_timezones

import orjson
from pydantic import TypeAdapter, ValidationError

from newsletter.errors import FaultError
from newsletter.lists.cells import Cells, TidyColumn, on_one_line, shortened
from newsletter.lists.csv_header import attribute_name, is_attribute_name
from newsletter.model.audience import normal_tag, tags_text
from newsletter.model.values import Language, TimeZone

_TAG_SEPARATOR = re.compile(r"[;,|]")
_QUOTED_TAG = re.compile(r"([\"'])(.+)\1")
_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
_TIME_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


def checked_language(code: str) -> str:
    """Return the code of a language. Raise FaultError if it is not one."""
    return _known(_validated(_LANGUAGE, code, code), code)


def tags(column: TidyColumn) -> tuple[Cells, frozenset[str]]:
    """Return a column of tags in the form that the database stores, and the set of tags."""
    read = {cell: tags_in_cell(cell) for cell in column.different}
    texts = {cell: tags_text(found) for cell, found in read.items()}
    return list(map(texts.__getitem__, column.cells)), frozenset(tag for found in read.values() for tag in found)


def tags_in_cell(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell, in which `;`, `,` or `|` separates them. Remove quotes around a tag."""
    parts = (part.strip() for part in _TAG_SEPARATOR.split(cell))
    bare = (quoted[2] if (quoted := _QUOTED_TAG.fullmatch(part)) else part for part in parts)
    return tuple(sorted({tag for part in bare if (tag := normal_tag(part))}))


def gathered(named: Mapping[str, TidyColumn]) -> tuple[Cells, frozenset[str]]:
    """Return a JSON object per row, with the columns by attribute name, and the names of attributes with a value."""
    pieces = [_members(name, column) for name, column in sorted(named.items())]
    used = frozenset(name for name, column in named.items() if column.different - {""})
    if len(pieces) == 1:
        return [f"{{{piece}}}" if piece else "" for piece in pieces[0]], used
    rows = zip(*pieces, strict=True)
    return [f"{{{members}}}" if (members := ",".join(filter(None, row))) else "" for row in rows], used


def gathered_with_json(
    named: Mapping[str, TidyColumn], nested: Mapping[str, TidyColumn]
) -> tuple[Cells, frozenset[str], dict[int, str]]:
    """Return what `gathered` returns, with the attributes in `nested` JSON columns, and the doubts by place.

    A member of a JSON object becomes an attribute with a text value, if its name is valid for an attribute.
    """
    objects, used, doubts = [], set[str](), {}
    for place in range(len(next(iter(nested.values())).cells)):
        found: dict[str, str] = {}
        for name, column in nested.items():
            inside, doubt = _inside(column.cells[place])
            found.update(inside)
            if doubt:
                doubts[place] = f"{name}: {doubt}"
        found.update({name: cell for name, column in named.items() if (cell := column.cells[place])})
        used.update(found)
        objects.append(orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if found else "")
    return objects, frozenset(used), doubts


def looked_up(column: TidyColumn, read: Callable[[str], str]) -> tuple[Cells, dict[int, str]]:
    """Return a column with each cell passed through `read`, and the doubts by place.

    A cell that `read` refuses becomes empty. The rest of the row is still imported.
    """
    meant, wrong = {}, {}
    for cell in column.different - {""}:
        try:
            if (found := read(cell)) != cell:
                meant[cell] = found
        except ValueError as err:
            wrong[cell], meant[cell] = f"{err}; imported without it", ""
    if not meant:
        return column.cells, {}
    return [meant.get(cell, cell) for cell in column.cells], column.places_of(wrong)


@lru_cache(maxsize=1024)
def language_of(cell: str) -> str:
    """Return a language's code as it is usually written: `EN` and `pt_br` become `en` and `pt-BR`."""
    first, *rest = cell.replace("_", "-").split("-")
    parts = [first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)]
    return _known(_validated(_LANGUAGE, "-".join(parts), cell), cell)


def _known(language: str, given: str) -> str:
    if language.partition("-")[0] not in _known_languages():
        raise FaultError(f"{given!r} is not a language code", "write a code such as en, es or pt-BR")
    return language


@cache
def _known_languages() -> frozenset[str]:
    """Return the language codes of CLDR, including replaced ones such as iw for he."""
    from babel.core import Locale, get_global  # loaded here because its tables are large and few lists need them

    return frozenset({*Locale("en").languages, *get_global("likely_subtags"), *get_global("language_aliases")})


@lru_cache(maxsize=1024)
def time_zone_of(cell: str) -> str:
    """Return the name of a time zone as the time zone database spells it."""
    name = cell.replace(" ", "_")
    return _validated(_TIME_ZONE, _zones_by_small_letters().get(name.lower(), name), cell)


@cache
def _zones_by_small_letters() -> Mapping[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}


def _validated(adapter: TypeAdapter[str], value: str, given: str) -> str:
    try:
        return adapter.validate_python(value)
    except ValidationError as err:
        fault: FaultError = err.errors()[0]["ctx"]["error"]
        raise FaultError(fault.what.replace(repr(value), repr(given[:40]), 1), fault.remedy) from None


def _members(name: str, column: TidyColumn) -> Sequence[str]:
    """Return each cell as a member of a JSON object, or an empty text for an empty cell."""
    head = orjson.dumps(name).decode()
    written = {cell: f"{head}:{orjson.dumps(cell).decode()}" if cell else "" for cell in column.different}
    return list(map(written.__getitem__, column.cells))


def _inside(cell: str) -> tuple[dict[str, str], str]:
    """Return the members of a JSON object as texts, and the reason to doubt it, or an empty text."""
    if not cell:
        return {}, ""
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return {}, "it is not a JSON object; skipped"
    texts = {attribute_name(name) or name: _text(value) for name, value in found.items()}
    unfit = sorted(shortened(name) for name in texts if not is_attribute_name(name))
    kept = {name: text for name, text in texts.items() if text and is_attribute_name(name)}
    return kept, f"no attribute can be called {', '.join(map(repr, unfit))}; skipped" if unfit else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    return on_one_line(value if isinstance(value, str) else orjson.dumps(value).decode())
