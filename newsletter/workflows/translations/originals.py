"""Reads the files of an issue as units to translate, and their translations with what they hold of each unit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct, field
from pydantic import BaseModel

from newsletter.config import Config
from newsletter.content.comments import without_comments
from newsletter.content.loader import ISSUE_FILE
from newsletter.content.translations import MARKS
from newsletter.content.yaml_reader import Tree, read_yaml_text
from newsletter.errors import InputError, Location
from newsletter.model.issue import Issue
from newsletter.model.issue_fields import EventFields, IssueFields
from newsletter.model.slots import MERGE_TOKEN, MergeField
from newsletter.translation.held import UNKNOWN, Held, HeldText, held_by_units, read_marks
from newsletter.translation.inline import needs_translation
from newsletter.translation.inline_markdown import FindSpans, markdown_of
from newsletter.translation.sentences import sentences_of
from newsletter.translation.units import SourceBlock, Unit, unit_of_block, unit_of_key
from newsletter.workflows.compose.editing import EditableFile, editable_files, open_file
from newsletter.workflows.translations.plain_spans import plain_spans, span_finder
from newsletter.workflows.translations.text_reader import TextReader, key_texts, role_of

DEFAULT = "default"  # before the name of a merge field, in the place of its default text
_LINE_BREAK = re.compile(r"(?:\\|[ ]{2,})\n")


class OriginalFile(Struct, frozen=True, kw_only=True):
    """A file of an issue in its own language, as units."""

    name: str  # relative to the issue's folder
    shown: str
    units: tuple[Unit, ...]
    body: str  # without comments, with tokens for merge fields
    blocks: tuple[SourceBlock, ...]
    reader: TextReader
    defaults: Mapping[str, MergeField]  # the merge field of each unit that is a default text
    copied: Mapping[Location, str] = {}  # keys without words, which are the same in every language


class TranslatedFile(Struct, frozen=True, kw_only=True):
    """What there is of an original in another language."""

    original: OriginalFile
    language: str
    name: str
    shown: str
    file: EditableFile | None  # None if it does not exist
    held: Mapping[tuple[str, int], Held]
    surplus: int = 0  # sentences that the original no longer has
    is_tracked: bool = True  # whether it says what it was made from
    reader: TextReader = field(default_factory=TextReader)


def read_originals(config: Config, folder: Path, issue: Issue, language: str) -> tuple[OriginalFile, ...]:
    """Return each file of an issue that has words to translate. `language` is the one to translate into."""
    names = editable_files(config, folder)
    models: dict[str, type[BaseModel]] = {issue.source.path: IssueFields}
    for section in issue.sections:
        models[section.source.path] = type(section.fields)
        models |= {item.source.path: EventFields for item in section.items}
    find = span_finder(issue.language, language)
    found = (
        _original(open_file(config, folder, shown), model, issue.language, find)
        for shown, model in models.items()
        if shown in names
    )
    return tuple(original for original in found if original.units)


def _original(file: EditableFile, model: type[BaseModel], language: str, find: FindSpans) -> OriginalFile:
    reader = TextReader()
    data, lines = _keys_of(file, reader)
    texts = dict(key_texts(model, data))
    units = [
        unit_of_key(at, pieces, role=role_of(at), line=lines.get(at, 1))
        for at, value in texts.items()
        if needs_translation(pieces := reader.pieces(value, find))
    ]
    plain = without_comments(file.body or "", first_line=file.body_line)
    body = reader.with_tokens(plain.text)
    blocks = reader.blocks(body, find)
    units += (
        unit_of_block(block, number, line=plain.lines[min(block.line, len(plain.lines) - 1)], language=language)
        for number, block in enumerate(blocks, 1)
    )
    defaults = dict(_default_names(reader, [*texts.values(), body]))
    units += (
        unit_of_key(tuple(name.split(".")), (str(each.default),), role=f"in place of an unknown {each.name}", line=1)
        for name, each in defaults.items()
    )
    return OriginalFile(
        name=file.name,
        shown=file.shown,
        units=tuple(units),
        body=body,
        blocks=blocks,
        reader=reader,
        defaults=defaults,
        copied={at: value for at, value in texts.items() if at not in {unit.location for unit in units}},
    )


def _default_names(reader: TextReader, texts: Sequence[str]) -> Iterator[tuple[str, MergeField]]:
    """Yield a name for each default text with letters, in the order in which the merge fields occur."""
    counts: dict[str, int] = {}
    for token in dict.fromkeys(match for text in texts for match in MERGE_TOKEN.findall(text)):
        found = reader.fields.get(token)
        if found is not None and found.default and any(map(str.isalpha, found.default)):
            counts[found.name] = counts.get(found.name, 0) + 1
            yield f"{DEFAULT}.{found.name}.{counts[found.name]}", found


def _keys_of(file: EditableFile, reader: TextReader) -> tuple[Tree, Mapping[Location, int]]:
    """Return the keys of a file with tokens for merge fields. Raise InputError if they have mistakes."""
    if file.keys is None:
        raise InputError(f"the keys of {file.shown} have mistakes; correct them first: newsletter check")

    def with_tokens(value: str, line: int) -> str:
        return reader.with_tokens(without_comments(value, first_line=line).text)

    tree = read_yaml_text(file.keys, first_line=file.keys_line, on_text=with_tokens)
    return tree.data or {}, tree.lines


def translated_name(name: str, language: str) -> str:
    """Return the name of the file with a translation. `issue.yaml` has all languages."""
    return name if name == ISSUE_FILE else str(PurePosixPath(name).with_suffix(f".{language}.md"))


def written_location(original: OriginalFile, location: Location, language: str) -> Location:
    """Return where the translation of a key is written: `subject.es` in `issue.yaml`, and the same key elsewhere."""
    return (f"{location[0]}.{language}", *location[1:]) if original.name == ISSUE_FILE else location


def read_translation(config: Config, folder: Path, original: OriginalFile, language: str) -> TranslatedFile:
    """Return what there is of an original in a language."""
    name = translated_name(original.name, language)
    shown = str(PurePosixPath(original.shown).with_name(PurePosixPath(name).name))
    if not (folder / name).is_file():
        return TranslatedFile(original=original, language=language, name=name, shown=shown, file=None, held={})
    file, reader = open_file(config, folder, shown), TextReader()
    data, lines = _keys_of(file, reader)
    plain = without_comments(file.body or "", first_line=file.body_line)
    body = reader.with_tokens(plain.text)
    blocks = reader.blocks(body, plain_spans)
    marks_at = written_location(original, (MARKS,), language)[0]
    entries = data.get(str(marks_at))
    marks = read_marks([str(each) for each in entries]) if isinstance(entries, list) else None
    keys = dict(_held_keys(original, data, lines, language, marks[0] if marks else {}))
    in_text = [unit for unit in original.units if unit.location is None]
    is_aligned = marks is not None and len(marks[1]) == len(blocks)
    wanted = marks[1] if marks and is_aligned else [(UNKNOWN,) * len(unit.segments) for unit in in_text]
    held_blocks = [
        HeldText(lines=_lines_of(block, len(each), language), line=plain.lines[block.line], marks=each)
        for block, each in zip(blocks, [*wanted, *[(UNKNOWN,)] * len(blocks)], strict=False)
    ]
    texts = [*(line for key in keys.values() for line in key.lines), body]
    for default, each in _default_names(reader, texts):
        if default in original.defaults:
            own = (marks[0] if marks else {}).get(default, ())
            keys[default] = HeldText(lines=(str(each.default),), line=1, marks=own)
    held, surplus = held_by_units(original.units, keys, held_blocks)
    return TranslatedFile(
        original=original,
        language=language,
        name=name,
        shown=shown,
        file=file,
        held=held,
        surplus=surplus,
        is_tracked=is_aligned or (marks is None and not keys and not blocks),
        reader=reader,
    )


def _held_keys(
    original: OriginalFile,
    data: Tree,
    lines: Mapping[Location, int],
    language: str,
    marks: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[str, HeldText]]:
    for unit in original.units:
        if unit.location is None or unit.location[0] == DEFAULT:
            continue
        at = written_location(original, unit.location, language)
        value: object = data
        for step in at:
            inside = isinstance(value, dict) or (
                isinstance(value, list) and isinstance(step, int) and step < len(value)
            )
            value = value.get(step) if isinstance(value, dict) else value[step] if inside else None  # type: ignore[index]
        if isinstance(value, str) and value.strip():
            text = HeldText(lines=(value,), line=lines.get(at, 1), marks=marks.get(unit.id, ())[:1])
            yield unit.id, text


def _lines_of(block: SourceBlock, count: int, language: str) -> tuple[str, ...]:
    """Return the sentences of a translated block as they are written, if possible as many as its original has."""
    lines = tuple(_LINE_BREAK.sub("<br>\n", "\n".join(block.texts)).split("\n"))
    if len(lines) == count:
        return lines
    sentences = sentences_of(block.pieces, language)
    if len(sentences) == count:
        return tuple(map(markdown_of, sentences))
    return (" ".join(lines),)
