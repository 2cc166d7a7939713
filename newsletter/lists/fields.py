"""Read names, codes and attributes. Each distinct value of a column is read only once."""

from collections.abc import Callable, Mapping, Sequence

import orjson

from newsletter.lists.attribute_names import attribute_name, is_attribute_name
from newsletter.lists.cells import Cells, TidyColumn, shortened
from newsletter.lists.lone_cells import about_leaving, member_text
from newsletter.model.person_names import doubt_about_name, may_deceive


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

    A member of a JSON object becomes an attribute with a text value, if its name is valid for an attribute. One that
    surely says who left is only judged, as in a tool's own columns.
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
    """Return a column with each cell passed through `read`, and what is wrong with cells by place.

    A cell that `read` refuses becomes empty.
    """
    meant, wrong = {}, {}
    for cell in column.different - {""}:
        try:
            if (found := read(cell)) != cell:
                meant[cell] = found
        except ValueError as err:
            wrong[cell], meant[cell] = str(err), ""
    if not meant:
        return column.cells, {}
    return [meant.get(cell, cell) for cell in column.cells], column.places_of(wrong)


def names(column: TidyColumn) -> tuple[Cells, dict[int, str]]:
    """Return a column of names, and what is wrong by place. A name that could deceive the reader becomes empty."""
    return looked_up(column, _checked_name) if may_deceive(tuple(column.different)) else (column.cells, {})


def _checked_name(cell: str) -> str:
    """Return a name, or raise ValueError with the reason why it cannot be one."""
    if doubt := doubt_about_name(cell):
        raise ValueError(doubt)
    return cell


def _members(name: str, column: TidyColumn) -> Sequence[str]:
    """Return each cell as a member of a JSON object, or an empty text for an empty cell."""
    head = orjson.dumps(name).decode()
    written = {cell: f"{head}:{orjson.dumps(cell).decode()}" if cell else "" for cell in column.different}
    return list(map(written.__getitem__, column.cells))


def _is_only_judged(name: str) -> bool:
    leaving = about_leaving(name)
    return leaving is not None and leaving.is_certain and not leaving.is_free


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
    texts = {
        attribute_name(name) or name: member_text(value) for name, value in found.items() if not _is_only_judged(name)
    }
    unfit = sorted(shortened(name) for name in texts if not is_attribute_name(name))
    kept = {name: text for name, text in texts.items() if text and is_attribute_name(name)}
    return kept, f"no attribute can be called {', '.join(map(repr, unfit))}; skipped" if unfit else ""
