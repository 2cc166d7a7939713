"""Changes the values of keys in YAML, and nothing else: comments, order, quotes and layout stay as they were.

Each change is made in the text itself and then read back. A value is written in the first of several ways (as before,
plain, in quotes) with which the file reads as wanted and everything else in it is unchanged.
"""

from collections.abc import Iterator, Sequence

import yaml

from newsletter.content.yaml_reader import Tree, read_yaml_text
from newsletter.errors import InputError, Location

Value = str | tuple[str, ...] | None  # text, a list of texts, or None to delete the key
_STEP = 2  # spaces by which a new level is indented


def with_keys(text: str, changes: Sequence[tuple[Location, Value]]) -> str:
    """Return YAML in which the values at these locations are changed.

    A key that is not there yet is added at the end of its record, with the records around it. An item of a list may be
    added with the number that follows the last one. A record or list of which nothing is left is deleted. Raise
    InputError if the text has mistakes, or if a value cannot be changed without touching others.
    """
    for location, value in changes:
        text = _with_key(text, location, value)
    return text


def _with_key(text: str, location: Location, value: Value) -> str:
    before = read_yaml_text(text)
    if before.data is None or before.mistakes:
        raise InputError("the keys of this file have mistakes; correct them in the text first")
    wanted = _changed(before.data, location, value)
    for candidate in _candidates(text, location, value):
        after = read_yaml_text(candidate)
        if not after.mistakes and (after.data or {}) == wanted:
            return candidate
    key = " › ".join(map(str, location))
    raise InputError(f"{key} cannot be changed here without changing other lines; edit the whole file as text")


def _changed(tree: object, location: Location, value: Value) -> object:
    """Return the values of a file as they are to be after a change. Empty records and lists are left out."""
    if not location:
        return list(value) if isinstance(value, tuple) else value
    step, rest = location[0], location[1:]
    if isinstance(step, int):
        items = list(tree) if isinstance(tree, list) else []
        inner = _changed(items[step] if step < len(items) else None, rest, value)
        items[step : step + 1] = [] if inner in (None, {}, []) else [inner]
        return items
    record = dict(tree) if isinstance(tree, dict) else {}
    inner = _changed(record.get(step), rest, value)
    if inner in (None, {}, []):
        record.pop(step, None)
    else:
        record[step] = inner
    return record


def _candidates(text: str, location: Location, value: Value) -> Iterator[str]:
    root = _root_of(text)
    node, depth = _nearest(root, location)
    if value is None or value == ():
        yield _without(text, root, location)
    elif isinstance(node, yaml.SequenceNode) and isinstance(value, tuple) and not node.flow_style:
        yield _with_items(text, node, value)
    elif depth == len(location) and node is not None:
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        yield from (_replaced(text, node, written) for written in _written(value, style))
    else:
        for written in _written(value, None):
            yield _added(text, node, location[depth:], written)


def _root_of(text: str) -> yaml.Node | None:
    # The reader has already refused aliases and deep nesting.
    return yaml.compose(text, Loader=yaml.CSafeLoader)


def _nearest(node: yaml.Node | None, location: Location) -> tuple[yaml.Node | None, int]:
    """Return the node at a location, or the last one on the way to it, and how many steps lead there."""
    for depth, step in enumerate(location):
        inner = _child(node, step)
        if inner is None or (depth + 1 < len(location) and _is_nothing(inner)):
            return node, depth
        node = inner
    return node, len(location)


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and not node.value


def _written(value: Value, style: str | None) -> Iterator[str]:
    """Yield the ways to write a value on one line, best first. `style` is the sign of the quotes that it had."""
    if isinstance(value, tuple):
        yield f"[{', '.join(value)}]"
        yield f"[{', '.join(map(_in_double, value))}]"
        return
    text = value or ""
    single = f"'{text.replace(chr(39), chr(39) * 2)}'"
    if style == "'":
        yield single
    elif style != '"':
        yield text
    if style != '"' and ('"' in text or "\\" in text):
        yield single
    yield _in_double(text)


