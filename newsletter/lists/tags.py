"""Read the tags in a cell, in the forms in which tools write them, and write tags so that they are read as the same.

Tags are separated by `;`, `,` or `|`. A tag that contains a separator is in quotes (`"Bristol, UK","VIP"`). Some tools
write a JSON list of texts or of objects with a name instead.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from newsletter.lists.cells import Cells, TidyColumn, on_one_line, shortened
from newsletter.model.audience import normal_tag, tags_text

# A tag with the separator after it. Quotes count only if they enclose the whole tag. Possessive quantifiers (`*+`) keep
# the time linear.
_TAG = re.compile(r"""\s*+(?:"(?P<double>(?:[^"]|"")*+)"|'(?P<single>[^']*+)'|(?P<bare>[^;,|]*+))\s*+(?:[;,|]|\Z)""")
_SEPARATORS = re.compile(r"[;,|]")
_BAR = "|"  # the database stores tags between bars, so no tag contains one
_NAMES = ("name", "label", "title", "tag", "value")  # the members of a JSON object that may hold the name of a tag


def read_tags(
    column: TidyColumn, *, separator: str = "", skipped: re.Pattern[str] | None = None
) -> tuple[Cells, frozenset[str], dict[int, str]]:
    """Return a column of tags in the form that the database stores, the set of tags, and what is wrong by place.

    `separator` is the only one that the tool uses, if it has one of its own. Tags that match `skipped` are left out.
    """
    read: dict[str, Sequence[str]] = {}
    wrong = {}
    for cell in column.different:
        try:
            found = tags_in_cell(cell, separator=separator)
        except ValueError as err:
            wrong[cell], found = str(err), ()
        read[cell] = tuple(tag for tag in found if not (skipped and skipped.fullmatch(tag)))
    texts = {cell: tags_text(found) for cell, found in read.items()}
    names = frozenset(tag for found in read.values() for tag in found)
    return list(map(texts.__getitem__, column.cells)), names, column.places_of(wrong)


def tags_in_cell(cell: str, *, separator: str = "") -> tuple[str, ...]:
    """Return the tags of a cell, sorted. Raise ValueError if it is JSON that does not contain tags."""
    if separator:
        return _normal(cell.split(separator))
    if cell.startswith(("[", "{")):
        return _normal(_in_brackets(cell))
    if '"' not in cell and "'" not in cell:
        return _normal(_SEPARATORS.split(cell))
    return _normal(_quoted(cell))


def cell_with_tags(tags: Iterable[str], *, separator: str = ";") -> str:
    """Return a cell from which `tags_in_cell` reads these tags, which must be in their normal form."""
    return separator.join(tag if _is_plain(tag) else '"{}"'.format(tag.replace('"', '""')) for tag in tags)


def _is_plain(tag: str) -> bool:
    return not _SEPARATORS.search(tag) and tag[:1] not in "\"'[{"


def _normal(tags: Iterable[str]) -> tuple[str, ...]:
    parts = (part for tag in tags for part in tag.split(_BAR))
    return tuple(sorted({tag for part in parts if (tag := normal_tag(part))}))


def _quoted(cell: str) -> Iterator[str]:
    for match in _TAG.finditer(cell):
        double, single, bare = match.groups()
        yield double.replace('""', '"') if double is not None else single or bare or ""


def _in_brackets(cell: str) -> list[str]:
    """Return the tags of a JSON list, of a list as Python writes it, or of text that only begins with a bracket."""
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        is_list = cell.startswith("[") and cell.endswith("]") and cell[1:2] in {"'", '"'}
        return list(_quoted(cell[1:-1] if is_list else cell))
    return [_name(item, cell) for item in (found if isinstance(found, list) else [found])]


def _name(item: object, cell: str) -> str:
    if isinstance(item, Mapping):
        item = next((item[name] for name in _NAMES if isinstance(item.get(name), str)), None)
    if isinstance(item, str):
        return on_one_line(item)
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item)
    raise ValueError(f"cannot find the names of the tags in {shortened(cell)!r}")
