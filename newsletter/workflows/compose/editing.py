"""Edit the files of an issue from a page: open one, write it unless someone else has changed it, and undo that.

Only the lines that were changed differ afterwards. The line endings, the byte order mark and the spelling of all others
stay as they were.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from shlex import quote
from stat import S_IWUSR
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from newsletter.config import Config
from newsletter.content.front_matter import FrontMatter, find_front_matter
from newsletter.content.key_edits import Value, values_of, with_keys
from newsletter.content.loader import ISSUE_FILE
from newsletter.content.yaml_reader import read_yaml_text
from newsletter.errors import Fix, InputError, Location, Mistake
from newsletter.model.finding import Finding, Place
from newsletter.model.issue_fields import SECTION_TYPES, EventFields, IssueFields, SectionFields, SectionType
from newsletter.system.contained import fingerprint_of, read_below, write_below
from newsletter.workflows.compose.edit_history import EditStep, forget_step, last_step, remember_step
from newsletter.workflows.compose.form_fields import (
    Control,
    FormChoices,
    FormField,
    FormGroup,
    every_field,
    form_fields,
)

MOST_BYTES = 2_000_000  # of a file, as the loader reads them
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(r"\r\n|\r|\n")
_INDEX = "index.md"
_MOST_COMPARED = 4_000_000  # pairs of lines; only a file with several kinds of line endings is compared


class EditableFile(Struct, frozen=True, kw_only=True):
    """A file of an issue as it is on the disk, and its parts: the keys, and the Markdown below them."""

    name: str  # relative to the issue's folder
    shown: str  # as the user would type it
    path: Path
    content: bytes
    text: str  # with \n at the end of each line
    keys: str | None = None  # the text of the keys; None if they cannot be edited apart from the rest
    body: str | None = None  # the Markdown; None if there is none
    keys_line: int = 1  # the line of the file on which the keys begin
    body_line: int = 1
    has_fence: bool = False  # whether the keys are between two lines of dashes
    fields: tuple[FormField | FormGroup, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The hash of the content, by which a later change is noticed."""
        return fingerprint_of(self.content)

    def key_at(self, line: int) -> str:
        """Return the name of the field for the key on a line, or of the nearest one above it."""
        lines = _lines_of_fields(self)
        above = [name for name in lines if lines[name] <= line]
        return max(above, key=lambda name: lines[name], default="")


def editable_files(config: Config, folder: Path) -> Mapping[str, str]:
    """Return the name of each file of an issue that can be edited, by its path as the user would type it.

    These are `issue.yaml` and the visible Markdown files in the folder and the folders of its sections.
    """
    return {normalize("NFC", config.shown(folder / name)): name for name in _found(folder)}


def _found(folder: Path) -> dict[str, Path]:
    """Return the path of each of these files by its name in the composed spelling (NFC)."""
    patterns = (ISSUE_FILE, "[!.]*.md", "[!.]*/[!.]*.md")
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return {normalize("NFC", path.relative_to(folder).as_posix()): path for path in found}


def open_file(
    config: Config,
    folder: Path,
    shown: str,
    *,
    section_types: Mapping[str, SectionType] = SECTION_TYPES,
    choices: FormChoices | None = None,
) -> EditableFile:
    """Return a file of an issue that is named as in messages.

    Raise InputError if the issue has no such file, or if it cannot be read as text.
    """
    return _with_parts(_bare_file(config, folder, shown), section_types, choices or FormChoices())


def _bare_file(config: Config, folder: Path, shown: str) -> EditableFile:
    """Return a file without its parts. Raise InputError as `open_file` does."""
    found = {normalize("NFC", config.shown(folder / name)): (name, path) for name, path in _found(folder).items()}
    if (chosen := found.get(normalize("NFC", shown))) is None:
        raise InputError(f"there is no file {shown} in this issue; it may have been renamed or deleted")
    name, path = chosen
    content = read_below(folder, name, most_bytes=MOST_BYTES)
    try:
        text = _LINE_END.sub("\n", content.removeprefix(_BOM).decode())
    except UnicodeDecodeError as err:
        raise InputError(f"{shown} is not UTF-8 text; save it in your text editor as UTF-8") from err
    return EditableFile(name=name, shown=config.shown(folder / name), path=path, content=content, text=text)


def with_text(file: EditableFile, text: str, section_types: Mapping[str, SectionType]) -> EditableFile:
    """Return a file as it would be with another text."""
    bare = replace(file, text=text, keys=None, body=None, fields=(), has_fence=False)
    return _with_parts(bare, section_types, FormChoices())


def _with_parts(file: EditableFile, section_types: Mapping[str, SectionType], choices: FormChoices) -> EditableFile:
    """Return the file with its parts and fields. If the keys have mistakes, it can be edited only as a whole."""
    lines = file.text.split("\n")
    has_body = file.name != ISSUE_FILE
    found = find_front_matter(lines) if has_body else None
    keys, body, end = file.text, None, -1
    if has_body:
        if found is not None and not isinstance(found, FrontMatter):
            return file
        end = found.end if found else -1
        keys, body = "".join(f"{line}\n" for line in lines[1:end]) if found else "", "\n".join(lines[end + 1 :])
    data = values_of(keys)
    if data is None:
        return file
    model = _model_of(file.name, data, section_types)
    parts = {"keys": keys, "body": body, "keys_line": 2 if found else 1, "body_line": end + 2}
    fields = form_fields(model, data, choices)
    return replace(file, **parts, has_fence=found is not None, fields=fields)


