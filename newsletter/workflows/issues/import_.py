"""Import past issues of another tool into the archive. They are never sent, and existing folders are left alone."""

import json
import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

import lxml.html
from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.content.imported_pages import ImportedFields, cleaned
from newsletter.content.loader import ARCHIVE_FOLDER, ISSUE_FILE, PAGE_FILE
from newsletter.content.source import Reading, read_yaml
from newsletter.errors import FaultError, InputError, Mistake
from newsletter.incoming.export_files import read_export
from newsletter.incoming.past_issues import PastIssue, one_line, past_issues_of
from newsletter.incoming.past_page import PastPage, stripped, without_signs, words_of
from newsletter.model.issue_fields import Visibility
from newsletter.system.file_errors import explained
from newsletter.system.files import whole_folder

_LONGEST_SLUG = 60
_MOST_PAGE_BYTES = 5_000_000
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})


class PlannedIssue(Struct, frozen=True, kw_only=True):
    """A past issue as it will be written: its folder, its files, and what its page lost."""

    name: str
    subject: str
    day: str
    visibility: Visibility
    files: Mapping[str, bytes]
    losses: PastPage
    exists: bool


class PastIssuesPlan(Struct, frozen=True, kw_only=True):
    """What an import of past issues would write."""

    tool: str
    issues: tuple[PlannedIssue, ...]
    left_out: tuple[Mistake, ...]

    @property
    def new(self) -> tuple[PlannedIssue, ...]:
        """The issues whose folders do not exist yet."""
        return tuple(each for each in self.issues if not each.exists)


def plan_past_issues(
    config: Config, path: Path, tool: str = "", on_done: Callable[[], None] = lambda: None
) -> PastIssuesPlan:
    """Read an export, clean its pages, and return what would be written. Raise InputError if it cannot be read."""
    files = read_export(path)
    try:
        found = past_issues_of(files, tool)
    except FaultError as err:
        raise InputError(f"{path}: {err}") from err
    planned: list[PlannedIssue] = []
    left_out = list(found.left_out)
    taken: dict[str, int] = {}
    for issue in found.issues:
        page, pictures = page_of(issue, files)
        if page.is_broken or not page.html.strip() or len(page.html.encode()) > _MOST_PAGE_BYTES:
            what = f"nothing of {issue.subject[:60]!r} can be shown on a page"
            left_out.append(Mistake(path=issue.place, what=what, remedy="copy its text by hand"))
            continue
        name = _name_of(issue, taken)
        if _is_from_another_tool(config, name, found.tool):  # one that had the same words on the same day
            name = f"{name}-{found.tool}"
        planned.append(_planned(config, found.tool, name, issue, page, pictures))
        on_done()
    shown = tuple(
        Mistake(path=f"{path}: {each.path}", line=each.line, what=each.what, remedy=each.remedy) for each in left_out
    )
    return PastIssuesPlan(tool=found.tool.capitalize(), issues=tuple(planned), left_out=shown)


def write_past_issues(config: Config, plan: PastIssuesPlan, on_done: Callable[[], None] = lambda: None) -> None:
    """Write the issues whose folders do not exist, each completely or not at all. Raise InputError if that fails."""
    archive = config.root / ARCHIVE_FOLDER
    target = archive
    try:
        archive.mkdir(exist_ok=True)
        for issue in plan.new:
            target = archive / issue.name
            if not target.exists():
                with whole_folder(target) as folder:
                    for name, content in issue.files.items():
                        (folder / name).write_bytes(content)
            on_done()
    except OSError as err:
        raise InputError(str(explained(err, target, elsewhere="", shown=config.shown))) from err


def page_of(issue: PastIssue, files: Mapping[str, bytes]) -> tuple[PastPage, Mapping[str, bytes]]:
    """Return the clean page of a past issue, and the images in it that are in the export."""
    page = stripped(issue.html)
    clean = cleaned(page.html)
    if not clean:
        return replace(page, html=""), {}
    root = lxml.html.fragment_fromstring(clean, create_parent="div")
    by_name = {PurePosixPath(name).name.casefold(): name for name in files if _is_picture(name)}
    pictures: dict[str, bytes] = {}
    missing = 0
    for image in list(root.iter("img")):
        address = image.get("src", "")
        if address.lower().startswith("https://"):
            continue
        file = by_name.get(PurePosixPath(unquote(address.partition("?")[0])).name.casefold())
        if file is None:
            missing += 1
            image.drop_tree()
            continue
        content = files[file]
        name = blake2b(content, digest_size=8).hexdigest() + PurePosixPath(file).suffix.lower()
        pictures[name] = content
        image.set("src", name)
    written = str(lxml.html.tostring(root, encoding="unicode")).removeprefix("<div>").removesuffix("</div>")
    is_empty = not root.text_content().strip() and not pictures and root.find(".//img") is None
    return replace(page, html="" if is_empty else without_signs(written), pictures=missing), pictures


def _planned(
    config: Config, tool: str, name: str, issue: PastIssue, page: PastPage, pictures: Mapping[str, bytes]
) -> PlannedIssue:
    visibility = Visibility.PUBLIC if issue.is_for_all else Visibility.NONE
    if issue.is_for_all and not issue.is_on_the_web:
        visibility = Visibility.UNLISTED
    subject = one_line(words_of(issue.subject)) or "—"
    keys = {"subject": subject, "preheader": one_line(words_of(issue.preheader)), "source": tool.capitalize()}
    lines = [f"date: {issue.day}", f"visibility: {visibility.value}", "imported: true"]
    lines += [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items() if value]
    return PlannedIssue(
        name=name,
        subject=subject,
        day=str(issue.day),
        visibility=visibility,
        files={ISSUE_FILE: ("\n".join(lines) + "\n").encode(), PAGE_FILE: page.html.encode(), **pictures},
        losses=page,
        exists=(config.root / ARCHIVE_FOLDER / name).exists(),
    )


def _name_of(issue: PastIssue, taken: dict[str, int]) -> str:
    """Return the name of an issue's folder: its day and a few plain words. It is the same each time.

    `taken` has each name that another issue has, with the number that was last added to it.
    """
    plain = normalize("NFKD", issue.slug or issue.subject).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-")
    name = first = f"{issue.day}-{words}" if words else f"{issue.day}"
    while name in taken:
        taken[first] += 1
        name = f"{first}-{taken[first]}"
    taken[name] = 1
    return name


def _is_from_another_tool(config: Config, name: str, tool: str) -> bool:
    """Return whether the folder of a past issue exists and says that another tool sent it."""
    path = config.root / ARCHIVE_FOLDER / name / ISSUE_FILE
    document = read_yaml(path, config.shown(path), Reading(), ImportedFields) if path.is_file() else None
    return document is not None and document.data.get("source", tool.capitalize()) != tool.capitalize()


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _PICTURES
