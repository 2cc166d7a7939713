"""What was last published about an event, and the event as calendars get it now."""

from datetime import datetime

from msgspec import Struct

from newsletter.model.issue import Item


class Announced(Struct, frozen=True, kw_only=True):
    """What was last published about an event. The file `calendar.json` of an issue has one for each of its events."""

    sequence: int = 0  # counts the changes of time, place and status (RFC 5545, 3.8.7.4)
    changed: datetime  # when anything about it changed, in UTC and whole seconds
    times: tuple[str, ...] = ()  # each time, as ISO 8601 writes an interval: with offsets, or days without a time
    zone: str
    location: str = ""
    status: str = ""
    words: str = ""  # a hash of its title, subtitle and links
    before: tuple[str, ...] = ()  # the times before the last change of times


class CalendarEvent(Struct, frozen=True, kw_only=True):
    """An event for calendars, in one language. The texts of the item contain no merge fields."""

    item: Item
    announced: Announced
    page: str  # the address of its page, or empty
    language: str
