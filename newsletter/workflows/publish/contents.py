"""Load and render the issues that the archive shows. An issue is rendered again only if its files have changed."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from newsletter import ZONE_DATABASES
from newsletter.config import Config
from newsletter.content.imported_pages import ImportedIssue, imported_folders, read_imported
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER, PAGE_FILE, issue_heading, issue_names, load_issue
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.announced import Announced
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, PictureFile
from newsletter.model.issue_fields import Visibility
from newsletter.model.published import IssuePage
from newsletter.model.site_addresses import RESERVED_NAMES, picture_path
from newsletter.model.site_files import SiteFile
from newsletter.model.values import is_language
from newsletter.render.memory import Memory
from newsletter.render.page import RenderedPage, render_imported, render_page
from newsletter.render.pictures import PictureShelf, require_whole
from newsletter.render.theme import Theme
from newsletter.system.contained import plain_parts
from newsletter.workflows.compose.compose import open_theme
from newsletter.workflows.compose.made_from import made_from, shared_by_all
from newsletter.workflows.publish.events import EventTexts, IssueWithEvents, events_in
from newsletter.workflows.publish.visible import visibility_of

_EDITION = 2  # increase this number if pages are rendered differently in a way that the version does not show
Advance = Callable[[str], None]  # called with the name of each issue that is done


class Contents(Struct, frozen=True, kw_only=True):
    """What the archive shows: a page for each issue and language, and all images in them."""

    pages: tuple[IssuePage, ...]
    pictures: tuple[SiteFile, ...]
    with_events: tuple[IssueWithEvents, ...]  # the issues that announce events


class _KeptIssue(Struct, frozen=True, kw_only=True):
    """What was rendered of an issue."""

    visibility: Visibility
    pages: tuple[IssuePage, ...]
    pictures: Mapping[str, bytes]
    events: Mapping[str, Announced] = {}  # what calendars need to know about each of its events


def contents_of(
    config: Config,
    memory: Memory,
    sent: frozenset[str],
    chosen: Mapping[str, str] = MappingProxyType({}),
    on_done: Advance = lambda _: None,
) -> Contents:
    """Return what the archive shows. `sent` are the issues that are being sent or were sent.

    `chosen` is the version of each issue of which one was chosen. Of all others, version A is shown.

    Raise MistakesError with all mistakes in all issues that it shows.
    """
    reader = _Reader(config, memory, sent, chosen)
    kept: list[_KeptIssue] = []
    mistakes: list[Mistake] = []
    for folder, read in reader.folders():
        try:
            found = read(folder)
        except MistakesError as err:
            mistakes += err.mistakes
        else:
            kept += [found] if found else []
        on_done(folder.name)
    pages = tuple(page for each in kept for page in each.pages)
    mistakes += _mistakes_in_names(pages)
    if mistakes:
        raise MistakesError(mistakes)
    pictures = {name: content for each in kept for name, content in each.pictures.items()}
    files = tuple(SiteFile(picture_path(name), content) for name, content in sorted(pictures.items()))
    return Contents(
        pages=pages, pictures=files, with_events=tuple(reader.with_events(each) for each in kept if each.events)
    )


class _Reader:
    """Reads the issues of a workspace, each from the cache if its files are the same."""

    def __init__(self, config: Config, memory: Memory, sent: frozenset[str], chosen: Mapping[str, str]) -> None:
        self._config, self._memory, self._sent, self._chosen = config, memory, sent, chosen
        self._shared = f"{shared_by_all(config)} {ZONE_DATABASES.used} {_EDITION}"
        self._opened: Theme | None = None
        self._events: dict[Path, EventTexts] = {}

    def folders(self) -> Iterator[tuple[Path, Callable[[Path], _KeptIssue | None]]]:
        """Yield the folder of each issue, and the function that reads it."""
        for name in issue_names(self._config):
            yield self._config.root / ISSUES_FOLDER / name, self._issue
        for folder in imported_folders(self._config):
            yield folder, self._imported

    def _issue(self, folder: Path) -> _KeptIssue | None:
        """Return an issue as the archive shows it, or None if it has no page."""
        found = self._recall(folder, lambda: self._rendered(folder))
        seen = visibility_of(found.visibility, is_sent=folder.name in self._sent)
        if seen is Visibility.NONE:
            return None
        if not found.pages:  # it had none when it was kept
            found = self._recall(folder, lambda: self._rendered(folder, is_shown=True), kind="shown")
        return replace(found, pages=tuple(replace(page, is_listed=seen is Visibility.PUBLIC) for page in found.pages))

    def _rendered(self, folder: Path, *, is_shown: bool = False) -> _KeptIssue:
        """Render an issue in all of its languages. One that has no page is not even loaded, as it may have mistakes."""
        wanted = wanted_visibility_of(self._config, folder.name)
        if not is_shown and visibility_of(wanted, is_sent=folder.name in self._sent) is Visibility.NONE:
            return _KeptIssue(visibility=wanted, pages=(), pictures={})
        theme = self._theme
        issue = self._loaded(folder)
        links = f"{self._config.settings.service.url}/join"
        rendered = [
            render_page(each, self._config, theme, original=issue.language, is_listed=True, links=links)
            for each in _versions(issue)
        ]
        self._events[folder] = events_in(self._config, issue, self._memory)
        return replace(_kept(wanted, rendered), events=self._events[folder].facts)

    def with_events(self, kept: _KeptIssue) -> IssueWithEvents:
        """Return an issue whose events have pages."""
        page = kept.pages[0]
        folder = self._config.root / ISSUES_FOLDER / page.issue
        return IssueWithEvents(
            name=page.issue,
            day=page.day,
            is_listed=page.is_listed,
            facts=kept.events,
            made_from=self._made_from(folder),
            load=lambda: self._events_in(folder),
        )

    def _events_in(self, folder: Path) -> EventTexts:
        """Return the events of an issue, which is loaded if it did not have to be rendered."""
        if folder not in self._events:
            self._events[folder] = events_in(self._config, self._loaded(folder), self._memory)
        return self._events[folder]

    def _loaded(self, folder: Path) -> Issue:
        chosen = self._chosen.get(folder.name, "")
        return load_issue(self._config, folder, self._theme.section_types).in_version(chosen)

    def _imported(self, folder: Path) -> _KeptIssue | None:
        found = self._recall(folder, lambda: self._clean(folder))
        if found.visibility is Visibility.NONE:
            return None
        is_listed = found.visibility is not Visibility.UNLISTED
        return replace(found, pages=tuple(replace(page, is_listed=is_listed) for page in found.pages))

    def _clean(self, folder: Path) -> _KeptIssue:
        issue = read_imported(self._config, folder)
        if not isinstance(issue, ImportedIssue):
            raise MistakesError(issue)
        fields, archive = issue.fields, self._config.settings.archive
        page = IssuePage(
            issue=issue.name,
            id=fields.id or issue.name,
            language=fields.language or self._config.settings.newsletter.language,
            is_original=True,
            is_listed=True,
            day=issue.day,
            title=fields.title or fields.subject,
            description=fields.preheader,
            html="",
        )
        images, place = _files_in(folder), Place(path=self._config.shown(folder / PAGE_FILE))
        own = {name: path for name in issue.images if (path := images(name)) is not None}
        require_whole(((name, PictureFile(path=path, place=place)) for name, path in own.items()), self._theme.memory)
        shelf = PictureShelf(archive.url if archive else None, self._theme.memory)
        return _kept(fields.visibility, [render_imported(page, issue.html, own.get, shelf)])

    @property
    def _theme(self) -> Theme:
        if self._opened is None:
            self._opened = open_theme(self._config)
        return self._opened

    def _recall(self, folder: Path, make: Callable[[], _KeptIssue], *, kind: str = "issue") -> _KeptIssue:
        key = self._made_from(folder).encode()
        kept = self._memory.recall(kind, key, lambda: msgspec.msgpack.encode(make(), enc_hook=str))
        return msgspec.msgpack.decode(kept, type=_KeptIssue)

    def _made_from(self, folder: Path) -> str:
        """Return a digest of all that an issue is made from, with the version of it that was chosen."""
        return f"{made_from(folder, self._shared)} {self._chosen.get(folder.name, '')}"


def _versions(issue: Issue) -> tuple[Issue, ...]:
    """Return the issue in each language in which it can be sent, its own first."""
    return tuple(issue.in_language(code) for code in issue.languages)


def _kept(visibility: Visibility, rendered: list[RenderedPage]) -> _KeptIssue:
    pictures = {picture.name: picture.content for each in rendered for picture in each.pictures}
    return _KeptIssue(visibility=visibility, pages=tuple(each.page for each in rendered), pictures=pictures)


def wanted_visibility_of(config: Config, issue: str) -> Visibility:
    """Return the visibility that an issue names, or that of `[archive]`."""
    archive, written = config.settings.archive, issue_heading(config, issue).visibility
    try:
        return Visibility(written) if written else archive.visibility if archive else Visibility.NONE
    except ValueError:
        return Visibility.AFTER_SENDING  # a mistake in the issue, which is reported when it is loaded


def _files_in(folder: Path) -> Callable[[str], Path | None]:
    def file_of(address: str) -> Path | None:
        try:
            path = folder.joinpath(*plain_parts(address))
        except InputError:
            return None
        return path if path.is_file() and not path.is_symlink() else None

    return file_of


def _mistakes_in_names(pages: tuple[IssuePage, ...]) -> Iterator[Mistake]:
    """Yield the issues whose address something else has."""
    languages = {page.language for page in pages}
    owner: dict[str, str] = {}
    for page in sorted(pages, key=lambda page: page.issue):
        if not page.is_original:
            continue
        path = f"{ISSUES_FOLDER}/{page.issue}/{ISSUE_FILE}"
        if page.issue in RESERVED_NAMES or (is_language(page.issue) and page.issue in languages):
            what = f"the archive needs the address {page.issue}/ itself, so no issue can have this name"
            yield Mistake(path=path, what=what, remedy=f"rename its folder, for example to {page.issue}-issue")
        if (other := owner.setdefault(page.id, page.issue)) != page.issue:
            what = f"the issue {other} has the id {page.id!r} too"
            yield Mistake(path=path, what=what, remedy="delete the line with `id`, or give it the name of its folder")
