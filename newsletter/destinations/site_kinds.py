"""What a file of the archive is, by its path: its media type, how long it may be cached, and when it is written.

The table is our own, because the one of the system depends on the machine.
"""

import re
from enum import IntEnum
from pathlib import PurePosixPath

from msgspec import Struct

from newsletter.model.site_addresses import ATOM, CALENDAR, JSON_FEED, PICTURES, REDIRECTS, ROBOTS, RSS, SITEMAP

_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".ics": "text/calendar; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
}
_TYPES_BY_NAME = {
    ATOM: "application/atom+xml; charset=utf-8",
    JSON_FEED: "application/feed+json; charset=utf-8",
    REDIRECTS: "text/plain; charset=utf-8",
    RSS: "application/rss+xml; charset=utf-8",
}
_UNKNOWN = "application/octet-stream"  # also for pagefind's own formats, which its script unpacks
_LISTS = {ATOM, CALENDAR, JSON_FEED, REDIRECTS, ROBOTS, RSS, SITEMAP}
_SEARCH = "pagefind/"
# Names that contain a hash of the content. pagefind's other files keep their names when they change.
_HASHED = re.compile(rf"{PICTURES}/.+|pagefind/(?:fragment/|index/|filter/).+|pagefind/.+\.pf_meta")
_INDEX_PAGE = re.compile(r"(?:[a-z]{2,3}(?:-[A-Za-z]{2,8})*/)?index\.html")
_FOREVER, _SHORTLY = "public, max-age=31536000, immutable", "max-age=300"


class WritingOrder(IntEnum):
    """The order in which files are written, so that no file leads to one that is not there yet."""

    ASSET = 1  # images, style sheets
    PAGE = 2  # of an issue or an event
    SEARCH = 3  # the index of pagefind
    INDEX = 4  # the lists of all issues
    FEED = 5  # feeds, the sitemap, the calendar of all events, files for hosts and robots


class FileHeaders(Struct, frozen=True, kw_only=True):
    """What a web server says about a file."""

    content_type: str
    cache_control: str


def headers_of(path: str) -> FileHeaders:
    """Return the headers with which a file is served."""
    name = PurePosixPath(path)
    return FileHeaders(
        content_type=_TYPES_BY_NAME.get(name.name) or _TYPES.get(name.suffix.lower(), _UNKNOWN),
        cache_control=_FOREVER if _HASHED.fullmatch(path) else _SHORTLY,
    )


def is_picture(path: str) -> bool:
    """Return whether a file is an image under a hashed name, which emails that were sent may show."""
    return path.startswith(f"{PICTURES}/")


def order_of(path: str) -> WritingOrder:
    """Return when a file is written."""
    name = PurePosixPath(path)
    if path.startswith(_SEARCH):
        return WritingOrder.SEARCH
    if name.name in _LISTS:
        return WritingOrder.FEED
    if name.suffix == ".html":
        return WritingOrder.INDEX if _INDEX_PAGE.fullmatch(path) else WritingOrder.PAGE
    return WritingOrder.PAGE if name.suffix == ".ics" else WritingOrder.ASSET