def _in_double(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _replaced(text: str, node: yaml.Node, written: str) -> str:
    start, end = _span(text, node)
    before = text[:start]
    gap = " " if before.endswith((":", "-")) else ""
    line_end = "\n" if text[start:end].endswith("\n") else ""
    return f"{before}{gap}{written}{line_end}{text[end:]}"


def _span(text: str, node: yaml.Node) -> tuple[int, int]:
    """Return where a node begins and ends. The parser counts blank lines and comments after a block as part of it."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1] if node.value else None
        inner = last[1] if isinstance(last, tuple) else last
        return start, _span(text, inner)[1] if inner is not None else start
    if isinstance(node, yaml.ScalarNode) and node.style is None:
        return start, start + len(text[start:end].rstrip())
    return start, end


def _line_after(text: str, position: int) -> int:
    """Return where the line after a position begins. A position at the beginning of a line counts as that line's."""
    if position == 0 or text[position - 1] == "\n":
        return position
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _line_of(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _added(text: str, node: yaml.Node | None, rest: Location, written: str) -> str:
    """Return the text with a new key or item, and the records around it, in the record or list `node`."""
    if node is None:
        return f"{text}{_ended(text)}{_block(rest, written, 0)}"
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        end = node.end_mark.index - 1
        separator = ", " if node.value else ""
        inside = text[:end].rstrip()
        return f"{inside}{separator}{_flow(rest, written)}{text[len(inside) :]}"
    if isinstance(node, yaml.ScalarNode):  # a key without a value
        line = text[_line_of(text, node.start_mark.index) :]
        indent = len(line) - len(line.lstrip(" -")) + _STEP
        at = _line_after(text, node.end_mark.index)
    else:
        first = node.value[0] if node.value else None
        indent = (first[0] if isinstance(first, tuple) else node).start_mark.column
        at = _line_after(text, _span(text, node)[1])
    return f"{text[:at]}{_ended(text[:at])}{_block(rest, written, indent)}{text[at:]}"


def _ended(text: str) -> str:
    return "" if not text or text.endswith("\n") else "\n"


def _block(rest: Location, written: str, indent: int) -> str:
    """Return the lines of a new value: `- ` for each number, and a key for each name, one level below the other."""
    lines, lead = [], " " * indent
    for number, step in enumerate(rest):
        is_last = number == len(rest) - 1
        if isinstance(step, int):
            if is_last:
                lines.append(f"{lead}- {written}")
            lead = f"{lead}- "
            continue
        lines.append(f"{lead}{step}:{f' {written}' if is_last else ''}")
        lead = " " * (len(lead) + _STEP)
    return "\n".join(lines) + "\n"


def _flow(rest: Location, written: str) -> str:
    for step in reversed(rest):
        written = f"{step}: {written}" if isinstance(step, str) else written
        if step != rest[0]:
            written = f"{{ {written} }}"
    return written


def _with_items(text: str, node: yaml.SequenceNode, values: tuple[str, ...]) -> str:
    """Return the text with a list of one item per line that has these items. Lines of kept items stay."""
    kept = [item.value for item in node.value if item.value in values]
    indent, at = node.start_mark.column, _line_after(text, _span(text, node)[1])
    new = "".join(f"{' ' * indent}- {value}\n" for value in values if value not in kept)
    result = f"{text[:at]}{_ended(text[:at]) if new else ''}{new}{text[at:]}"
    for item in reversed(node.value):
        if item.value not in values:
            start = _line_of(text, item.start_mark.index)
            result = result[:start] + result[_line_after(text, _span(text, item)[1]) :]
    return result


def _without(text: str, root: yaml.Node | None, location: Location) -> str:
    """Return the text without the key or item at a location, and without records and lists that are then empty."""
    parent, _ = _nearest(root, location[:-1])
    while len(location) > 1 and isinstance(parent, yaml.CollectionNode) and len(parent.value) == 1:
        location = location[:-1]
        parent, _ = _nearest(root, location[:-1])
    if not isinstance(parent, yaml.CollectionNode):
        return text
    index = next((at for at, each in enumerate(parent.value) if _is_at(each, at, location[-1])), None)
    if index is None:
        return text
    entry = parent.value[index]
    first, last = entry if isinstance(entry, tuple) else (entry, entry)
    start, end = first.start_mark.index, _span(text, last)[1]
    if parent.flow_style:
        if index:
            before = parent.value[index - 1]
            start = _span(text, before[1] if isinstance(before, tuple) else before)[1]
        elif len(parent.value) > 1:
            after = parent.value[1]
            end = (after[0] if isinstance(after, tuple) else after).start_mark.index
        return text[:start] + text[end:]
    line = _line_of(text, start)
    if (
        isinstance(entry, tuple) and index == 0 and text[line:start].strip()
    ):  # it stands behind the dash of an item, as does what follows it
        following = parent.value[1][0].start_mark.index
        return text[:start] + text[following:]
    return text[:line] + text[_line_after(text, end) :]


def _is_at(entry: object, index: int, step: str | int) -> bool:
    if isinstance(entry, tuple):
        return bool(entry[0].value == step)
    return index == step


def values_of(text: str) -> Tree | None:
    """Return the values of YAML as they are written, or None if the text has mistakes."""
    tree = read_yaml_text(text)
    return None if tree.mistakes else tree.data
