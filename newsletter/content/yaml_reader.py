"""Reads keys, lists and text from YAML, with the line of each, and describes mistakes in plain words.

The reader goes through the events of PyYAML's parser and builds the values itself. A value without quotes stays
exactly as it was written: `12:30`, `No`, `1.10` and `20260225` become something else only if their field requires it.
Anchors, aliases and tags are refused, and so is nesting deeper than 20 levels. No file can exhaust the memory or the
stack.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import yaml
from msgspec import Struct, field

from newsletter.content.yaml_mistakes import (
    MOST_MISTAKES,
    YamlMistake,
    begins_with_sign,
    cut_at_hash,
    in_curly_quotes,
    is_cut,
    odd_indentation,
    remedy_in_braces,
)
from newsletter.content.yaml_second_look import look_again
from newsletter.errors import Location
from newsletter.model.typography import ODD_SPACE, inside_curly_quotes, shortened

Tree = Mapping[str, object]

MOST_LEVELS: Final = 20
_MOST_VALUES: Final = 10_000
_LONGEST_MESSAGE: Final = 1_000
_LONGEST_LINE: Final = 2_000  # how many characters of a line are read to describe a mistake
# Characters that YAML does not allow, in addition to the control characters that no text may contain.
# As one pattern, they would take twenty times as long to compile.
_UNREADABLE = (
    re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"),
    re.compile("[\ud800-\udfff\ufeff]"),
    re.compile("[\ufffe\uffff]"),
)
_NO_VALUE = frozenset({"", "~", "null"})
_HASH = re.compile(r"[ \t]+#")
_ODD_SPACE = re.compile(ODD_SPACE)
_NOT_PLAIN = frozenset({"'", '"', "|", ">"})


class YamlTree(Struct, frozen=True):
    """The values of a file, the line of each key and item, and the mistakes. Without usable values, `data` is None."""

    data: Tree | None
    lines: Mapping[Location, int]
    mistakes: tuple[YamlMistake, ...]


def read_yaml_text(text: str, *, first_line: int = 1, on_text: Callable[[str, int], str] | None = None) -> YamlTree:
    """Read YAML that begins on line `first_line` of its file.

    `on_text` receives every text value with its line, and returns the value to keep.
    """
    builder = _Builder(text=text, first_line=first_line, on_text=on_text or (lambda value, _: value))
    data = builder.read()
    found = sorted(builder.mistakes, key=lambda mistake: mistake.order)[: 2 * MOST_MISTAKES]
    mistakes = tuple(YamlMistake(each.line, _short(each.what), _short(each.remedy), each.fix) for each in found)
    return YamlTree(data=data, lines=builder.lines, mistakes=mistakes)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else shortened(text, longest=_LONGEST_MESSAGE)


class _StopReadingError(Exception):
    """The rest of the file cannot be read. The mistake has already been noted."""


class _Builder(Struct):
    text: str
    first_line: int
    on_text: Callable[[str, int], str]
    lines: dict[Location, int] = field(default_factory=dict)
    mistakes: list[YamlMistake] = field(default_factory=list)
    is_misaligned: bool = False  # keys are on the wrong level, so the values cannot be trusted
    _breaks: list[int] = field(default_factory=list)
    _values: int = 0
    _last: int = 0  # the position of the last character that is not a space
    _events: Iterator[yaml.Event] = field(default_factory=lambda: iter(()))

    def read(self) -> Tree | None:
        """Return the keys of the file with their values. If it cannot be read to the end, note why and return None."""
        # The parser also counts characters such as U+2028 as line breaks, so lines are counted here.
        self._breaks = [match.start() for match in re.finditer("\n", self.text)]
        self._last = max(len(self.text.rstrip()) - 1, 0)
        found = [match for pattern in _UNREADABLE if (match := pattern.search(self.text))]
        if match := min(found, key=re.Match.start, default=None):
            what = f"the line contains the invisible character U+{ord(match[0]):04X}"
            self._note(self._line_at(match.start()), what, "delete it")
            return None
        self._events = iter(yaml.parse(self.text, Loader=yaml.CSafeLoader))
        data: object = None
        try:
            data = self._document()
        except yaml.YAMLError as err:
            self._look_again(self._line_at(_position_of(err)))
            return None
        except _StopReadingError:
            return None
        if isinstance(data, dict):
            return None if self.is_misaligned else data
        if isinstance(data, list):
            self._note(self.lines[()], "the file is a list", "write lines with a colon, for example `title: A letter`")
            return None
        self._look_again(self.lines.get((), self.first_line))
        return None

    def _document(self) -> object:
        data: object = {}
        if any(isinstance(event, yaml.DocumentStartEvent) for event in self._events):
            root = next(self._events)
            if not _is_nothing(root):
                data = self._value(root, (), prefix="", depth=0)
            for later in self._events:
                if isinstance(later, yaml.DocumentStartEvent):
                    line = self._line_at(_start_of(later))
                    self._note(line, "the settings end at this line of dashes", "delete this line")
                    raise _StopReadingError
        return data

    def _value(self, event: yaml.Event, location: Location, *, prefix: str, depth: int) -> object:
        """Return the value that begins with an event. `prefix` is the text before the value, such as `title: `."""
        start = _start_of(event)
        line = self._line_at(start)
        self.lines.setdefault(location, line)
        self._values += 1
        if self._values > _MOST_VALUES:
            self._note(line, f"the file has more than {_MOST_VALUES:,} values", "delete lines that do not belong in it")
        if self._values > _MOST_VALUES or len(self.mistakes) >= MOST_MISTAKES:
            raise _StopReadingError
        if _has_sign(event):
            self.mistakes.append(begins_with_sign(line, prefix, self._rest_of_line(start)))
            self._skip(event)
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line, prefix)
        if depth == MOST_LEVELS:
            self._note(line, f"lists and keys are nested more than {MOST_LEVELS} levels deep", "delete the brackets")
            raise _StopReadingError
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, location, prefix=prefix, depth=depth + 1)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(event, location, depth=depth + 1)
        return None

    def _mapping(self, start: yaml.MappingStartEvent, location: Location, *, prefix: str, depth: int) -> object:
        tree: dict[str, object] = {}
        position = _start_of(start)
        before: tuple[str, str] | None = None  # in braces, the pair before the last comma
        if start.flow_style and self.text.startswith("{{", position):
            line = self._line_at(position)
            self.mistakes.append(begins_with_sign(line, prefix, self._rest_of_line(position)))
            self._skip(start)
            return None
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            line = self._line_at(_start_of(event))
            if not isinstance(event, yaml.ScalarEvent) or _has_sign(event):
                self.mistakes.append(begins_with_sign(line, "", self._rest_of_line(_start_of(event))))
                raise _StopReadingError
            key = event.value
            value = next(self._events)
            if _ODD_SPACE.match(key):
                content = self._rest_of_line(_start_of(event)).strip()
                self.mistakes.append(odd_indentation(line, key, 2 if tree else 0, content))
                self.is_misaligned = True
            elif start.flow_style and _is_nothing(value) and _start_of(value) == _end_of(event):
                self._note(line, f"“{shortened(key)}” in the braces has no colon", remedy_in_braces(before, key))
            elif key in tree:
                self._note(
                    line,
                    f"the key {shortened(key)!r} appears twice, first on line {self.lines[(*location, key)]}",
                    "delete one of them",
                )
            else:
                tree[key] = None
                self.lines[(*location, key)] = line
                written = f"{key}: " if not start.flow_style else ""
                before = (key, value.value) if isinstance(value, yaml.ScalarEvent) else None
                tree[key] = self._value(value, (*location, key), prefix=written, depth=depth)
                continue
            self._skip(value)
        return tree

    def _list(self, start: yaml.SequenceStartEvent, location: Location, *, depth: int) -> list[object]:
        items: list[object] = []
        prefix = "" if start.flow_style else "- "
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*location, len(items)), prefix=prefix, depth=depth))
        return items

    def _skip(self, event: yaml.Event) -> None:
        """Skip the rest of the value that begins with this event."""
        open_collections = int(isinstance(event, yaml.CollectionStartEvent))
        while open_collections:
            event = next(self._events)
            open_collections += isinstance(event, yaml.CollectionStartEvent)
            open_collections -= isinstance(event, yaml.CollectionEndEvent)
            if open_collections > MOST_LEVELS:
                raise _StopReadingError

    def _scalar(self, event: yaml.ScalarEvent, line: int, prefix: str) -> str | None:
        value = event.value
        if event.style not in _NOT_PLAIN and event.tag is None:
            value = self._plain(event, line, prefix)
            if value in _NO_VALUE:
                return None
        return self.on_text(value, line)

    def _plain(self, event: yaml.ScalarEvent, line: int, prefix: str) -> str:
        """Return a value that has no quotes. Note a mistake if a `#` cuts it off or curly quotes surround it."""
        value, end = str(event.value), _end_of(event)
        # The pattern is matched first, so that a long line of many values is not copied for each value.
        if _HASH.match(self.text, end) and is_cut(value, rest := self._rest_of_line(end, strip=False), prefix):
            if not prefix:  # in brackets or braces, whose closing character is part of the comment as well
                rest = re.split(r"[\]},]", rest, maxsplit=1)[0]
            whole = f"{value}{rest.rstrip()}".strip()
            self.mistakes.append(cut_at_hash(self._line_at(end), prefix, whole, whole.find("#", len(value))))
            return whole
        # A colon after the quotes is a mistake too, and the second look reports it with the whole text.
        if (inside := inside_curly_quotes(value)) is not None and not self.text.startswith(":", end):
            self.mistakes.append(in_curly_quotes(line, prefix, value, inside))
            return inside
        return value

    def _look_again(self, line: int) -> None:
        """Note the mistakes in a file that the parser refused at this line."""
        told = {mistake.line for mistake in self.mistakes}
        found = [mistake for mistake in look_again(self.text, self.first_line) if mistake.line not in told]
        self.mistakes += found
        if any(mistake.line <= line for mistake in self.mistakes):
            return
        words = self.text.split("\n")[line - self.first_line].strip()
        if not words:
            self._note(line, "the file cannot be read", "write lines with a colon, for example `title: A letter`")
            return
        what = f"the line “{shortened(words)}” cannot be read"
        self._note(line, what, 'write it as `key: "text"`, with the same indentation as the lines around it')

    def _note(self, line: int, what: str, remedy: str) -> None:
        self.mistakes.append(YamlMistake(line, what, remedy))

    def _line_at(self, position: int) -> int:
        """Return the line of the file at a position in the text, but never a blank line at the end of the file."""
        return self.first_line + bisect_left(self._breaks, min(position, self._last))

    def _rest_of_line(self, position: int, *, strip: bool = True) -> str:
        rest = self.text[position : position + _LONGEST_LINE].partition("\n")[0]
        return rest.strip(" \t") if strip else rest


def _position_of(error: yaml.YAMLError) -> int:
    """Return the position at which the parser stopped. For quotes that are never closed, return their start."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0
    marks = [error.problem_mark, error.context_mark]
    if error.problem == "found unexpected end of stream":
        marks.reverse()
    return next((mark.index for mark in marks if mark is not None), 0)


def _start_of(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _end_of(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark is not None else 0


def _has_sign(event: yaml.Event) -> bool:
    """Return whether a value begins with `*`, `&` or `!`: an alias, an anchor or a tag."""
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
        return event.anchor is not None or event.tag is not None
    return isinstance(event, yaml.AliasEvent)


def _is_nothing(event: yaml.Event) -> bool:
    """Return whether a value is missing: there is a place for it, but no text."""
    if not isinstance(event, yaml.ScalarEvent) or event.style in _NOT_PLAIN or _has_sign(event):
        return False
    return not event.value
