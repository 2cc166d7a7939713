"""Read text files of a user: YAML with the line of each key, front matter, merge fields turned into tokens.

Their keys become records; each mistake is told with its line.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import yaml
from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import ValidationError

from newsletter.config import TEMPLATES_FOLDER, Config
from newsletter.errors import Location, Mistake
from newsletter.model.finding import Place
from newsletter.model.issue import MergeFieldUse, Source, Tips
from newsletter.model.slots import MERGE_FIELD, parse_merge_field
from newsletter.model.values import Fields
from newsletter.settings.mistakes import mistakes_of

Tree = Mapping[str, object]

_FENCE = re.compile(r"---[ \t]*")
_CONTROL_FLOW = re.compile(r"\{%|%\}|\{#")
_STRAY_BRACES = re.compile(r"\{\{|\}\}")
# What a control character in a text would do to a header or a wire format is nobody's wish.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OPEN_QUOTES = "found unexpected end of stream"  # PyYAML's words, which it has for nothing else
_MAX_BYTES = 2_000_000


class _Loader(yaml.CSafeLoader):
    """YAML without its own idea of dates, so that an impossible one can be reported like any other mistake."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Reading(Struct):
    """What gathers while files are read: mistakes and merge fields."""

    mistakes: list[Mistake] = field(default_factory=list)
    merge_fields: list[MergeFieldUse] = field(default_factory=list)

    def add(self, path: str, line: int | None, what: str, remedy: str) -> None:
        """Notes one mistake."""
        self.mistakes.append(Mistake(path=path, line=line, what=what, remedy=remedy))

    def take(self, other: "Reading") -> None:
        """Adds what another reading gathered."""
        self.mistakes += other.mistakes
        self.merge_fields += other.merge_fields


class Document(Struct, frozen=True, kw_only=True):
    """A file as read: the keys of its front matter, the line of each, and the Markdown below."""

    path: str
    digest: str  # of the whole text
    data: Tree
    lines: Mapping[Location, int]
    body: str = ""
    body_line: int = 1  # the line of the file on which the body begins

    @property
    def source(self) -> Source:
        """The file, and the line of each key in it."""
        return Source(path=self.path, lines=self.lines)


def read_yaml(path: Path, shown: str, reading: Reading) -> Document | None:
    """A file that is YAML from its first line on; None, with its mistakes noted, where it is broken."""
    return _read(path, shown, reading, _parse_yaml)


def read_front_matter(path: Path, shown: str, reading: Reading) -> Document | None:
    """A Markdown file with optional YAML between two lines of dashes above it; `shown` is its path for people."""
    return _read(path, shown, reading, _parse_front_matter)


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
        what = f"{match[0]} has no partner"
        reading.add(path, line_at(match.start()), what, "a merge field stands between {{ and }}")
    return MERGE_FIELD.sub(token, text)


def _read(
    path: Path, shown: str, reading: Reading, parse: Callable[[str, str], tuple[Document | None, Reading]]
) -> Document | None:
    text = _text_of(path, shown, reading)
    if text is None:
        return None
    document, found = parse(text, shown)
    reading.take(found)
    return document


def _text_of(path: Path, shown: str, reading: Reading) -> str | None:
    """The text of a file; None, with a mistake noted, where it cannot be read as UTF-8."""
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


# Remembered by content, so that an edit of one file parses one file. What is remembered is never changed.
@lru_cache(maxsize=64)
def _parse_yaml(text: str, path: str) -> tuple[Document | None, Reading]:
    reading = Reading()
    return _document(text, first_line=1, path=path, reading=reading), reading


@lru_cache(maxsize=512)
def _parse_front_matter(text: str, path: str) -> tuple[Document | None, Reading]:
    reading = Reading()
    lines = text.split("\n")
    if not _FENCE.fullmatch(lines[0]):
        body = replace_merge_fields(text, path=path, first_line=1, reading=reading)
        return Document(path=path, digest=_digest(text), data={}, lines={}, body=body), reading
    end = next((number for number, line in enumerate(lines[1:], start=1) if _FENCE.fullmatch(line)), None)
    if end is None:
        reading.add(path, 1, "the front matter has no end", "close it with a line of three dashes")
        return None, reading
    document = _document("\n".join(lines[1:end]), first_line=2, path=path, reading=reading)
    if document is None:
        return None, reading
    body_line = end + 2
    body = replace_merge_fields("\n".join(lines[end + 1 :]), path=path, first_line=body_line, reading=reading)
    return replace(document, digest=_digest(text), body=body, body_line=body_line), reading


