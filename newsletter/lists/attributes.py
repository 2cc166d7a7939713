"""Gathers the further columns of a list into one: a JSON object of texts for each row."""

from collections.abc import Mapping, Sequence

import orjson

from newsletter.lists.cells import Cells, TidyColumn, on_one_line, shortened
from newsletter.lists.csv_header import attribute_name, is_attribute_name


def gathered(named: Mapping[str, TidyColumn]) -> tuple[Cells, frozenset[str]]:
    """The objects of columns with the attribute's name of each, in the order of the names; and which names are used."""
    pieces = [_members(name, column) for name, column in sorted(named.items())]
    used = frozenset(name for name, column in named.items() if column.different - {""})
    if len(pieces) == 1:
        return [f"{{{piece}}}" if piece else "" for piece in pieces[0]], used
    rows = zip(*pieces, strict=True)
    return [f"{{{members}}}" if (members := ",".join(filter(None, row))) else "" for row in rows], used


def gathered_with_json(
    named: Mapping[str, TidyColumn], nested: Mapping[str, TidyColumn]
) -> tuple[Cells, frozenset[str], dict[int, str]]:
    """The same where columns, given by their names, hold further attributes as JSON; and what is doubtful about a row.

    Of a JSON object is taken, as text, what has a name that an attribute can have.
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


def _members(name: str, column: TidyColumn) -> Sequence[str]:
    """Each cell as a member of a JSON object; empty where the cell is."""
    head = orjson.dumps(name).decode()
    written = {cell: f"{head}:{orjson.dumps(cell).decode()}" if cell else "" for cell in column.different}
    return list(map(written.__getitem__, column.cells))


def _inside(cell: str) -> tuple[dict[str, str], str]:
    """The members of a JSON object as texts, and what is doubtful about it."""
    if not cell:
        return {}, ""
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return {}, "it is not a JSON object; left out"
    texts = {attribute_name(name) or name: _text(value) for name, value in found.items()}
    unfit = sorted(shortened(name) for name in texts if not is_attribute_name(name))
    kept = {name: text for name, text in texts.items() if text and is_attribute_name(name)}
    return kept, f"no attribute can be called {', '.join(map(repr, unfit))}; left out" if unfit else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    return on_one_line(value if isinstance(value, str) else orjson.dumps(value).decode())
