"""Read the entries of a feed and the next events of a calendar, as far as a newsletter shows them."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import blake2b
from html import escape
from io import BytesIO
from itertools import islice
from typing import Any

import feedparser
import icalendar
import lxml.html
import nh3
import recurring_ical_events
from lxml.etree import LxmlError
from markdownify import markdownify
from msgspec import Struct

from newsletter.errors import FaultError

_LONGEST_TITLE, _LONGEST_TEXT = 200, 1_500  # characters
_TAGS = {"a", "b", "blockquote", "br", "em", "i", "li", "ol", "p", "strong", "ul"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADS = ("head", "script", "style", "template", "title")
# Merge tags of this program and of others. In what others wrote, they are only text.
_MERGE_TAGS = re.compile(r"\{\{|\}\}|\{%|%\}|\*\||\|\*|%%")
_MOST_EVENTS = 500  # that are looked at, of series without an end
_MOST_TIMES_A_DAY = 24
_HECTIC = {"SECONDLY", "MINUTELY", "HOURLY"}
_NO_EVENTS = "check that the address leads to an .ics file"


class IncomingEntry(Struct, frozen=True, kw_only=True):
    """An entry of a feed, or one event of a calendar."""

    key: str  # identifies it, the same each time
    title: str
    link: str = ""
    text: str = ""  # Markdown
    starts: datetime | date | None = None
    ends: datetime | date | None = None  # of a whole day, the last one
    location: str = ""


def entries_of_feed(content: bytes, url: str, most: int) -> tuple[IncomingEntry, ...]:
    """Return the first entries of an RSS or Atom feed. Raise FaultError if it is not a feed."""
    headers = {"content-location": url, "content-type": "application/xml"}
    feed = feedparser.parse(BytesIO(content), response_headers=headers, resolve_relative_uris=True, sanitize_html=True)
    if not feed.get("version"):
        raise FaultError("it is not an RSS or Atom feed", "look for the feed's own address, which often ends in .xml")
    return tuple(_entry(entry) for entry in islice(feed.entries, most))


def events_of_calendar(content: bytes, since: date, days: int, most: int) -> tuple[IncomingEntry, ...]:
    """Return the next events of a calendar, from a day on, in order. Raise FaultError if it cannot be understood."""
    try:
        calendar = icalendar.Calendar.from_ical(content)
        _require_known_zones(calendar)
        _require_calm_series(calendar)
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(since, since + timedelta(days=days))
        events = [_event(event) for event in islice(found, _MOST_EVENTS) if str(event.get("STATUS")) != "CANCELLED"]
    except FaultError:
        raise
    except Exception as err:  # a hostile file makes the libraries raise anything
        raise FaultError("it is not a calendar that can be read", _NO_EVENTS) from err
    return tuple(sorted(events, key=lambda each: (str(each.starts), each.key))[:most])


def markdown_of(html: str) -> str:
    """Return the text of an HTML fragment as Markdown, without images, hidden parts and merge tags."""
    try:
        tree = lxml.html.fragment_fromstring(html.replace("\x00", "") or " ", create_parent="div")
    except (LxmlError, ValueError):
        return ""
    for element in list(tree.iter()):
        is_hidden = isinstance(element.tag, str) and _HIDDEN.search(element.get("style", ""))
        if element is not tree and (is_hidden or element.tag in _HEADS) and element.getparent() is not None:
            element.drop_tree()
    clean = nh3.clean(
        lxml.html.tostring(tree, encoding="unicode"), tags=_TAGS, attributes={"a": {"href"}}, link_rel=None,
        url_schemes={"http", "https"},
    )  # fmt: skip
    text = markdownify(_plain(clean), heading_style="ATX", bullets="-", strip=["img"], autolinks=False)
    # Signs on both sides of a tag that is gone may be a merge tag now. All other `<` are text, which Markdown must not
    # take for HTML.
    text = _plain(text).replace("<", r"\<")
    return _shortened("\n".join(line.rstrip() for line in text.strip().splitlines()))


def _entry(entry: Any) -> IncomingEntry:
    link = _web_link(entry.get("link"))
    title = _line(entry.get("title"))
    contents = [entry.get("summary"), *(each.get("value") for each in entry.get("content", ()))]
    html = next((each for each in contents if isinstance(each, str) and each.strip()), "")
    return IncomingEntry(
        key=_key(str(entry.get("id") or link or title)), title=title or "—", link=link, text=markdown_of(html)
    )


def _event(event: Any) -> IncomingEntry:
    starts, ends = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    if not isinstance(starts, datetime) and ends is not None:
        ends = max(starts, ends - timedelta(days=1))  # the end of whole days is the day after (RFC 5545, 3.6.1)
    return IncomingEntry(
        key=_key(f"{event.get('UID', '')} {starts.isoformat()}"),
        title=_line(event.get("SUMMARY")) or "—",
        link=_web_link(event.get("URL")),
        text=markdown_of(escape(str(event.get("DESCRIPTION", ""))).replace("\n", "<br>")),
        starts=starts,
        ends=None if ends == starts else ends,
        location=_line(event.get("LOCATION")),
    )


def _require_known_zones(calendar: icalendar.Calendar) -> None:
    """Refuse a zone that is not known: icalendar reads its times as if they had no zone."""
    for event in calendar.walk("VEVENT"):
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            written = event.get(name)
            zone = getattr(written, "params", {}).get("TZID")
            if zone and isinstance(moment := written.dt, datetime) and moment.tzinfo is None:
                raise FaultError(
                    f"the time zone {str(zone)[:60]!r} is not known", "ask the calendar's owner to correct it"
                )


def _require_calm_series(calendar: icalendar.Calendar) -> None:
    """Refuse a series that is repeated more than hourly, since it would take minutes to expand it."""
    for event in calendar.walk("VEVENT"):
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            times = 1
            for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
                times *= max(1, len(rule.get(part, ())))
            if times > _MOST_TIMES_A_DAY or str(rule.get("FREQ", [""])[0]).upper() in _HECTIC:
                raise FaultError("it repeats an event several times a day", "use a calendar without such a series")


def _web_link(value: object) -> str:
    link = str(value or "").strip()
    is_plain = re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", link) is not None
    return link if is_plain and len(link) <= 2_000 else ""


def _line(value: object) -> str:
    """Return a text on one line, without markup."""
    text = nh3.clean(str(value or ""), tags=set())
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        text = text.replace(entity, sign)
    words = "".join(sign if sign.isprintable() else " " for sign in _plain(text)).split()
    return " ".join(words)[:_LONGEST_TITLE]


def _plain(text: str) -> str:
    return _MERGE_TAGS.sub(lambda match: " ".join(match[0]), text)


def _shortened(text: str) -> str:
    """Return the first paragraphs of a text, but at least one, cut at a word if it is very long."""
    if len(text) <= _LONGEST_TEXT:
        return text
    kept = "\n\n".join(_first(text.split("\n\n")))
    return kept or f"{text[:_LONGEST_TEXT].rpartition(' ')[0]} …"


def _first(paragraphs: list[str]) -> Iterator[str]:
    length = 0
    for paragraph in paragraphs:
        length += len(paragraph) + 2
        if length > _LONGEST_TEXT:
            return
        yield paragraph


def _key(identity: str) -> str:
    return blake2b(identity.encode(errors="replace"), digest_size=4).hexdigest()
