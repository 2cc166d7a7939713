"""Make the archive's files about events: a page and a calendar file for each, and calendars of an issue and of all."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from markupsafe import escape
from msgspec import Struct
from msgspec.structs import replace

from newsletter.calendars.announcing import RECORD_FILE, announced, facts_of, read_record, written_record
from newsletter.calendars.ics import CalendarFeed, CalendarPart, calendar_file, calendar_part
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
from newsletter.site.events import EventPage, PageLink, said_of
from newsletter.system.files import write_whole

_WIDTH = 608  # pixels of the page's column
_T = TypeVar("_T", str, str | None)


class TranslatedEvent(Struct, frozen=True, kw_only=True):
    """An event in one of its issue's languages, with the defaults of its merge fields."""

    item: Item
    language: str
    html: str  # its prose
    issue_title: str


class EventTexts(Struct, frozen=True, kw_only=True):
    """All events of an issue in all of its languages, its own first, and the images that they show."""

    languages: tuple[str, ...]
    texts: tuple[TranslatedEvent, ...]
    pictures: tuple[SiteFile, ...]

    @property
    def facts(self) -> Mapping[str, Announced]:
        """Return what calendars need to know about each event, by its id."""
        return {text.item.slug: facts_of(text.item) for text in self.texts if text.language == self.languages[0]}


class IssueWithEvents(Struct, frozen=True, kw_only=True):
    """An issue that announces events and has a page in the archive."""

    name: str
    day: date
    is_listed: bool
    facts: Mapping[str, Announced]  # of each event, by its id
    made_from: str  # a digest of its files, and of what all issues share
    load: Callable[[], EventTexts]  # called only if its files are made again


class EventFiles(Struct, frozen=True, kw_only=True):
    """What the archive shows about events, and what to record once it is published."""

    pages: tuple[EventPage, ...]
    files: tuple[SiteFile, ...]  # calendars and images
    records: Mapping[Path, bytes]  # the content of each record that has changed


class _Made(Struct, frozen=True):
    """What is made of the events of one issue."""

    pages: tuple[EventPage, ...]
    parts: Mapping[str, CalendarPart]  # of each event, by its id
    files: tuple[SiteFile, ...]


def event_files(config: Config, shown: Iterable[IssueWithEvents], memory: Memory, *, now: datetime) -> EventFiles:
    """Return the files about the events of these issues. What is made of an issue that has not changed is remembered.

    If several issues have an event, it is shown as the latest of them says, or the latest public one, if there is one.
    Raise InputError if a record is damaged.
    """
    ordered = sorted(shown, key=lambda each: (each.day, each.name))
    records = {each.name: _record_of(config, each.name) for each in ordered}
    known: dict[str, Announced] = {}
    for record in records.values():
        for slug, told in record.items():
            if slug not in known or told.sequence >= known[slug].sequence:
                known[slug] = told
    # An event of a public issue must not lead to an unlisted one.
    latest = {slug: each for each in sorted(ordered, key=lambda each: each.is_listed) for slug in each.facts}
    pages: list[EventPage] = []
    files: list[SiteFile] = []
    everything: list[CalendarPart] = []
    changed: dict[Path, bytes] = {}
    for each in ordered:
        record = records[each.name]
        own = [slug for slug in each.facts if latest[slug] is each]
        for slug in own:
            known[slug] = record[slug] = announced(each.facts[slug], known.get(slug), now)
        as_told = {slug: known.get(slug) or announced(facts, None, now) for slug, facts in each.facts.items()}
        made = _remembered(config, each, as_told, own, memory)
        pages += made.pages
        files += made.files
        everything += [made.parts[slug] for slug in own if each.is_listed]
        path = _record_path(config, each.name)
        if (content := written_record(record)) != _bytes_of(path):
            changed[path] = content
    feed = CalendarFeed(config.settings.newsletter.name, _address(config, CALENDAR))
    files.append(SiteFile(CALENDAR, calendar_file(everything, feed)))
    return EventFiles(pages=tuple(pages), files=tuple(files), records=changed)


