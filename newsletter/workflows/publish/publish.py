"""Make the archive of a workspace, show what publishing would change, and publish it."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from newsletter import install_hint
from newsletter.config import CONFIG_FILE, Config, place_of_key
from newsletter.content.loader import ARCHIVE_FOLDER
from newsletter.destinations.addresses import open_destination
from newsletter.destinations.destination import Destination, Published, SitePlan
from newsletter.errors import CannotRunError, InputError
from newsletter.language.counts import count_of
from newsletter.model.published import IssuePage
from newsletter.model.rendered import Picture
from newsletter.model.site_addresses import picture_path
from newsletter.model.site_files import SiteFile
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.memory import Memory
from newsletter.render.pictures import PictureShelf
from newsletter.settings.workspace import Archive
from newsletter.site.archive import archive_files
from newsletter.site.search import FOLDER as SEARCH_FOLDER
from newsletter.site.search import can_search, search_files
from newsletter.site.site import Site
from newsletter.store.database import Database
from newsletter.store.versions import chosen_versions
from newsletter.system.files import write_whole
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.publish.contents import Advance, Contents, contents_of
from newsletter.workflows.publish.events import EventFiles, event_files, record_events
from newsletter.workflows.publish.visible import issues_sent

_CHANGES_FILE = "changes.json"
_MOST_BYTES = 20_000_000
_CACHE = ".archive"
_MOST_SHOWN = 12  # paths of one kind
Progress = Callable[[int, int], None]


class _Change(Struct, frozen=True, omit_defaults=True):
    """The last change of a page's content: a hash of the content, and when it was published.

    A page that is gone is kept if its issue has another name now, so that its address can lead there.
    """

    content: str
    at: datetime
    id: str = ""  # of the issue, with the language of a translation: the same under each of its names


class Edition(Struct, frozen=True, kw_only=True):
    """The archive as it would be published now."""

    files: tuple[SiteFile, ...]
    pages: tuple[IssuePage, ...]
    changes: Mapping[str, _Change]
    events: EventFiles
    notes: tuple[str, ...] = ()  # what a person should know


def require_archive(config: Config) -> Archive:
    """Return the settings of the archive. Raise InputError if there is none, or if it has no place for its files."""
    archive = config.settings.archive
    if archive is None:
        remedy = 'add the lines `url = "https://…"` and `to = "site"` below a line [archive]'
        raise InputError(f"{CONFIG_FILE} has no [archive], so there is no place to publish to; {remedy}")
    if archive.to is None:
        place = place_of_key(config, "archive")
        remedy = 'add a line such as `to = "site"` with a folder, or with an s3://, gs:// or sftp:// address'
        raise InputError(f"{place}: [archive] does not say where the files are put; {remedy}")
    return archive


def destination_of(config: Config, to: str | None = None) -> Destination:
    """Return the place for the archive's files, by default that of the settings. A folder is one in the workspace."""
    where = to or require_archive(config).to or ""
    return open_destination(where if "://" in where else str(config.root / where), os.environ)


def make_edition(
    config: Config, database: Database | None, *, now: datetime, on_done: Advance = lambda _: None
) -> Edition:
    """Make all files of the archive. Issues that have not changed are taken from the cache.

    Raise MistakesError with the mistakes in all issues that it shows.
    """
    require_archive(config)
    memory = Memory(config.root / BUILD_FOLDER / _CACHE)
    sent = issues_sent(database) if database is not None else frozenset()
    chosen = chosen_versions(database) if database is not None else {}
    contents = contents_of(config, memory, sent, chosen, on_done)
    changes = _changes(config, contents.pages, now)
    events = event_files(config, contents.with_events, memory, now=now)
    files, note = _files(config, contents, events, changes, memory, is_searched=can_search())
    memory.forget_unused()
    notes = (note,) if note else ()
    return Edition(files=files, pages=contents.pages, changes=changes, events=events, notes=notes)


def _files(
    config: Config,
    contents: Contents,
    events: EventFiles,
    changes: Mapping[str, _Change],
    memory: Memory,
    *,
    is_searched: bool,
) -> tuple[tuple[SiteFile, ...], str]:
    """Return all files, and what a person should know about the search."""
    logos, images = _logos(config, memory)
    site = Site(
        config.settings,
        require_archive(config).url,
        contents.pages,
        changed={path: change.at for path, change in changes.items()},
        former=_former(contents.pages, changes),
        logos=logos,
        is_searched=is_searched,
        recall=memory.recall,
    )
    # Issues can share an image, so each path is taken once.
    files = {
        file.path: file for file in (*contents.pictures, *images, *events.files, *archive_files(site, events.pages))
    }
    if not is_searched:
        return tuple(files.values()), f"The archive has no search. To add it, run `{install_hint('search')}`."
    try:
        found = search_files(files.values(), memory.recall)
    except CannotRunError as err:
        without, _ = _files(config, contents, events, changes, memory, is_searched=False)
        return without, f"The archive has no search this time: {err}."
    return (*files.values(), *found), ""