def _document(text: str, *, first_line: int, path: str, reading: Reading) -> Document | None:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as err:
        mark, what = err.problem_mark or err.context_mark, f"not valid YAML: {err.problem or err.context}"
        remedy = "check the indentation, the colons, and the quotes around text with a colon"
        if err.problem == _OPEN_QUOTES:  # found at the end of the file; the mistake is where they begin
            mark, what = err.context_mark, "the quotes that begin here are never closed"
            remedy = "close them at the end of the text"
        reading.add(path, mark.line + first_line if mark else None, what, remedy)
        return None
    except yaml.YAMLError as err:
        reading.add(path, None, f"not valid YAML: {err}", "delete what does not belong to a text file")
        return None
    if root is None:
        return Document(path=path, digest=_digest(text), data={}, lines={})
    builder = _TreeBuilder(path=path, first_line=first_line, reading=reading)
    data = builder.build(root, ())
    if not isinstance(data, dict):
        reading.add(path, first_line, "does not hold keys with values", "write `key: value` lines")
        return None
    return Document(path=path, digest=_digest(text), data=data, lines=builder.lines)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


class _TreeBuilder(Struct):
    """Turns YAML nodes into values, remembering the line of each key and item."""

    path: str
    first_line: int
    reading: Reading
    lines: dict[Location, int] = field(default_factory=dict)
    _scalars: _Loader = field(default_factory=lambda: _Loader(""))

    def build(self, node: yaml.Node, location: Location) -> object:
        line = node.start_mark.line + self.first_line
        self.lines.setdefault(location, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*location, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> Tree:
        tree: dict[str, object] = {}
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


_FieldsT = TypeVar("_FieldsT", bound=Fields)


def record_of(
    document: Document, model: type[_FieldsT], reading: Reading, context: Mapping[str, object] | None = None
) -> _FieldsT | None:
    """The keys of a document as a record; None, with its mistakes noted, where they are wrong."""
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as err:

        def line_of(location: Location) -> int | None:
            return document.source.at(*location).line

        reading.mistakes += mistakes_of(err, model=model, path=document.path, line_of=line_of)
        return None


TIPS_FOLDER = "tips"
_ENDING = ".yaml"


def read_tips(config: Config, language: str, *, asked_at: Place, reading: Reading) -> Tips | None:
    """The steps in a language; without its region or script where there is no file for these, `pt` for `pt-BR`.

    None, with the mistakes noted, where there is no file or it is wrong. `asked_at` is where an issue asks for them.
    """
    path = _find(config, language)
    if path is None:
        what = f"there are no steps in the issue's language, {language}"
        known = ", ".join(_languages(config))
        remedy = f"write {TEMPLATES_FOLDER}/{TIPS_FOLDER}/{language}{_ENDING}, or `cards`; there are {known}"
        reading.add(asked_at.path, asked_at.line, what, remedy)
        return None
    found = Reading()
    document = read_yaml(path, config.shown(path), found)
    for use in found.merge_fields:
        found.add(use.place.path, use.place.line, f"{use.field} is a merge field", "write plain words")
    reading.mistakes += found.mistakes
    return None if document is None else record_of(document, Tips, reading)


def _find(config: Config, language: str) -> Path | None:
    names = dict.fromkeys([language, language.partition("-")[0]])
    paths = [folder / TIPS_FOLDER / f"{name}{_ENDING}" for name in names for folder in config.theme_folders]
    return next((path for path in paths if path.is_file()), None)


def _languages(config: Config) -> list[str]:
    return sorted({path.stem for folder in config.theme_folders for path in (folder / TIPS_FOLDER).glob(f"*{_ENDING}")})
