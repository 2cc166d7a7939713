"""Make the page of an event: what the email says about it, its times in the browser's zone, and links for calendars."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

from newsletter.language.catalogue import spoken, words_of
from newsletter.language.dates import format_day, format_deadline, format_when
from newsletter.language.direction import direction_of_language
from newsletter.language.offered import own_name
from newsletter.language.words import colon_after, status_words
from newsletter.model.announced import CalendarEvent
from newsletter.model.site_addresses import address_of, event_path
from newsletter.model.site_files import SiteFile
from newsletter.settings.workspace import Palette, Settings
from newsletter.site.page_templates import page_templates


class CalendarLink(Struct, frozen=True, kw_only=True):
    """A link that adds an event to a calendar."""

    name: str
    url: str
    on_phone: str = ""  # the link for phones, if it is another one
    has_only_first: bool = False  # whether it adds only the first date of a series


class EventPage(Struct, frozen=True, kw_only=True):
    """Everything on the page of an event, in one language. It contains no merge fields."""

    event: CalendarEvent
    path: str
    languages: Sequence[str]  # in which it has a page, the issue's own first
    title: str  # with hyphens at which no line breaks
    html: str  # its prose
    file: str  # the address of its calendar file
    links: tuple[CalendarLink, ...]
    subscriptions: Mapping[str, str]  # to all events
    structured_data: str
    issue_title: str
    issue: str  # the address of the issue's page
    is_listed: bool


def event_page_file(page: EventPage, settings: Settings) -> SiteFile:
    """Return the page. It needs no other file, and no script to be complete."""
    archive = settings.archive
    url = archive.url if archive else ""
    item, language = page.event.item, page.event.language
    days, _, clock = format_when(item, language).partition(" | ")
    versions = [
        {"language": code, "name": own_name(code), "address": _address(url, item.slug, code, page.languages)}
        for code in page.languages
    ]
    known = spoken([language])
    text = (
        page_templates()
        .get_template("event.html.j2")
        .render(
            page=page,
            item=item,
            fields=item.fields,
            language=language,
            direction=direction_of_language(language).value,
            directed=direction_of_language,
            newsletter=settings.newsletter,
            days=days,
            clock=clock,
            times=_times(page),
            status=status_words(item.fields.status, language),
            deadline=format_deadline(item, language),
            colon_after=lambda label: colon_after(label, language),
            words={**words_of(known, "theme"), **words_of(known, "event")},
            versions=versions if len(versions) > 1 else [],
            html=Markup(page.html),  # noqa: S704 - made from Markdown with raw HTML off
            structured_data=Markup(page.structured_data),  # noqa: S704 - cannot end the script that it is in
            style=_style(settings),
        )
    )
    return SiteFile(page.path, "".join(f"{line.rstrip()}\n" for line in text.split("\n") if line.strip()).encode())


def _address(url: str, slug: str, language: str, languages: Sequence[str]) -> str:
    return address_of(url, event_path(slug, "" if language == languages[0] else language))


def _times(page: EventPage) -> list[Mapping[str, str]]:
    """Return each time of an event, as the page says it and as its script reads it."""
    item, language = page.event.item, page.event.language
    if times := item.times():
        return [
            {
                "words": format_day(time.starts.date(), language),
                "starts": time.starts.isoformat(timespec="minutes"),
                "ends": time.ends.isoformat(timespec="minutes") if time.ends else "",
            }
            for time in times
        ]
    starts = item.fields.starts
    return [] if starts is None or isinstance(starts, datetime) else [{"words": "", "starts": f"{starts}", "ends": ""}]


def _style(settings: Settings) -> Markup:
    brand = settings.brand
    names = tuple(Palette.model_fields)
    values = {"names": names, "light": brand.light.model_dump(), "dark": brand.dark.model_dump()}
    # A font stack cannot end the declaration that it is in.
    fonts = {
        name: "".join(sign for sign in stack if sign not in "<>{};\\")
        for name, stack in (("heading_font", brand.heading_font), ("body_font", brand.body_font))
    }
    return Markup(page_templates().get_template("event.css.j2").render({**values, **fonts}))  # noqa: S704 - the package's
