"""Take the items of an issue's sections from feeds and calendars, as files that are edited and checked like any other.

Everything is downloaded and read before anything is written. What others wrote is never more than text.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from difflib import unified_diff
from email.utils import parsedate
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from newsletter import __version__
from newsletter.config import Config
from newsletter.content.loader import load_issue
from newsletter.errors import ConflictError, FaultError, InputError, Mistake
from newsletter.incoming.calendar_entries import events_of_calendar
from newsletter.incoming.download import Download, download
from newsletter.incoming.entries import Incoming, IncomingEntry, entries_of_feed
from newsletter.incoming.item_text import Taken, is_untouched, item_name, told_lines
from newsletter.model.issue import Issue, Item, Section
from newsletter.model.issue_fields import FetchedItems, ListFields
from newsletter.model.picture_files import MOST_BYTES
from newsletter.render.theme import Theme
from newsletter.system.contained import NOTHING, write_below
from newsletter.system.hosts import is_public
from newsletter.system.parallel import results_of
from newsletter.system.stream import TimeLimit
from newsletter.workflows.compose.editing import encoded
from newsletter.workflows.compose.fetched_files import FetchedFiles
from newsletter.workflows.compose.file_writes import FileWrite, write_files

_AGENT = f"newsletter/{__version__}"
_DAYS = 60  # that a calendar is looked ahead
_READING_SECONDS = 30.0
_Result = TypeVar("_Result")
IsAllowed = Callable[[str], bool]


class ItemFate(StrEnum):
    """What happens to an item of a section that is fetched."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "the same"
    EDITED = "edited here"  # so it is left alone
    GONE = "gone"  # from the feed; it is left alone too


class FetchedItem(Struct, frozen=True, kw_only=True):
    """An item, and its file before and after."""

    name: str  # of its file, relative to the issue
    shown: str
    title: str
    fate: ItemFate
    before: bytes | None = None
    after: str = ""
    differs: bool = False  # whether the feed has something else than a file that was edited

    def changed_lines(self) -> Iterator[str]:
        """Yield the lines that would change, each after its sign. Those that tell a director nothing are left out."""
        before, after = told_lines((self.before or b"").decode(errors="replace")), told_lines(self.after)
        for line in list(unified_diff(before, after, lineterm="", n=0))[2:]:
            if line[1:].strip() and not line.startswith("@@"):
                yield line


class FetchedSection(Struct, frozen=True, kw_only=True):
    """A section, and what would become of its items."""

    name: str
    source: FetchedItems
    items: tuple[FetchedItem, ...] = ()
    notes: tuple[str, ...] = ()
    is_unchanged: bool = False  # whether the server says that nothing has changed since the last time
    failure: Mistake | None = None  # why nothing was read

    def of(self, *fates: ItemFate) -> tuple[FetchedItem, ...]:
        """Return the items with one of these fates."""
        return tuple(each for each in self.items if each.fate in fates)

    def said_of(self, item: FetchedItem) -> str:
        """Return why an item stays as it is."""
        if item.fate is ItemFate.EDITED and item.differs:
            return "it was edited here, and its entry has changed; to take that, delete the file and fetch again"
        if item.fate is ItemFate.GONE:
            where = "the calendar's next events" if self.source.calendar else f"the first {self.source.most} entries"
            return f"it is no longer among {where}; delete the file if you no longer want it"
        return "it was edited here"


class FetchPlan(Struct, frozen=True, kw_only=True):
    """What a fetch would write into an issue."""

    folder: Path
    sections: tuple[FetchedSection, ...]
    pictures: Mapping[str, bytes]  # the new images, by their names in the issue

    @property
    def items(self) -> tuple[FetchedItem, ...]:
        """The items whose files would be written."""
        return tuple(item for section in self.sections for item in section.of(ItemFate.NEW, ItemFate.CHANGED))


def fetched_sections(issue: Issue) -> Mapping[str, FetchedItems]:
    """Return the source of each section of an issue that takes its items from a feed or a calendar."""
    fields = {section.name: section.fields for section in issue.sections}
    return {
        name: each.items
        for name, each in fields.items()
        if isinstance(each, ListFields) and isinstance(each.items, FetchedItems)
    }


def plan_fetch(
    config: Config,
    folder: Path,
    *,
    now: datetime,
    is_allowed: IsAllowed = is_public,
    on_done: Callable[[str], None] = lambda _: None,
) -> FetchPlan:
    """Download what the sections of an issue take, and return what would be written.

    `is_allowed` says whether an IP address may be asked. `on_done` is called with the name of each section that was
    read. Raise InputError if no section takes anything, and MistakesError if the issue has mistakes.
    """
    issue = load_issue(config, folder, Theme(config.root).section_types)
    sources = fetched_sections(issue)
    if not sources:
        what = f"no section of {config.shown(folder)} takes its items from a feed or a calendar"
        raise InputError(f"{what}; write `items:` and below it `feed: https://…` in the index.md of a section")
    found, pictures = [], dict[str, bytes]()
    for section in issue.sections:
        if section.name in sources:
            fetch = _SectionFetch(config, folder, issue, section, sources[section.name], now, is_allowed)
            found.append(fetch.planned())
            pictures |= fetch.pictures
            on_done(section.name)
    return FetchPlan(folder=folder, sections=tuple(found), pictures=pictures)


