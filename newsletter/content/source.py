"""Reads a user's text files: the settings with the line of each key, and the Markdown below them.

Tokens replace the merge fields, and the settings become records. Each mistake is reported with its line.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.content.comments import without_comments
from newsletter.content.front_matter import FenceFault, find_front_matter
from newsletter.content.yaml_reader import Tree, read_yaml_text
from newsletter.errors import FaultError, Fix, Location, Mistake
from newsletter.model.finding import Place
from newsletter.model.issue import MergeFieldUse, Source
from newsletter.model.slots import MERGE_FIELD, MERGE_TOKEN, parse_merge_field
from newsletter.model.typography import shortened
from newsletter.model.values import Fields
from newsletter.system.file_errors import explained
from newsletter.system.files import content_of_text

_CONTROL_FLOW = re.compile(r"\{%|%\}|\{#")
_STRAY_BRACES = re.compile(r"\{\{|\}\}")
# Control characters could break a header or the format in which an email is sent.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAX_BYTES = 2_000_000
_MOST_MISTAKES = 500  # of one issue
_LONGEST = 1_000  # characters of what is wrong, and of what to do


class Reading(Struct):
    """The mistakes and merge fields found while files are read."""

    mistakes: list[Mistake] = field(default_factory=list)
    merge_fields: list[MergeFieldUse] = field(default_factory=list)

    def add(self, path: str, line: int | None, what: str, remedy: str, *, fix: Fix | None = None) -> None:
        """Note one mistake. It shows each merge field as the user wrote it."""
        self.note([Mistake(path=path, line=line, what=what, remedy=remedy, fix=fix)])

    def note(self, mistakes: Iterable[Mistake]) -> None:
        """Note mistakes, with merge fields in place of their tokens. Only so many are kept, and each is shortened."""
        if not (mistakes := tuple(mistakes)):
            return  # as for most files
        written = {use.field.token: str(use.field) for use in self.merge_fields}

        def told(text: str) -> str:
            return MERGE_TOKEN.sub(lambda token: written.get(token[0], token[0]), text)

        for each in islice(mistakes, max(0, _MOST_MISTAKES - len(self.mistakes))):
            what, remedy = shortened(told(each.what), longest=_LONGEST), told(each.remedy)
            if len(remedy) > _LONGEST:
                remedy = shortened(remedy, longest=_LONGEST)
            fix = each.fix and Fix(old=told(each.fix.old), new=told(each.fix.new))
            self.mistakes.append(replace(each, what=what, remedy=remedy, fix=fix))

    def take(self, other: "Reading") -> None:
        """Add what another reading found."""
        self.mistakes += other.mistakes[: max(0, _MOST_MISTAKES - len(self.mistakes))]
        self.merge_fields += other.merge_fields


_Parse = Callable[[str, str, Reading], "Document | None"]


class WrittenKeys(Struct, frozen=True, eq=False):
    """The settings of a file, and the line of each.

    Settings that have not changed are the same object again, also if the Markdown below them has changed.
    """

    data: Tree
    lines: Mapping[Location, int]


class Document(Struct, frozen=True, kw_only=True, eq=False):
    """The contents of a file: its settings, and the Markdown below them.

    A file that has not changed gives the same object again. So what is made from it is cached by its identity.
    """

    path: str
    digest: str  # a hash of the whole text
    keys: WrittenKeys
    body: str = ""
    body_lines: tuple[int, ...] = ()  # the line of the file for each line of the Markdown

    @property
    def data(self) -> Tree:
        """The settings."""
        return self.keys.data

    @property
    def lines(self) -> Mapping[Location, int]:
        """The line of each setting."""
        return self.keys.lines

    @property
    def source(self) -> Source:
        """The file, and the line of each key in it."""
        return Source(path=self.path, lines=self.lines)


def read_yaml(path: str | Path, shown: str, reading: Reading, model: type[Fields]) -> Document | None:
    """Read a file that contains only the settings of `model`. If it cannot be read, note why and return None."""
    document = _read(str(path), shown, reading, _parse_yaml)
    if document is not None and not document.data:
        keys = [info.alias or name for name, info in model.model_fields.items() if info.is_required()]
        reading.add(
            shown,
            1,
            "the file is empty",
            f"write these lines, and fill in your own text: {', '.join(f'`{key}: …`' for key in keys)}",
        )
        return None
    return document


def read_front_matter(path: str, shown: str, reading: Reading) -> Document | None:
    """Read a Markdown file, with optional settings between two lines of dashes at its top.

    `shown` is the path as it appears in messages. If the file cannot be read, note the mistakes and return None.
    """
    return _read(path, shown, reading, _parse_front_matter)


def replace_merge_fields(text: str, *, path: str, lines: Sequence[int], reading: Reading) -> str:
    """Return the text with a token in place of each merge field. Note other template syntax as mistakes.

    `lines` has the line of the file for each line of the text.
    """

    breaks = [match.start() for match in re.finditer("\n", text)]

    def line_at(position: int) -> int:
        return lines[min(bisect_left(breaks, position), len(lines) - 1)]

    def token(match: re.Match[str]) -> str:
        line = line_at(match.start())
        merge_field = parse_merge_field(match["inside"])
        if merge_field is None:
            remedy = 'write {{ first_name }}, or {{ first_name | default("Friends") }} for people without a name'
            reading.add(path, line, f"{match[0]} is not a merge field", remedy)
            return ""
        reading.merge_fields.append(MergeFieldUse(field=merge_field, place=Place(path=path, line=line)))
        return merge_field.token

    if match := _CONTROL_FLOW.search(text):
        what = f"{match[0]} does not work in content"
        remedy = "delete it, or, to show a section only to one segment, write `only:` below this section in issue.yaml"
        reading.add(path, line_at(match.start()), what, remedy)
    if match := _STRAY_BRACES.search(MERGE_FIELD.sub(lambda found: " " * len(found[0]), text)):
        what = f"{match[0]} has no matching {'}}' if match[0] == '{{' else '{{'}"
        reading.add(path, line_at(match.start()), what, "write both pairs of braces: {{ first_name }}")
    return MERGE_FIELD.sub(token, text)


def _read(path: str, shown: str, reading: Reading, parse: _Parse) -> Document | None:
    raw = _content_of(path, shown, reading)
    if raw is None:
        return None
    document, found = _parsed(raw, shown, parse)
    reading.take(found)
    return document


def _content_of(path: str, shown: str, reading: Reading) -> bytes | None:
    """Return the content of a file. If it cannot be read, note why and return None."""
    try:
        return content_of_text(path, most=_MAX_BYTES)
    except FaultError as err:
        reading.add(shown, None, f"the file {err.what}", err.remedy)
    except OSError as err:
        fault = explained(err, Path(path), deed="read", elsewhere="", shown=lambda _: shown)
        reading.add(shown, None, fault.what, fault.remedy)
    return None


# Cached by content, so that after an edit only the edited file is parsed again. No caller changes a cached value.
@lru_cache(maxsize=1024)
def _parsed(raw: bytes, path: str, parse: _Parse) -> tuple[Document | None, Reading]:
    reading = Reading()
    text = _text_of(raw, path, reading)
    return None if text is None else parse(text, path, reading), reading


def _text_of(raw: bytes, path: str, reading: Reading) -> str | None:
    """Return the text of a file. If it is not UTF-8 text, note why and return None."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw[: err.start].count(b"\n") + 1
        reading.add(path, line, "the file is not UTF-8 text", "save it in your text editor as UTF-8")
        return None
    if match := _FORBIDDEN.search(text):
        line = text.count("\n", 0, match.start()) + 1
        what = f"the line contains an invisible character (U+{ord(match[0]):04X})"
        reading.add(path, line, what, "delete the line, and type it again")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


