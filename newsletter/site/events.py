"""Describe the page of an event: what the email says about it, its times, and links for calendars."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from newsletter.language.dates import format_day, format_deadline, format_when
from newsletter.language.words import colon_after, status_words
from newsletter.model.issue import Item
from newsletter.model.issue_fields import LinkFields
from newsletter.model.site_addresses import event_path


class PageLink(Struct, frozen=True, kw_only=True):
    """A link on the page of an event. Some add the event to a calendar."""

    name: str
    url: str
    on_phone: str = ""  # the link for phones, if it is another one
    has_only_first: bool = False  # whether it adds only the first date of a series


class EventTime(Struct, frozen=True):
    """A time of an event, as its page says it and as its script reads it."""

    words: str
    starts: str
    ends: str


class SaidOfEvent(Struct, frozen=True, kw_only=True):
    """What is said about an event. Its dates are written as in an email."""

    title: str
    subtitle: str
    badge: str
    status: str  # that it is canceled or postponed, in words
    is_canceled: bool
    days: str
    clock: str
    location: str
    times: tuple[EventTime, ...]
    deadline: str
    notes: tuple[tuple[str, str], ...]  # each label with its colon, and the text
    button: PageLink | None
    link: PageLink | None


class EventPage(Struct, frozen=True, kw_only=True):
    """Everything on the page of an event, in one language. It contains no merge fields."""

    slug: str
    language: str
    languages: tuple[str, ...]  # in which it has a page, the issue's own first
    is_listed: bool
    heading: str  # its title with hyphens at which no line breaks
    said: SaidOfEvent
    html: str  # its prose
    file: str  # the address of its calendar file
    links: tuple[PageLink, ...]  # that add it to a calendar
    subscriptions: Mapping[str, str]  # to all events
    structured_data: str
    issue_title: str
    issue: str  # the address of the issue's page

    @property
    def path(self) -> str:
        """Return the path of the page."""
        return self.path_in(self.language)

    def path_in(self, language: str) -> str:
        """Return the path of the page in one of its languages."""
        return event_path(self.slug, "" if language == self.languages[0] else language)


def said_of(item: Item, language: str) -> SaidOfEvent:
    """Return what is said about an event in a language."""
    fields = item.fields
    days, _, clock = format_when(item, language).partition(" | ")
    status = status_words(fields.status, language)
    return SaidOfEvent(
        title=fields.title,
        subtitle=fields.subtitle or "",
        badge=fields.badge or "",
        status=status,
        is_canceled=fields.status == "canceled",
        days=days,
        clock=clock,
        location=fields.location or "",
        times=_times(item, language),
        deadline="" if status else format_deadline(item, language),
        notes=tuple((f"{note.label}{colon_after(note.label, language)}", note.text) for note in fields.notes),
        button=_link(fields.button),
        link=_link(fields.link),
    )


def _link(target: LinkFields | None) -> PageLink | None:
    return None if target is None else PageLink(name=target.label, url=target.url)


def _times(item: Item, language: str) -> tuple[EventTime, ...]:
    if times := item.times():
        return tuple(
            EventTime(
                format_day(time.starts.date(), language),
                time.starts.isoformat(timespec="minutes"),
                time.ends.isoformat(timespec="minutes") if time.ends else "",
            )
            for time in times
        )
    starts = item.fields.starts
    return () if starts is None or isinstance(starts, datetime) else (EventTime("", f"{starts}", ""),)
