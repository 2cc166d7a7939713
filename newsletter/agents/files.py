"""What an agent can do with files: list, read and write those of an issue, and no others."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import PurePosixPath

from msgspec import Struct

from newsletter.agents.outgoing import DrawnPicture, ToolAnswer
from newsletter.config import Config
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER, issue_headings
from newsletter.errors import FaultError, InputError
from newsletter.model.picture_files import DECODING_FAULTS, DRAWN_ENDING, PHOTOGRAPHED_FORMATS
from newsletter.model.segment import EVERYONE
from newsletter.model.slots import MERGE_TOKEN
from newsletter.render.imaging.drawing import read_drawing
from newsletter.settings.mistakes import suggestion
from newsletter.system.contained import (
    FolderEntry,
    fingerprint_of,
    list_below,
    plain_parts,
    read_below,
    write_below,
)
from newsletter.system.pictures import opened_picture
from newsletter.workflows.compose.edit_history import EditStep, forget_step, remember_step

IMAGES = "images"
_MARKDOWN = ".md"
_PICTURE_ENDINGS = frozenset({*PHOTOGRAPHED_FORMATS, DRAWN_ENDING})
_MOST_TEXT_BYTES = 500_000
_MOST_PICTURE_BYTES = 10_000_000
_MOST_SHOWN_BYTES = 2_000_000  # of an image that is sent to an agent
_MOST_FILES = 200  # of one issue
_MOST_FOLDER_BYTES = 100_000_000  # of one issue
# The kinds of images that an agent's model can be shown.
_SHOWN_AS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_WRITABLE = f"an agent writes only {ISSUE_FILE}, Markdown files (*.md) and images ({IMAGES}/*) of an issue"


class IssueFile(Struct, frozen=True, kw_only=True):
    """A file of an issue that an agent may read and write: its path in the issue, and in the workspace."""

    inside: str
    path: str

    @property
    def ending(self) -> str:
        """The ending of its name, in lowercase."""
        return PurePosixPath(self.inside).suffix.lower()

    @property
    def is_picture(self) -> bool:
        """Whether it is an image, and not text."""
        return self.inside.startswith(f"{IMAGES}/")


def require_issue_name(config: Config, name: str) -> str:
    """Return the name of an issue as its folder is spelled. Raise InputError if there is none of this name."""
    known, parts = _issue_names(config), plain_parts(name)
    if len(parts) != 1 or parts[0] not in known:
        hint = suggestion(name[:60], known) if known else "a person creates the first one: newsletter new 2026-03"
        raise InputError(f"there is no issue {name[:60]!r}; {hint}")
    return parts[0]


def require_issue_file(config: Config, issue: str, path: str) -> IssueFile:
    """Return the file that a path in an issue names. It may not exist. Raise InputError if agents may not touch it."""
    name, parts = require_issue_name(config, issue), plain_parts(path)
    match parts:
        case (file,):
            is_ours = file == ISSUE_FILE or _is_markdown(file)
        case (folder, file) if folder.casefold() == IMAGES:
            is_ours = folder == IMAGES and PurePosixPath(file).suffix.lower() in _PICTURE_ENDINGS
        case (folder, file):
            sections = list_below(config.root, f"{ISSUES_FOLDER}/{name}")
            is_ours = _is_markdown(file) and any(entry.is_folder and entry.name == folder for entry in sections)
        case _:
            is_ours = False
    if not is_ours:
        raise InputError(f"{path[:60]!r} is not a file that agents may use; {_WRITABLE}")
    inside = "/".join(parts)
    return IssueFile(inside=inside, path=f"{ISSUES_FOLDER}/{name}/{inside}")


def list_issues(config: Config) -> ToolAnswer:
    """Return one line per issue, oldest first, and the names of the segments."""
    known = _issue_names(config)
    headings = [each for each in issue_headings(config) if each.name in known]
    lines = [f"{each.name}  {_day(each.date)}  {_one_line(each.subject)}" for each in headings]
    segments = ", ".join((EVERYONE, *config.settings.segments))
    return ToolAnswer(text="\n".join((*lines, "", f"Segments: {segments}")))


def list_files(config: Config, issue: str) -> ToolAnswer:
    """Return one line per file of an issue that an agent may read: its size in bytes, and its path."""
    name = require_issue_name(config, issue)
    return ToolAnswer(text="\n".join(f"{entry.size_bytes:>9,}  {inside}" for inside, entry in files_of(config, name)))


def files_of(config: Config, issue: str) -> list[tuple[str, FolderEntry]]:
    """Return the files of an issue that an agent may read, by their path in the issue."""
    folder, found = f"{ISSUES_FOLDER}/{issue}", list[tuple[str, FolderEntry]]()
    for entry in list_below(config.root, folder):
        if entry.is_folder and _is_plain(entry.name):
            endings = _PICTURE_ENDINGS if entry.name == IMAGES else {_MARKDOWN}
            inner = list_below(config.root, f"{folder}/{entry.name}")
            found += [(f"{entry.name}/{each.name}", each) for each in inner if _is_of(each, endings)]
        elif entry.name == ISSUE_FILE or _is_of(entry, {_MARKDOWN}):
            found.append((entry.name, entry))
    return found


def texts_of(config: Config, issue: str) -> list[str]:
    """Return the texts of an issue's files. One that cannot be read counts as empty."""
    texts = []
    for inside, _ in files_of(config, issue):
        if not inside.startswith(f"{IMAGES}/"):
            try:
                content = read_below(config.root, f"{ISSUES_FOLDER}/{issue}/{inside}", most_bytes=_MOST_TEXT_BYTES)
            except InputError:
                continue
            texts.append(content.decode(errors="replace"))
    return texts


