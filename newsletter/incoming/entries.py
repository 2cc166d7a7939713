"""Read the entries of a feed, as far as a newsletter shows them, and turn what others wrote into harmless text."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from itertools import islice
from typing import Any
from unicodedata import category

import feedparser
import lxml.html
import nh3
from lxml.etree import LxmlError
from markdownify import MarkdownConverter
from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.incoming.html_tree import tree_of
from newsletter.model.slots import MERGE_TOKEN

_LONGEST_TITLE, _LONGEST_TEXT = 200, 1_500  # characters
_MOST_HTML = 100_000  # characters that are looked at, of which only the beginning is shown
_PLAIN_TAGS = {"blockquote", "br", "li", "ol", "p", "ul"}
_TAGS = _PLAIN_TAGS | {"a", "b", "em", "i", "strong"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADS = ("head", "script", "style", "template", "title")
YEARS = range(1970, 2200)  # others cannot be told in every zone, and are mistakes
# Merge tags of this program and of others. In what others wrote, they are only text. The tokens that stand for our own
# merge fields in a finished email have no secret in them: without this, a link could carry a reader's address away.
_MERGE_TAGS = re.compile(rf"\{{\{{|\}}\}}|\{{%|%\}}|\{{#|\*\||\|\*|%%|{MERGE_TOKEN.pattern}")
_ENTITY = re.compile(r"&#?\w+;")
_IN_LINKS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "()[]"})  # which would end the address in Markdown
# Invisible characters could turn words around or hide them. The kept ones join and separate letters in some scripts.
_INVISIBLE, _KEPT = frozenset({"Cc", "Cf", "Co", "Cs"}), frozenset("\t\n\u200c\u200d")
SIGNS = re.compile(r"([!-/:-@\[-`{-~])")  # before which a backslash means the sign itself


class IncomingPicture(Struct, frozen=True, kw_only=True):
    """The image of an entry, which is not downloaded yet."""

    url: str
    alt: str = ""  # what it shows; empty if the feed does not say


class IncomingEntry(Struct, frozen=True, kw_only=True):
    """An entry of a feed, or one event of a calendar."""

    key: str  # identifies it, the same each time
    title: str
    link: str = ""
    text: str = ""  # Markdown
    bare_text: str = ""  # the same without links and emphasis, and with a backslash before each sign
    picture: IncomingPicture | None = None
    published: datetime | None = None  # in UTC
    starts: datetime | date | None = None
    ends: datetime | date | None = None  # of a whole day, the last one; of a weekly event, the end of the last one
    repeats_weekly: bool = False
    is_canceled: bool = False
    location: str = ""


class Incoming(Struct, frozen=True, kw_only=True):
    """The entries that were read, and what the director should know about them."""

    entries: tuple[IncomingEntry, ...]
    notes: tuple[str, ...] = ()


def entries_of_feed(content: bytes, url: str, most: int) -> Incoming:
    """Return the first entries of an RSS or Atom feed. Raise FaultError if it is not a feed."""
    headers = {"content-location": url, "content-type": "application/xml"}
    no_feed = FaultError("it is not an RSS or Atom feed", "look for the feed's own address, which often ends in .xml")
    try:
        feed = feedparser.parse(
            BytesIO(content), response_headers=headers, resolve_relative_uris=True, sanitize_html=True
        )
        if not feed.get("version"):
            raise no_feed
        return Incoming(entries=tuple({each.key: each for each in map(_entry, islice(feed.entries, most))}.values()))
    except FaultError:
        raise
    except Exception as err:  # a hostile file makes the libraries raise anything
        raise no_feed from err


@lru_cache(maxsize=64)  # the events of a series have the same text
def markdown_of(html: str, *, is_bare: bool = False) -> str:
    """Return the text of an HTML fragment as Markdown, without images, hidden parts and merge tags.

    If it `is_bare`, it has no links, no emphasis, and a backslash before each sign, so no text in it can be Markdown.
    """
    try:
        tree = tree_of(_without_invisible(html[:_MOST_HTML]))
    except (LxmlError, ValueError):
        return ""
    for element in list(tree.iter()):
        is_hidden = isinstance(element.tag, str) and _HIDDEN.search(element.get("style", ""))
        if element is not tree and (is_hidden or element.tag in _HEADS) and element.getparent() is not None:
            element.drop_tree()
    clean = nh3.clean(
        lxml.html.tostring(tree, encoding="unicode"),
        tags=_PLAIN_TAGS if is_bare else _TAGS,
        attributes={} if is_bare else {"a": {"href"}},
        attribute_filter=lambda _tag, _name, value: web_link(value) or None,
        link_rel=None,
    )
    text = _Converter(is_bare=is_bare).convert(visible(clean))
    # Signs on both sides of a tag that is gone may be a merge tag now.
    text = "\n".join(line.rstrip() for line in visible(text).strip().splitlines())
    return _shortened(text)


class _Converter(MarkdownConverter):
    """Writes HTML as Markdown, in which what was text stays text."""

    def __init__(self, *, is_bare: bool) -> None:
        super().__init__(heading_style="ATX", bullets="-", strip=["img"], autolinks=False, escape_misc=True)
        self._is_bare = is_bare

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """Return a text with a backslash before the signs that Markdown could take."""
        if self._is_bare:
            return SIGNS.sub(r"\\\1", text or "")
        return str(super().escape(text, parent_tags))  # type: ignore[misc]  # the package's types lack it


def _entry(entry: Any) -> IncomingEntry:
    link = web_link(entry.get("link"))
    title = one_line(entry.get("title"))
    contents = [entry.get("summary"), *(each.get("value") for each in entry.get("content", ()))]
    html = next((each for each in contents if isinstance(each, str) and each.strip()), "")
    return IncomingEntry(
        key=key_of(str(entry.get("id") or link or title)),
        title=title or "—",
        link=link,
        text=markdown_of(html),
        bare_text=markdown_of(html, is_bare=True),
        picture=_picture(entry, contents),
        published=_moment(entry.get("published_parsed") or dict.get(entry, "updated_parsed")),
    )


def _picture(entry: Any, contents: Sequence[object]) -> IncomingPicture | None:
    """Return the image that a feed states for an entry, or else the first one in its text."""
    stated = [
        (each.get("url") or each.get("href"), each.get("width"), "")
        for key in ("media_content", "media_thumbnail", "enclosures")
        for each in entry.get(key, ())
        if key == "media_thumbnail" or "image" in (str(each.get("type")).partition("/")[0], each.get("medium"))
    ]
    shown = [
        (image.get("src"), image.get("width"), image.get("alt", ""))
        for html in contents
        if isinstance(html, str) and "<img" in html
        for image in _images(html)
    ]
    alts = {url: alt for url, _, alt in shown}
    for url, width, alt in (*stated, *shown):
        if (link := web_link(url)) and not (str(width).isdecimal() and len(str(width)) < 3):
            return IncomingPicture(url=link, alt=one_line(alt or alts.get(url, "")))
    return None


def _images(html: str) -> list[Any]:
    try:
        tree = tree_of(_without_invisible(html[:_MOST_HTML]))
    except (LxmlError, ValueError):
        return []
    return [image for image in tree.iter("img") if not _HIDDEN.search(image.get("style", ""))]


def _moment(parsed: Any) -> datetime | None:
    try:
        year, month, day, hour, minute, second = parsed[:6]
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError):
        return None
    return moment if moment.year in YEARS else None


def web_link(value: object) -> str:
    """Return an address that readers can be led to, or an empty text. It contains no merge tag."""
    link = str(value or "").strip().translate(_IN_LINKS)
    is_plain = re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", link) is not None and link.isprintable()
    has_tag = _MERGE_TAGS.search(link) or _ENTITY.search(link)  # Markdown decodes entities in addresses too
    return link if is_plain and len(link) <= 2_000 and not has_tag else ""


def one_line(value: object) -> str:
    """Return a text on one line, without markup."""
    text = nh3.clean(str(value or ""), tags=set())
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return cut(" ".join(visible(text).split()), _LONGEST_TITLE)


def visible(text: str) -> str:
    """Return a text without invisible characters, and with merge tags as mere signs."""
    return _MERGE_TAGS.sub(lambda match: " ".join(match[0]), _without_invisible(text))


def _without_invisible(text: str) -> str:
    seen = (sign for sign in text if category(sign) not in _INVISIBLE or sign in _KEPT)
    return "".join(seen).replace("\u2028", "\n").replace("\u2029", "\n")


def cut(text: str, most: int) -> str:
    """Return the beginning of a text, up to the end of a word."""
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0] or text[:most]} …"


def _shortened(text: str) -> str:
    """Return the first paragraphs of a text, but at least one, cut at a word if it is very long."""
    if len(text) <= _LONGEST_TEXT:
        return text
    kept = "\n\n".join(_first(text.split("\n\n")))
    return kept or cut(text, _LONGEST_TEXT)


def _first(paragraphs: list[str]) -> Iterator[str]:
    length = 0
    for paragraph in paragraphs:
        length += len(paragraph) + 2
        if length > _LONGEST_TEXT:
            return
        yield paragraph


def is_place(zone: str) -> bool:
    """Return whether a time zone is that of a place, and not UTC or a difference from it."""
    return "/" in zone and not zone.startswith("Etc/")


def key_of(identity: str) -> str:
    """Return a short name for what identifies an entry."""
    return blake2b(identity.encode(errors="replace"), digest_size=6).hexdigest()