def _model_of(name: str, data: Mapping[str, object], section_types: Mapping[str, SectionType]) -> type[BaseModel]:
    path = PurePosixPath(name)
    if name == ISSUE_FILE:
        return IssueFields
    stem = path.name.partition(".")[0]  # translations and versions have the keys of their original
    is_index = stem == PurePosixPath(_INDEX).stem
    if len(path.parts) > 1 and not is_index:
        return EventFields
    section = path.parent.name if is_index else stem
    found = section_types.get(str(data.get("type", section)))
    return found.fields if found else SectionFields


def _lines_of_fields(file: EditableFile) -> dict[str, int]:
    lines = read_yaml_text(file.keys or "", first_line=file.keys_line).lines
    return {field.name: lines[field.location] for field in every_field(file.fields) if field.location in lines}


def edited_text(file: EditableFile, values: Mapping[str, Sequence[str]], body: str | None) -> str:
    """Return the whole text of a file with the values of a form and the new Markdown. Fields left out stay.

    Raise InputError if a key cannot be changed on its own.
    """
    keys = with_keys(file.keys or "", _changes(file, values))
    if file.body is None:
        return keys
    body = file.body if body is None else body
    if not file.has_fence and not keys:
        return body
    return f"---\n{keys}---\n{body}"


def _changes(file: EditableFile, values: Mapping[str, Sequence[str]]) -> list[tuple[Location, Value]]:
    """Return what is to be changed: first what is set, then what is deleted, from the last to the first."""
    changed, deleted = list[tuple[Location, Value]](), list[tuple[Location, Value]]()
    for field in every_field(file.fields):
        if field.name not in values:
            continue
        given = tuple(" ".join(each.split()) for each in values[field.name] if each.strip())
        new: Value = given if field.control is Control.CHOICES else " ".join(given)
        if new != (field.values if field.control is Control.CHOICES else " ".join(field.value.split())):
            (changed if new else deleted).append((field.location, new or None))
    return [*changed, *reversed(deleted)]


def save_file(config: Config, folder: Path, file: EditableFile, text: str, *, replaces: str) -> None:
    """Write a file of an issue, and remember what it contained. Nothing happens if the text is the same.

    `replaces` is the fingerprint of what the user has seen. Raise ConflictError if the file is different by now, and
    InputError if it cannot be written.
    """
    content = encoded(file.content, text)
    if content == file.content and replaces == file.fingerprint:
        return
    _require_writable(file)
    step = remember_step(config, file.shown, EditStep(before=file.content, after=fingerprint_of(content)))
    try:
        write_below(folder, file.name, content, replaces=replaces, most_bytes=MOST_BYTES)
    except BaseException:
        forget_step(step)
        raise


def _require_writable(file: EditableFile) -> None:
    """Raise InputError if a file is read-only. Its owner wants that, although a new file could take its place."""
    with suppress(FileNotFoundError):
        if not file.path.stat().st_mode & S_IWUSR:
            raise InputError(f"{file.shown} is read-only; to allow changes, run: chmod u+w {quote(file.shown)}")


def undo_edit(config: Config, folder: Path, file: EditableFile) -> bool:
    """Undo the last edit of a file that was made here. Return False if there is none.

    Raise ConflictError if the file was changed elsewhere since, and InputError if it cannot be written.
    """
    found = last_step(config, file.shown)
    if found is None:
        return False
    path, step = found
    _require_writable(file)
    write_below(folder, file.name, step.before, replaces=step.after, most_bytes=MOST_BYTES)
    forget_step(path)
    return True


def usable_fixes(config: Config, folder: Path, problems: Iterable[Finding | Mistake]) -> frozenset[tuple[str, str]]:
    """Return the place and the key of each fix that can be made: its line is in the issue, and has the old text."""
    files: dict[str, list[str] | None] = {}
    usable: set[tuple[str, str]] = set()
    for problem in problems:
        place = problem.place if isinstance(problem, Finding) else Place(path=problem.path, line=problem.line)
        if problem.fix is None or place.line is None:
            continue
        if place.path not in files:
            files[place.path] = _lines_in(config, folder, place.path)
        lines = files[place.path]
        if lines and place.line <= len(lines) and problem.fix.made_in(lines[place.line - 1]) is not None:
            usable.add((str(place), problem.fix.key))
    return frozenset(usable)


def _lines_in(config: Config, folder: Path, shown: str) -> list[str] | None:
    try:
        return _bare_file(config, folder, shown).text.split("\n")
    except InputError:
        return None


def fixed_text(file: EditableFile, line: int, fix: Fix) -> str:
    """Return the text of a file with the fix made on a line. Raise InputError if the line has changed."""
    lines = file.text.split("\n")
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    new = fix.made_in(written)
    if new is None:
        raise InputError(f"{file.shown}:{line} no longer contains “{fix.old}”; edit it by hand")
    return "\n".join([*lines[: line - 1], new, *lines[line:]])


def encoded(before: bytes, text: str) -> bytes:
    """Return text as the content of a file that contained `before`.

    A byte order mark stays, and so does the ending of each line that is the same. New lines end like most others.
    """
    mark = _BOM if before.startswith(_BOM) else b""
    old = before.removeprefix(mark).decode()
    counts = Counter(_LINE_END.findall(old))
    usual = counts.most_common(1)[0][0] if counts else "\n"
    if len(counts) < 2:
        return mark + text.replace("\n", usual).encode()
    ends = [*_LINE_END.findall(old), usual]
    old_lines, lines = _LINE_END.split(old), text.split("\n")
    kept = [usual] * len(lines)
    if len(old_lines) * len(lines) <= _MOST_COMPARED:
        for old_at, at, size in SequenceMatcher(None, old_lines, lines, autojunk=False).get_matching_blocks():
            kept[at : at + size] = ends[old_at : old_at + size]
    kept[-1] = ""
    return mark + "".join(line + end for line, end in zip(lines, kept, strict=True)).encode()