def read_file(config: Config, issue: str, path: str) -> ToolAnswer:
    """Return a file and its fingerprint. For an image that cannot be shown, return only its fingerprint."""
    file = require_issue_file(config, issue, path)
    most = _MOST_PICTURE_BYTES if file.is_picture else _MOST_TEXT_BYTES
    content = read_below(config.root, file.path, most_bytes=most)
    head = f"fingerprint: {fingerprint_of(content)}"
    if not file.is_picture:
        try:
            return ToolAnswer(text=f"{head}\n\n{content.decode()}")
        except UnicodeDecodeError:
            raise InputError(f"{file.path} is not UTF-8 text; a person must save it as UTF-8 first") from None
    kind = _SHOWN_AS.get(file.ending)
    if kind is None or len(content) > _MOST_SHOWN_BYTES:
        return ToolAnswer(text=f"{head}\n\nAn image of {len(content):,} bytes, which is not shown here.")
    return ToolAnswer(text=head, pictures=(DrawnPicture(content=content, content_type=kind),))


def write_text(config: Config, issue: str, path: str, text: str, *, replaces: str) -> ToolAnswer:
    """Create a text file of an issue, or replace the one with the fingerprint `replaces`."""
    file = require_issue_file(config, issue, path)
    if file.is_picture:
        raise InputError(f"{file.inside} is an image; use write_image")
    try:
        content = text.encode()
    except UnicodeEncodeError as err:
        raise InputError(f"the text contains half of a character at position {err.start}; write it in full") from err
    if "\0" in text:
        raise InputError("the text contains a zero character; delete it")
    return _write(config, file, content, replaces=replaces, most_bytes=_MOST_TEXT_BYTES)


def write_image(config: Config, issue: str, path: str, data: str, *, replaces: str) -> ToolAnswer:
    """Create an image of an issue from Base64, or replace the one with the fingerprint `replaces`."""
    file = require_issue_file(config, issue, path)
    if not file.is_picture:
        raise InputError(f"{file.inside} is not in {IMAGES}/; name the image {IMAGES}/{PurePosixPath(path).name}")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as err:
        raise InputError("`data` is not Base64; encode the bytes of the image, without line breaks") from err
    _require_picture(file, content)
    return _write(config, file, content, replaces=replaces, most_bytes=_MOST_PICTURE_BYTES)


def _write(config: Config, file: IssueFile, content: bytes, *, replaces: str, most_bytes: int) -> ToolAnswer:
    if not replaces:
        _require_room(config, file, len(content))
    with _remembered(config, file, content) if replaces and not file.is_picture else nullcontext():
        write_below(config.root, file.path, content, replaces=replaces, most_bytes=most_bytes)
    return ToolAnswer(text=f"{file.path} was saved.\nfingerprint: {fingerprint_of(content)}")


@contextmanager
def _remembered(config: Config, file: IssueFile, content: bytes) -> Iterator[None]:
    """Keep what a text contained before it is replaced, so that a person can undo the change in the studio."""
    before = read_below(config.root, file.path, most_bytes=_MOST_TEXT_BYTES)
    step = remember_step(config, file.path, EditStep(before=before, after=fingerprint_of(content)))
    try:
        yield
    except BaseException:
        forget_step(step)
        raise


def _require_room(config: Config, file: IssueFile, size_bytes: int) -> None:
    """Raise InputError if an issue has so many files, or such large ones, that no new one may be added."""
    there = [entry.size_bytes for _, entry in files_of(config, file.path.split("/")[1])]
    if len(there) >= _MOST_FILES:
        raise InputError(f"the issue already has {_MOST_FILES} files; a person must delete some first")
    if sum(there) + size_bytes > _MOST_FOLDER_BYTES:
        most = f"{_MOST_FOLDER_BYTES // 1_000_000} MB"
        raise InputError(f"the files of the issue would have more than {most}; use smaller images")


def _require_picture(file: IssueFile, content: bytes) -> None:
    """Raise InputError if bytes are not an image of the kind that its name says."""
    if len(content) > _MOST_PICTURE_BYTES:
        raise InputError(f"the image has {len(content):,} bytes; the most is {_MOST_PICTURE_BYTES:,}")
    try:
        if file.ending == DRAWN_ENDING:
            read_drawing(content)
            return
        with opened_picture(content, file.ending) as picture:
            picture.verify()
    except FaultError as err:
        raise InputError(f"the image {file.inside} {err}") from err
    except DECODING_FAULTS as err:
        raise InputError(
            f"{file.inside} is damaged, or another kind of image than its name says; export it again"
        ) from err


def _issue_names(config: Config) -> list[str]:
    """Return the names of the issues whose folder and file are no links, and have plain names."""
    folders = [entry.name for entry in list_below(config.root, ISSUES_FOLDER) if entry.is_folder]
    return [name for name in folders if _is_plain(name) and _has_issue_file(config, name)]


def _has_issue_file(config: Config, name: str) -> bool:
    files = list_below(config.root, f"{ISSUES_FOLDER}/{name}")
    return any(entry.name == ISSUE_FILE and not entry.is_folder for entry in files)


def _day(day: date | None) -> str:
    return "no date" if day is None else f"{day:%Y-%m-%d}"


def _one_line(text: str) -> str:
    """Return a text as it is written, on one line. In place of a merge field, a heading has only its token."""
    return " ".join(MERGE_TOKEN.sub("{{ … }}", text).split())


def _is_markdown(name: str) -> bool:
    return name.endswith(_MARKDOWN) and name != _MARKDOWN


def _is_of(entry: FolderEntry, endings: set[str] | frozenset[str]) -> bool:
    return not entry.is_folder and PurePosixPath(entry.name).suffix.lower() in endings and _is_plain(entry.name)


def _is_plain(name: str) -> bool:
    try:
        plain_parts(name)
    except InputError:
        return False
    return True
