"""Make the archive's files about events: a page and a calendar file for each, and calendars of an issue and of all."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from markupsafe import escape
from msgspec import Struct
from msgspec.structs import replace

from newsletter.calendars.announcing import RECORD_FILE, announced, read_record, written_record
from newsletter.calendars.ics import CalendarFeed, calendar_file
from newsletter.calendars.structured_data import structured_data
from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.language.calendar_links import OFFICE_365, google_url, outlook_url, subscription_urls, yahoo_url
from newsletter.language.direction import direction_of_language
from newsletter.model.announced import Announced, CalendarEvent
from newsletter.model.issue import Issue, Item
from newsletter.model.issue_fields import LinkFields
from newsletter.model.site_addresses import (
    CALENDAR,
    address_of,
    event_calendar_path,
    event_path,
    issue_calendar_path,
    issue_path,
    picture_path,
)
from newsletter.model.site_files import SiteFile
from newsletter.model.slots import MERGE_TOKEN
from newsletter.render.breaks import unbroken
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.memory import Memory
from newsletter.render.pictures import PictureShelf, ShownPicture
from newsletter.render.prose import prose_html
from newsletter.site.events import CalendarLink, EventPage, event_page_file
from newsletter.system.files import write_whole

_WIDTH = 608  # pixels of the page's column
_T = TypeVar("_T", str, str | None)


class IssueWithEvents(Struct, frozen=True):
    """An issue that has a page in the archive, in its own language."""

    issue: Issue
    is_listed: bool


class EventFiles(Struct, frozen=True, kw_only=True):
    """The files about events, and what to record once they are published."""

    files: tuple[SiteFile, ...]
    listed: tuple[str, ...]  # the paths of the pages that search engines may show
    records: Mapping[Path, bytes]  # the content of each record that has changed


def event_files(config: Config, shown: Iterable[IssueWithEvents], memory: Memory, *, now: datetime) -> EventFiles:
    """Return the files about the events of these issues.

    If several issues have an event, it is shown as the latest of them says. Raise InputError if a record is damaged.
    """
    ordered = sorted(shown, key=lambda each: (each.issue.fields.date, each.issue.name))
    records = {each.issue.name: _record_of(config, each.issue.name) for each in ordered}
    known: dict[str, Announced] = {}
    for record in records.values():
        for slug, told in record.items():
            if slug not in known or told.sequence >= known[slug].sequence:
                known[slug] = told
    latest = {item.slug: each for each in ordered for item in _dated(each.issue)}
    maker = _EventMaker(config, memory)
    files: list[SiteFile] = []
    everything: list[CalendarEvent] = []
    listed: list[str] = []
    changed: dict[Path, bytes] = {}
    for each in ordered:
        issue, record = each.issue, records[each.issue.name]
        own: list[CalendarEvent] = []
        for item in _dated(issue):
            if latest[item.slug] is each:
                known[item.slug] = record[item.slug] = announced(_plain(issue, item), known.get(item.slug), now)
                files += maker.files(each, item, record[item.slug])
                listed += [event_path(item.slug)] if each.is_listed else []
            own.append(maker.event(issue, item, known.get(item.slug) or announced(_plain(issue, item), None, now)))
        if own:
            files.append(SiteFile(issue_calendar_path(issue.name), calendar_file(own)))
            path = _record_path(config, issue.name)
            if (content := written_record(record)) != _bytes_of(path):
                changed[path] = content
        everything += [event for event in own if each.is_listed and latest[event.item.slug] is each]
    name = config.settings.newsletter.name
    files.append(SiteFile(CALENDAR, calendar_file(everything, CalendarFeed(name, maker.address(CALENDAR)))))
    return EventFiles(files=(*files, *maker.pictures()), listed=tuple(listed), records=changed)


def record_events(found: EventFiles) -> None:
    """Record what was published, in the folder of each issue."""
    for path, content in found.records.items():
        write_whole(path, content)


def _record_path(config: Config, issue: str) -> Path:
    return config.root / ISSUES_FOLDER / issue / RECORD_FILE


def _record_of(config: Config, issue: str) -> dict[str, Announced]:
    path = _record_path(config, issue)
    content = _bytes_of(path)
    return {} if content is None else read_record(content, config.shown(path))


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _dated(issue: Issue) -> list[Item]:
    return [item for section in issue.sections for item in section.items if item.fields.starts is not None]


def _plain(issue: Issue, item: Item) -> Item:
    """Return an event in which each merge field is replaced by its default."""
    fields = item.fields

    def link(target: LinkFields | None) -> LinkFields | None:
        if target is None:
            return None
        return target.model_copy(update={"label": _text(issue, target.label), "url": _text(issue, target.url)})

    texts = {name: _text(issue, getattr(fields, name)) for name in ("title", "subtitle", "location", "badge")}
    return replace(
        item, fields=fields.model_copy(update={**texts, "button": link(fields.button), "link": link(fields.link)})
    )


def _text(issue: Issue, text: _T) -> _T:
    if text is None or "mfq" not in text:
        return text
    defaults = {use.field.token: use.field.default or "" for use in issue.merge_fields}
    return MERGE_TOKEN.sub(lambda token: defaults.get(token[0], ""), text)


class _EventMaker:
    """Makes the files of single events, and collects the images that they show."""

    def __init__(self, config: Config, memory: Memory) -> None:
        archive = config.settings.archive
        self._config, self._memory, self._url = config, memory, archive.url if archive else ""
        self._shelf = PictureShelf(self._url, memory)

    def address(self, path: str) -> str:
        """Return the whole address of a path."""
        return address_of(self._url, path)

    def event(self, issue: Issue, item: Item, told: Announced, folder: str = "") -> CalendarEvent:
        """Return an event for calendars, in the language of the issue. `folder` is that of the language."""
        page = self.address(event_path(item.slug, folder))
        return CalendarEvent(item=_plain(issue, item), announced=told, page=page, language=issue.language)

    def files(self, shown: IssueWithEvents, item: Item, told: Announced) -> list[SiteFile]:
        """Return the page and the calendar file of an event in each language."""
        original, found = shown.issue, []
        for code in original.languages:
            issue = original.in_language(code)
            same = (each for section in issue.sections for each in section.items if each.uid == item.uid)
            event = self.event(issue, next(same, item), told, "" if code == original.language else code)
            found += self._in_language(shown, issue, event)
        return found

    def _in_language(self, shown: IssueWithEvents, issue: Issue, event: CalendarEvent) -> list[SiteFile]:
        own, item = shown.issue.language, event.item
        folder = "" if issue.language == own else issue.language
        file, settings = event_calendar_path(item.slug, folder), self._config.settings
        organizer = settings.newsletter.organization
        page = EventPage(
            event=event,
            path=event_path(item.slug, folder),
            languages=shown.issue.languages,
            title=unbroken(item.fields.title),
            html=self._prose(issue, item),
            file=self.address(file),
            links=() if item.fields.status else self._links(event, self.address(file)),
            subscriptions=subscription_urls(self.address(CALENDAR), settings.newsletter.name),
            structured_data=structured_data(event, organizer, settings.newsletter.website),
            issue_title=_text(issue, issue.fields.title),
            issue=self.address(issue_path(issue.name, folder)),
            is_listed=shown.is_listed,
        )
        return [event_page_file(page, settings), SiteFile(file, calendar_file([event]))]

    def _links(self, event: CalendarEvent, file: str) -> tuple[CalendarLink, ...]:
        item, page, language = event.item, event.page, event.language
        is_series = len(event.announced.times) > 1
        outlooks = [
            CalendarLink(
                name=name,
                url=outlook_url(item, page, language=language, host=host) or "",
                on_phone=outlook_url(item, page, language=language, host=host, on_phone=True) or "",
                has_only_first=is_series,
            )
            for name, host in (("Outlook.com", "outlook.live.com"), ("Office 365", OFFICE_365))
        ]
        return (
            CalendarLink(name="Google", url=google_url(item, page, language=language) or ""),
            CalendarLink(name="Apple", url=file),
            *outlooks,
            CalendarLink(name="Yahoo", url=yahoo_url(item, page, language=language) or "", has_only_first=is_series),
        )

    def _prose(self, issue: Issue, item: Item) -> str:
        def picture(name: str, space: PictureSpace) -> ShownPicture:
            return self._shelf.show(issue.pictures[name].path, space)

        direction = direction_of_language(issue.language)
        html = prose_html(
            item.prose,
            css="",
            heading_level=2,
            picture=picture,
            width=_WIDTH,
            memory=self._memory,
            direction=direction,
        )
        defaults = {use.field.token: use.field.default or "" for use in issue.merge_fields}
        return MERGE_TOKEN.sub(lambda token: str(escape(defaults.get(token[0], ""))), str(html))

    def pictures(self) -> Sequence[SiteFile]:
        """Return the images that the pages show."""
        return [SiteFile(picture_path(picture.name), picture.content) for picture in self._shelf.pictures]