_NO_KEYS = WrittenKeys({}, {})


def _parse_yaml(text: str, path: str, reading: Reading) -> Document | None:
    keys, found = _written_keys(text, first_line=1, path=path)
    reading.take(found)
    return None if keys is None else Document(path=path, digest=_digest(text), keys=keys)


def _parse_front_matter(text: str, path: str, reading: Reading) -> Document | None:
    lines = text.split("\n")
    found = find_front_matter(lines)
    if found is None:
        document = Document(path=path, digest=_digest(text), keys=_NO_KEYS)
        return _with_body(document, text, 1, reading)
    if isinstance(found, FenceFault):
        reading.add(path, found.index + 1, found.fault.what, found.fault.remedy, fix=found.fault.fix)
        return None
    end = found.end
    keys, in_keys = _written_keys("\n".join(lines[1:end]), first_line=2, path=path)
    reading.take(in_keys)
    if keys is None:
        return None
    document = Document(path=path, digest=_digest(text), keys=keys)
    return _with_body(document, "\n".join(lines[end + 1 :]), end + 2, reading)


def _with_body(document: Document, text: str, first_line: int, reading: Reading) -> Document:
    """Return the document with the Markdown below its settings: without comments, and with tokens for merge fields."""
    plain = without_comments(text, first_line=first_line)
    if plain.unclosed is not None:
        what = "a comment begins with <!-- but never ends"
        reading.add(document.path, plain.unclosed, what, "write --> where it ends, or write \\<!-- to show the signs")
    body = replace_merge_fields(plain.text, path=document.path, lines=plain.lines, reading=reading)
    return replace(document, body=body, body_lines=plain.lines)


# Cached too, so that the settings are the same object if only the Markdown below them has changed.
@lru_cache(maxsize=1024)
def _written_keys(text: str, *, first_line: int, path: str) -> tuple[WrittenKeys | None, Reading]:
    reading = Reading()

    def with_tokens(value: str, line: int) -> str:
        plain = without_comments(value, first_line=line)
        return replace_merge_fields(plain.text, path=path, lines=plain.lines, reading=reading)

    tree = read_yaml_text(text, first_line=first_line, on_text=with_tokens)
    for mistake in tree.mistakes:
        reading.add(path, mistake.line, mistake.what, mistake.remedy, fix=mistake.fix)
    return None if tree.data is None else WrittenKeys(tree.data, tree.lines), reading


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