def _remembered(
    config: Config, shown: IssueWithEvents, told: Mapping[str, Announced], own: Collection[str], memory: Memory
) -> _Made:
    """Return what is made of the events of an issue. Only its `own` events have a page, as no later issue has them."""
    ingredients = repr((shown.made_from, shown.is_listed, told, sorted(own))).encode()

    def make() -> bytes:
        return msgspec.msgpack.encode(_made(config, shown, told, own), enc_hook=str)

    return msgspec.msgpack.decode(memory.recall("events", ingredients, make), type=_Made)


def _made(config: Config, shown: IssueWithEvents, told: Mapping[str, Announced], own: Collection[str]) -> _Made:
    found, newsletter = shown.load(), config.settings.newsletter
    pages: list[EventPage] = []
    files: list[SiteFile] = []
    parts: dict[str, CalendarPart] = {}
    for text in found.texts:
        item, language = text.item, text.language
        folder = "" if language == found.languages[0] else language
        page, path = _address(config, event_path(item.slug, folder)), event_calendar_path(item.slug, folder)
        event = CalendarEvent(item=item, announced=told[item.slug], page=page, language=language)
        part = calendar_part(event)
        parts.setdefault(item.slug, part)  # in the issue's own language
        if item.slug not in own:
            continue
        file = _address(config, path)
        files.append(SiteFile(path, calendar_file([part])))
        pages.append(
            EventPage(
                slug=item.slug,
                language=language,
                languages=found.languages,
                is_listed=shown.is_listed,
                heading=unbroken(item.fields.title),
                html=text.html,
                said=said_of(item, language),
                file=file,
                links=() if item.fields.status else _links(event, file),
                subscriptions=subscription_urls(_address(config, CALENDAR), newsletter.name),
                structured_data=structured_data(event, newsletter.organization, newsletter.website),
                issue_title=text.issue_title,
                issue=_address(config, issue_path(shown.name, folder)),
            )
        )
    files.append(SiteFile(issue_calendar_path(shown.name), calendar_file(parts.values())))
    return _Made(tuple(pages), parts, (*files, *found.pictures))


def _links(event: CalendarEvent, file: str) -> tuple[PageLink, ...]:
    item, page, language = event.item, event.page, event.language
    is_series = len(event.announced.times) > 1
    outlooks = [
        PageLink(
            name=name,
            url=outlook_url(item, page, language=language, host=host) or "",
            on_phone=outlook_url(item, page, language=language, host=host, on_phone=True) or "",
            has_only_first=is_series,
        )
        for name, host in (("Outlook.com", "outlook.live.com"), ("Office 365", OFFICE_365))
    ]
    return (
        PageLink(name="Google", url=google_url(item, page, language=language) or ""),
        PageLink(name="Apple", url=file),
        *outlooks,
        PageLink(name="Yahoo", url=yahoo_url(item, page, language=language) or "", has_only_first=is_series),
    )


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


def events_in(config: Config, issue: Issue, memory: Memory) -> EventTexts:
    """Return all events of an issue in all of its languages."""
    shelf = PictureShelf(_archive_url(config), memory)
    texts: list[TranslatedEvent] = []
    for code in issue.languages:
        version = issue.in_language(code)
        translated = {item.uid: item for item in _dated(version)}
        texts += (
            TranslatedEvent(
                item=_plain(version, item),
                language=code,
                html=_prose(version, item, shelf, memory),
                issue_title=_text(version, version.fields.title),
            )
            for item in (translated.get(original.uid, original) for original in _dated(issue))
        )
    pictures = (SiteFile(picture_path(picture.name), picture.content) for picture in shelf.pictures)
    return EventTexts(languages=issue.languages, texts=tuple(texts), pictures=tuple(pictures))


def _archive_url(config: Config) -> str:
    return config.settings.archive.url if config.settings.archive else ""


def _address(config: Config, path: str) -> str:
    return address_of(_archive_url(config), path)


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


def _prose(issue: Issue, item: Item, shelf: PictureShelf, memory: Memory) -> str:
    def picture(name: str, space: PictureSpace) -> ShownPicture:
        return shelf.show(issue.pictures[name].path, space)

    direction = direction_of_language(issue.language)
    html = prose_html(
        item.prose,
        css="",
        heading_level=2,
        picture=picture,
        width=_WIDTH,
        memory=memory,
        direction=direction,
    )
    defaults = {use.field.token: use.field.default or "" for use in issue.merge_fields}
    return MERGE_TOKEN.sub(lambda token: str(escape(defaults.get(token[0], ""))), str(html))
