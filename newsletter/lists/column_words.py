"""Recognize the columns of a list by their names in the languages of the theme, which column_words.toml lists.

A name that is sure is used. A name that can mean something else too is only suggested.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from newsletter.language.commands import map_option
from newsletter.lists.leaving_words import plain
from newsletter.model.columns import LIST_COLUMNS

_NAME, _FIRST, _LAST = "name", "first_name", "last_name"
_OTHER_PART = {_FIRST: _LAST, _LAST: _FIRST}
_SEPARATORS = re.compile(r"[,;\t|]")
_DATES = frozenset({"joined_at", "consented_at"})
# Three parts, or many digits. "2019" and "yes" are no dates, and a column of them stays an attribute.
_DATE = re.compile(r"\d+\W+\w+\W+\d+|\d{1,2}\D+\d{1,2}\D+\d{2,4}\D*|\D{3,}\d{1,2},? \d{4}.*|\d{8,}")


class ColumnMeaning(NamedTuple):
    """What a name can mean in one language."""

    language: str
    field: str  # one of LIST_COLUMNS, or `name`
    is_sure: bool
    rank: int = 0  # its place among the names for this field


class FoundColumns(NamedTuple):
    """The columns of ours that the names of a list stand for, by place."""

    sure: Mapping[int, str]
    perhaps: Mapping[int, str]


def find_columns(
    names: Mapping[int, str], *, taken: Collection[str], sample: Sequence[Sequence[str]] = ()
) -> FoundColumns:
    """Return which columns of ours the names stand for, by place. Columns in `taken` have been found already.

    `sample` holds the first rows of the list. A name for a date is not used if the cells below it are no dates.
    """
    meanings = {place: found for place, name in names.items() if (found := meanings_of(name))}
    best: dict[str, tuple[int, int, int]] = {}
    for place, each in ((place, each) for place, found in meanings.items() for each in found):
        if (
            not each.is_sure
            or each.field in {_NAME, *taken}
            or (each.field in _DATES and not _holds_dates(place, sample))
        ):
            continue
        addresses = count_addresses(place, sample) if each.field == "email" else 0
        best[each.field] = min((-addresses, each.rank, place), best.get(each.field, (1, 0, 0)))
    sure = {place: field for field, (_, _, place) in best.items()}
    have = {*taken, *sure.values()}
    sure |= _names(meanings, sure, have)
    have |= {*sure.values()}
    perhaps: dict[int, str] = {}
    for place, found in meanings.items():
        field = next((_FIRST if each.field == _NAME else each.field for each in found if _is_open(each)), "")
        if place not in sure and field and field not in have and not (field == _FIRST and _LAST in have):
            perhaps[place] = field
            have.add(field)
    return FoundColumns(sure, perhaps)


def sure_column(name: str) -> str:
    """Return the column of ours that a name surely stands for, whatever else is in the list, or an empty text."""
    fields = {each.field for each in meanings_of(name) if each.is_sure} - {_NAME}
    return min(fields) if len(fields) == 1 else ""


def meanings_of(name: str) -> Sequence[ColumnMeaning]:
    """Return what a name can mean, in every language that has it."""
    return _words().get(_letters(name), ())


def _is_open(meaning: ColumnMeaning) -> bool:
    return not meaning.is_sure or meaning.field == _NAME


def _names(
    meanings: Mapping[int, Sequence[ColumnMeaning]], sure: Mapping[int, str], have: Collection[str]
) -> Mapping[int, str]:
    """Return the columns such as "Name" that mean one part of a name, because the other part is beside them."""
    part_of = _told_parts()
    beside = {
        (each.language, field) for place, field in sure.items() for each in meanings[place] if each.field == field
    }
    found: dict[int, str] = {}
    for place, each in ((place, each) for place, listed in meanings.items() for each in listed):
        part = part_of.get(each.language, "") if each.field == _NAME else ""
        is_free = part and part not in have and part not in found.values() and place not in sure
        if is_free and (each.language, _OTHER_PART[part]) in beside:
            found[place] = part
    return found


def _holds_dates(place: int, sample: Sequence[Sequence[str]]) -> bool:
    cells = (row[place].strip() for row in sample if place < len(row))
    return all(_DATE.match(cell) for cell in cells if cell)


def count_addresses(place: int, sample: Sequence[Sequence[str]]) -> int:
    """Return the number of cells of a column that hold an address."""
    return sum(place < len(row) and "@" in row[place] for row in sample)


def _letters(name: str) -> str:
    return plain(name).replace(" ", "")


@cache
def _told() -> Mapping[str, Any]:
    return tomllib.loads((files("newsletter.lists") / "column_words.toml").read_text(encoding="utf-8"))


@cache
def _told_parts() -> Mapping[str, str]:
    """Return the part of a name that `name` means beside the other part, by language."""
    return {language: told["name_is"] for language, told in _told().items() if "name_is" in told}


@cache
def _words() -> Mapping[str, Sequence[ColumnMeaning]]:
    words: defaultdict[str, list[ColumnMeaning]] = defaultdict(list)
    for language, told in _told().items():
        for is_sure, listed in ((True, told), (False, told.get("perhaps", {}))):
            for field in (*LIST_COLUMNS, _NAME):
                for rank, name in enumerate(listed.get(field, ())):
                    words[_letters(name)].append(ColumnMeaning(language, field, is_sure, rank))
    return words


def fault_without_addresses(names: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Return why no column of a list is known to contain the addresses, and the remedy."""
    counts = [count_addresses(place, sample) for place in range(len(names))]
    fullest = max(range(len(names)), key=lambda place: counts[place])
    if _are_names_below(sample) or (counts[fullest] and not names[fullest]):
        remedy = "delete the lines above the names of the columns, and import the file again"
        return "the first line does not name the columns", remedy
    if any("@" in name for name in names):
        what = "the first line contains an address instead of the names of the columns"
        return what, "insert a first line with the names of the columns, for example email,first_name"
    if counts[fullest]:
        name = names[fullest]
        remedy = f"the column {name!r} contains addresses; to use it, add {map_option(name, 'email')}"
    else:
        remedy = (
            'in the first line, name the column that contains the addresses "email", or add --map "Email Address=email"'
        )
    return "there is no column named email", remedy


def _are_names_below(sample: Sequence[Sequence[str]]) -> bool:
    """Return whether a line below the first one names a column of addresses. It may have another separator."""
    rows = (row for row in sample if not any("@" in cell for cell in row))
    words = (word.strip() for row in rows for cell in row for word in _SEPARATORS.split(cell))
    return any("email" in {_letters(word), sure_column(word)} for word in words)
