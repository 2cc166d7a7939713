"""What the sheet beside a block shows."""

import math
from collections.abc import Mapping
from difflib import SequenceMatcher
from unicodedata import category

from msgspec import Struct

from newsletter.content.issue_folder import language_in_name, version_in_name
from newsletter.content.loader import ISSUE_FILE
from newsletter.errors import Fix
from newsletter.language.words import language_name
from newsletter.model.versions import OTHER_VERSIONS
from newsletter.web.studio.proofs import IssueProof
from newsletter.workflows.compose.editing import EditableFile, editable_files
from newsletter.workflows.compose.form_fields import every_field


class Sheet(Struct, frozen=True, kw_only=True):
    """What the sheet shows: a file at a line, and perhaps a message, another version, or the preview of a fix."""

    file: EditableFile
    line: int
    title: str
    steps: int = 0  # how many edits can be undone
    note: str = ""
    problem: str = ""
    is_whole: bool = False  # whether the file is edited as one text, although it could be edited in parts
    text: str | None = None  # the whole text in the editor, if it is not the one on the disk
    body: str | None = None  # likewise for the Markdown alone
    theirs: tuple[tuple[str, bool], ...] = ()  # the lines on the disk, and whether each differs
    fix: Fix | None = None
    fix_key: str = ""
    around: tuple[str, str] = ("", "")  # what is before and after the fix on its line

    @property
    def place(self) -> str:
        """The place as `path:line`."""
        return f"{self.file.shown}:{self.line}"

    @property
    def focused_key(self) -> str:
        """The field for the key at the line, or an empty string if the line is in the Markdown."""
        return "" if self.file.body is not None and self.line >= self.file.body_line else self.file.key_at(self.line)


class ListedBlock(Struct, frozen=True, kw_only=True):
    """A block in the list of blocks: its first words, and its place."""

    words: str
    place: str


class ListedFile(Struct, frozen=True, kw_only=True):
    """A file in the lists of files: its path as the user would type it, and its name in the issue's folder."""

    shown: str
    name: str
    language: str  # the English name of its language if it is a translation, or else empty


def listed_files(proof: IssueProof) -> Mapping[str, ListedFile]:
    """Return the files of an issue that can be edited, by path, in the order of the email.

    `issue.yaml` comes first, each version and translation follows its original, and unused files come last.
    """
    issue = proof.composed.issue if proof.composed else None
    sections = issue.sections if issue else ()
    shown = [path for each in sections for path in (each.source.path, *(item.source.path for item in each.items))]
    order = {path: number for number, path in enumerate(shown, start=1)}
    files = editable_files(proof.config, proof.folder)
    stems = {path.removesuffix(".md") for path in files}
    offered = proof.config.settings.languages.offered
    placed: list[tuple[tuple[float, str, str, str], ListedFile]] = []
    for path, name in files.items():
        stem = path.removesuffix(".md")
        code = language_in_name(stem, stems, offered) if stem != path else ""
        letter = version_in_name(stem, stems) if stem != path else ""
        ending = "".join(f".{part}" for part in (letter, code) if part)
        original = f"{stem.removesuffix(ending)}.md" if ending else path
        number = 0 if name == ISSUE_FILE else order.get(original, math.inf)
        file = ListedFile(shown=path, name=name, language=language_name(code) if code else "")
        placed.append(((number, original, letter, code), file))
    return {file.shown: file for _, file in sorted(placed, key=lambda each: each[0])}


def visible(text: str) -> str:
    """Return a text with the code of each invisible character in its place."""
    return "".join(f"⟨U+{ord(sign):04X}⟩" if category(sign) in {"Cf", "Cc"} else sign for sign in text)


def title_of(file: EditableFile) -> str:
    """Return the title of the sheet: the section's own title, or else its file's name in words."""
    *above, stem = file.name.removesuffix(".md").removesuffix(".yaml").split("/")
    base, _, form = stem.partition(".")
    letter = form.partition(".")[0]
    is_version = letter in OTHER_VERSIONS
    words = (above[0] if base == "index" else base if is_version else stem).replace("-", " ").replace("_", " ")
    if file.body is None and file.name == "issue.yaml":
        return "About the issue"
    title = next((field.value for field in every_field(file.fields) if field.name == "title"), "")
    title = title or f"{words[:1].upper()}{words[1:]}"
    return f"{title}, version {OTHER_VERSIONS[letter]}" if is_version else title


def differing_lines(theirs: str, mine: str) -> tuple[tuple[str, bool], ...]:
    """Return the lines on the disk, each with whether the other version lacks it."""
    lines, others = theirs.split("\n"), mine.split("\n")
    same: set[int] = set()
    if len(lines) * len(others) <= 4_000_000:
        for start, _, size in SequenceMatcher(None, lines, others, autojunk=False).get_matching_blocks():
            same.update(range(start, start + size))
    return tuple((line, number not in same) for number, line in enumerate(lines))
