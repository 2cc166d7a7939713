"""The addresses of the public archive. A path is relative to its root, has `/` between its parts, and is not encoded.

A page is the `index.html` of a folder, so its address is that of the folder. The newsletter's own language has no
folder of its own: its pages are `/` and `/2026-02/`, those in Spanish `/es/` and `/2026-02/es/`.
"""

from urllib.parse import quote

_PAGE = "index.html"
PICTURES = "i"
EVENTS = "events"
SEARCH = "search"
CALENDAR = "calendar.ics"
SITEMAP = "sitemap.xml"
ROBOTS = "robots.txt"
NOT_FOUND = "404.html"
REDIRECTS = "_redirects"
RSS, ATOM, JSON_FEED = "feed.xml", "atom.xml", "feed.json"
# The names at the archive's root that no issue can have. An issue cannot have the code of a language either.
RESERVED_NAMES = frozenset({PICTURES, EVENTS, SEARCH, "pagefind"})


def index_path(language: str = "") -> str:
    """Return the path of the page that lists the issues. Without a language, it is that of the newsletter."""
    return _in_language(_PAGE, language)


def issue_path(issue: str, language: str = "") -> str:
    """Return the path of an issue's page. Without a language, it is the issue's own."""
    return f"{issue}/{_in_language(_PAGE, language)}"


def event_path(slug: str, language: str = "") -> str:
    """Return the path of an event's page. Without a language, it is that of its issue."""
    return f"{EVENTS}/{slug}/{_in_language(_PAGE, language)}"


def event_calendar_path(slug: str, language: str = "") -> str:
    """Return the path of an event's calendar file. Without a language, it is that of its issue."""
    return f"{EVENTS}/{slug}/{language}.ics" if language else f"{EVENTS}/{slug}.ics"


def issue_calendar_path(issue: str) -> str:
    """Return the path of the calendar file with all events of an issue."""
    return f"{issue}/events.ics"


def feed_path(feed: str, language: str = "") -> str:
    """Return the path of a feed: `RSS`, `ATOM` or `JSON_FEED`. Without a language, it is that of the newsletter."""
    return _in_language(feed, language)


def picture_path(name: str) -> str:
    """Return the path of an image. Its name contains a hash of its content."""
    return f"{PICTURES}/{name}"


def address_of(archive: str, path: str) -> str:
    """Return the whole address of a path. `archive` is the address of the archive, without a slash at the end.

    The address of a page ends in a slash.
    """
    is_page = path == _PAGE or path.endswith(f"/{_PAGE}")
    return f"{archive}/{quote(path.removesuffix(_PAGE) if is_page else path)}"


def _in_language(name: str, language: str) -> str:
    return f"{language}/{name}" if language else name