def write_fetch(plan: FetchPlan) -> None:
    """Write the items and their images.

    Raise ConflictError if a file was edited in the meantime, and InputError if one cannot be written.
    """
    for name, content in plan.pictures.items():
        try:
            write_below(plan.folder, name, content, replaces=NOTHING, most_bytes=MOST_BYTES)
        except ConflictError:
            continue  # the name contains a hash of the image's address, so it is that image
    write_files(
        plan.folder,
        [
            FileWrite(
                name=item.name, shown=item.shown, content=encoded(item.before or b"", item.after), before=item.before
            )
            for item in plan.items
        ],
    )


class _SectionFetch:
    """The work for one section."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        issue: Issue,
        section: Section,
        source: FetchedItems,
        now: datetime,
        is_allowed: IsAllowed,
    ) -> None:
        self._config, self._folder, self._issue, self._section, self._source = config, folder, issue, section, source
        self._now = now
        self._download = partial(download, agent=_AGENT, is_allowed=is_allowed)
        self._files = FetchedFiles(config, folder, issue, self._download)

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """The images that were downloaded, by their names in the issue."""
        return self._files.pictures

    def planned(self) -> FetchedSection:
        """Return what would become of the items of the section."""
        section = FetchedSection(name=self._section.name, source=self._source)
        try:
            etag, modified = self._validators()
            found = self._download(self._source.address, etag=etag, modified=modified)
            if found.content is None:
                return replace(section, is_unchanged=True)
            incoming = _in_time(partial(self._read, found, found.content))
        except FaultError as err:
            place = self._section.source.at("items", "feed" if self._source.feed else "calendar")
            what = f"{self._source.address} cannot be fetched: {err.what}"
            return replace(section, failure=Mistake(path=place.path, line=place.line, what=what, remedy=err.remedy))
        taken = Taken(origin=self._source.address, at=self._now, etag=_mark_of(found))
        items = [item for entry in incoming.entries for item in self._of_entry(entry, taken)]
        names = {item.name for item in items}
        gone = [item for item in map(self._gone, self._section.items) if item is not None and item.name not in names]
        return replace(section, items=(*items, *gone), notes=(*incoming.notes, *self._files.notes))

    def _validators(self) -> tuple[str, str]:
        """Return the ETag, or the time, by which the server can tell that nothing has changed since the last time.

        They are empty if the section no longer has as many items of the feed as it should.

        A calendar has other next events for another date of the issue, so it is always read.
        """
        own = [item.fields for item in self._section.items if item.fields.origin == self._source.address]
        if self._source.calendar or len(own) != self._source.most:
            return "", ""
        mark = max(own, key=lambda fields: fields.fetched or datetime.min).etag or ""  # noqa: DTZ901 - times on one clock
        return ("", mark) if parsedate(mark) else (mark, "")

    def _read(self, found: Download, content: bytes) -> Incoming:
        if self._source.feed:
            return entries_of_feed(content, found.url, self._source.most)
        days, since = self._source.days or _DAYS, self._issue.fields.date
        return events_of_calendar(content, since, days, self._source.most)

    def _of_entry(self, entry: IncomingEntry, taken: Taken) -> Iterator[FetchedItem]:
        """Yield the item of an entry, or nothing if it cannot be one."""
        item = next((each for each in self._section.items if _is_about(each, entry)), None)
        if item is None and entry.is_canceled:
            return
        path = f"{self._section.name}/{item_name(entry) if item is None else item.name}.md"
        before = None if item is None else (self._folder / path).read_bytes()
        is_edited = before is not None and not is_untouched(before.decode(errors="replace"))
        after = self._files.text_of(entry, taken, path, downloads=not is_edited)
        if after is None:
            return
        is_same = item is not None and item.fields.digest == _digest_in(after)
        fate = _fate_of(item, is_edited=is_edited, is_same=is_same)
        yield FetchedItem(
            name=path,
            shown=self._config.shown(self._folder / path),
            title=entry.title,
            fate=fate,
            before=before,
            after=after if fate in {ItemFate.NEW, ItemFate.CHANGED} else "",
            differs=is_edited and not is_same,
        )

    def _gone(self, item: Item) -> FetchedItem | None:
        if item.fields.origin is None:
            return None
        path = f"{self._section.name}/{item.name}.md"
        shown = self._config.shown(self._folder / path)
        return FetchedItem(name=path, shown=shown, title=item.fields.title, fate=ItemFate.GONE)


def _fate_of(item: Item | None, *, is_edited: bool, is_same: bool) -> ItemFate:
    if item is None:
        return ItemFate.NEW
    if is_edited:
        return ItemFate.EDITED
    return ItemFate.SAME if is_same else ItemFate.CHANGED


def _is_about(item: Item, entry: IncomingEntry) -> bool:
    return item.name.endswith(entry.key) or item.fields.id == entry.key


def _digest_in(text: str) -> str:
    return next(line.removeprefix("digest: ") for line in text.splitlines() if line.startswith("digest: "))


def _mark_of(found: Download) -> str:
    """Return by what the server can tell whether it has changed: the ETag, or else the time of the last change."""
    mark = found.etag or found.modified
    return mark if mark.isascii() and mark.isprintable() else ""


def _in_time(read: Callable[[], _Result]) -> _Result:
    """Return what a function reads. Raise FaultError if that takes too long, as with a file made for it."""
    for result in results_of([read], threads=1, deadline=TimeLimit(_READING_SECONDS)):
        return result
    raise FaultError("it takes too long to read", "use a smaller feed or calendar")