def plan_edition(edition: Edition, destination: Destination) -> SitePlan:
    """Return what publishing would do at a destination. Change nothing."""
    return destination.plan(edition.files)


def plan_facts(edition: Edition, plan: SitePlan, to: str) -> tuple[tuple[str, str], ...]:
    """Return what publishing would do, as a person reads it. `to` is the name of the destination."""
    listed = {page.issue for page in edition.pages if page.is_listed}
    unlisted = {page.issue for page in edition.pages if not page.is_listed}
    issues = count_of(len(listed), "issue") + (f", {len(unlisted)} unlisted" if unlisted else "")
    languages = count_of(len({page.language for page in edition.pages}), "language")
    return (
        ("Archive", f"{issues} in {languages}" if edition.pages else "no issues yet"),
        ("To", to),
        ("Added", _told(plan.added)),
        ("Changed", _told(plan.changed)),
        ("Removed", _told(plan.removed)),
        ("Unchanged", count_of(len(plan.unchanged), "file")),
    )


def publish_question(plan: SitePlan) -> str:
    """Return what a person is asked before the archive is published."""
    written, removed = len(plan.added) + len(plan.changed), len(pages_removed(plan))
    return f"Publish {count_of(written, 'file')}" + (f", and remove {removed}?" if removed else "?")


def differs(plan: SitePlan) -> bool:
    """Return whether publishing would change anything."""
    return bool(plan.added or plan.changed or plan.removed)


def pages_among(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of the pages among these files, without those of the host."""
    return tuple(path.removesuffix("index.html") or "/" for path in paths if path.endswith("index.html"))


def _told(paths: tuple[str, ...]) -> str:
    """Return the number of files, and the addresses of the pages among them."""
    pages = pages_among(paths)
    more = f" and {len(pages) - _MOST_SHOWN} more" if len(pages) > _MOST_SHOWN else ""
    return f"{count_of(len(paths), 'file')}{': ' if pages else ''}{', '.join(pages[:_MOST_SHOWN])}{more}"


def publish_edition(
    config: Config, edition: Edition, destination: Destination, progress: Progress, *, again: bool = False
) -> Published:
    """Publish the archive, and record when each page changed, so that feeds and search engines can be told."""
    published = destination.publish(edition.files, progress, again=again)
    path = config.root / ARCHIVE_FOLDER / _CHANGES_FILE
    content = msgspec.json.format(msgspec.json.encode(edition.changes, order="sorted"), indent=1)
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
    record_events(edition.events)
    return published


def pages_removed(plan: SitePlan) -> tuple[str, ...]:
    """Return the files that publishing would remove, without those of the search index, which any change replaces."""
    return tuple(path for path in plan.removed if not path.startswith(f"{SEARCH_FOLDER}/"))


def published_issues(config: Config) -> frozenset[str]:
    """Return the issues that had a page when the archive was last published from here."""
    return frozenset(path.partition("/")[0] for path in _read_changes(config.root / ARCHIVE_FOLDER / _CHANGES_FILE))


def _changes(config: Config, pages: tuple[IssuePage, ...], now: datetime) -> Mapping[str, _Change]:
    """Return the last change of each page. A page that is new counts as changed when its issue was published."""
    before = _read_changes(config.root / ARCHIVE_FOLDER / _CHANGES_FILE)
    ids = {_lasting_id(page) for page in pages}
    found = {path: change for path, change in before.items() if change.id in ids}
    for page in pages:
        told = repr((page.title, page.description, page.html, page.day))
        content = blake2b(told.encode(), digest_size=12).hexdigest()
        known, at = before.get(page.path), datetime.fromtimestamp(0, now.tzinfo)
        if known is not None:
            at = known.at if known.content == content else now.replace(microsecond=0)
        found[page.path] = _Change(content, at, _lasting_id(page))
    return found


def _lasting_id(page: IssuePage) -> str:
    return page.id if page.is_original else f"{page.id} {page.language}"


def _former(pages: tuple[IssuePage, ...], changes: Mapping[str, _Change]) -> Mapping[str, IssuePage]:
    """Return the page that has taken the place of each former one, by the former path."""
    now = {_lasting_id(page): page for page in pages}
    paths = {page.path for page in pages}
    return {path: now[change.id] for path, change in changes.items() if path not in paths and change.id in now}


def _read_changes(path: Path) -> Mapping[str, _Change]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Change])
    except (OSError, msgspec.MsgspecError):
        return {}


def _logos(config: Config, memory: Memory) -> tuple[Mapping[str, tuple[str, int, int]], tuple[SiteFile, ...]]:
    """Return the path, width and height of each logo, and their files."""
    brand = config.settings.brand
    found, files = {}, []
    for key, name in (("logo", brand.logo), ("logo_dark", brand.logo_dark)):
        if name is not None:
            shelf = PictureShelf(None, memory)
            shown = shelf.show(config.root / name, PictureSpace(width=brand.logo_width))
            picture: Picture = shelf.pictures[0]
            found[key] = (picture_path(picture.name), shown.width, shown.height)
            files.append(SiteFile(picture_path(picture.name), picture.content))
    return found, tuple(files)
