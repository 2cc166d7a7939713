"""Text files of a user: YAML with the line of each key, front matter, merge fields turned into tokens."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from newsletter.errors import Mistake
from newsletter.model.finding import Place
from newsletter.model.issue import MergeFieldUse
from newsletter.model.merge import MERGE_FIELD, parse_merge_field
from newsletter.model.mistakes import Location

Tree = dict[str, object]

_FENCE = re.compile(r"---[ \t]*")
_CONTROL_FLOW = re.compile(r"\{%|%\}|\{#")
_STRAY_BRACES = re.compile(r"\{\{|\}\}")
# What a control character in a text would do to a header or a wire format is nobody's wish.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAX_BYTES = 2_000_000


class _Loader(yaml.SafeLoader):
    """YAML without its own idea of dates, so that an impossible one can be reported like any other mistake."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(slots=True)
class Reading:
    """What gathers while an issue's files are read: mistakes, merge fields, and how a path is shown."""

    shown: Callable[[Path], str]
    mistakes: list[Mistake] = field(default_factory=list)
    merge_fields: list[MergeFieldUse] = field(default_factory=list)

    def add(self, path: str, line: int | None, what: str, remedy: str) -> None:
        """Notes one mistake."""
        self.mistakes.append(Mistake(path=path, line=line, what=what, remedy=remedy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as read: the keys of its front matter, the line of each, and the Markdown below."""

    path: str
    data: Tree
    lines: dict[Location, int]
    body: str = ""
    body_line: int = 1  # the line of the file on which the body begins


def read_text(path: Path, reading: Reading) -> str | None:
    """The text of a file; None, with a mistake noted, where it cannot be read as UTF-8."""
    shown = reading.shown(path)
    try:
        raw = path.read_bytes()
    except OSError as err:
        reading.add(shown, None, f"cannot be read ({err.strerror})", "check its name and its permissions")
        return None
    if len(raw) > _MAX_BYTES:
        reading.add(shown, None, f"is {len(raw):,} bytes long", "a text file of an issue stays under 2 MB")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw[: err.start].count(b"\n") + 1
        reading.add(shown, line, "is not UTF-8 text", "save it with the encoding UTF-8")
        return None
    if match := _FORBIDDEN.search(text):
        line = text.count("\n", 0, match.start()) + 1
        reading.add(shown, line, f"holds the control character U+{ord(match[0]):04X}", "delete it")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(path: Path, reading: Reading) -> Document | None:
    """A file that is YAML from its first line on; None, with its mistakes noted, where it is broken."""
    text = read_text(path, reading)
    return None if text is None else _document(text, first_line=1, path=path, reading=reading)


def read_front_matter(path: Path, reading: Reading) -> Document | None:
    """A Markdown file with optional YAML between two lines of dashes above it."""
    text = read_text(path, reading)
    if text is None:
        return None
    lines = text.split("\n")
    if not _FENCE.fullmatch(lines[0]):
        shown = reading.shown(path)
        body = replace_merge_fields(text, path=shown, first_line=1, reading=reading)
        return Document(path=shown, data={}, lines={}, body=body)
    end = next((number for number, line in enumerate(lines[1:], start=1) if _FENCE.fullmatch(line)), None)
    if end is None:
        reading.add(reading.shown(path), 1, "the front matter has no end", "close it with a line of three dashes")
        return None
    document = _document("\n".join(lines[1:end]), first_line=2, path=path, reading=reading)
    if document is None:
        return None
    body_line = end + 2
    body = replace_merge_fields("\n".join(lines[end + 1 :]), path=document.path, first_line=body_line, reading=reading)
    return Document(path=document.path, data=document.data, lines=document.lines, body=body, body_line=body_line)


def replace_merge_fields(text: str, *, path: str, first_line: int, reading: Reading) -> str:
    """The text with each merge field replaced by its token; what is not one is noted as a mistake."""

    def line_at(position: int) -> int:
        return first_line + text.count("\n", 0, position)

    def token(match: re.Match[str]) -> str:
        line = line_at(match.start())
        merge_field = parse_merge_field(match["inside"])
        if merge_field is None:
            remedy = 'write {{ first_name }} or {{ first_name | default("Friends") }}'
            reading.add(path, line, f"{match[0]} is not a merge field", remedy)
            return ""
        reading.merge_fields.append(MergeFieldUse(field=merge_field, place=Place(path=path, line=line)))
        return merge_field.token

    if match := _CONTROL_FLOW.search(text):
        what = f"{match[0]} is control flow, which content does not have"
        reading.add(path, line_at(match.start()), what, "show a section to a segment with `only:` in issue.yaml")
    if match := _STRAY_BRACES.search(MERGE_FIELD.sub(lambda found: " " * len(found[0]), text)):
        reading.add(
            path, line_at(match.start()), f"{match[0]} has no partner", "a merge field stands between {{ and }}"
        )
    return MERGE_FIELD.sub(token, text)


def _document(text: str, *, first_line: int, path: Path, reading: Reading) -> Document | None:
    shown = reading.shown(path)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        line = mark.line + first_line if mark else None
        what = f"not valid YAML: {err.problem or err.context}"
        reading.add(shown, line, what, "check the indentation, the colons, and the quotes around text with a colon")
        return None
    except yaml.YAMLError as err:
        reading.add(shown, None, f"not valid YAML: {err}", "delete what does not belong to a text file")
        return None
    if root is None:
        return Document(path=shown, data={}, lines={})
    builder = _TreeBuilder(path=shown, first_line=first_line, reading=reading)
    data = builder.build(root, ())
    if not isinstance(data, dict):
        reading.add(shown, first_line, "does not hold keys with values", "write `key: value` lines")
        return None
    return Document(path=shown, data=data, lines=builder.lines)


@dataclass(slots=True)
class _TreeBuilder:
    """Turns YAML nodes into values, remembering the line of each key and item."""

    path: str
    first_line: int
    reading: Reading
    lines: dict[Location, int] = field(default_factory=dict)
    _scalars: yaml.SafeLoader = field(default_factory=lambda: _Loader(""))

    def build(self, node: yaml.Node, location: Location) -> object:
        line = node.start_mark.line + self.first_line
        self.lines.setdefault(location, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*location, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> Tree:
        tree: Tree = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + self.first_line
            key = str(key_node.value)
            if key in tree:
                self.reading.add(self.path, line, f"the key {key} stands twice", "keep one of them")
                continue
            self.lines[(*location, key)] = line
            tree[key] = self.build(value_node, (*location, key))
        return tree

    def _scalar(self, node: yaml.Node, line: int) -> object:
        try:
            value: object = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as err:
            self.reading.add(self.path, line, f"{node.value!r} cannot be read ({err})", "put it in quotes")
            return None
        if not isinstance(value, str):
            return value
        return replace_merge_fields(value, path=self.path, first_line=line, reading=self.reading)
