"""A small archive in two languages."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from msgspec.structs import replace

from newsletter.model.published import IssuePage, PagePicture
from newsletter.settings.workspace import Settings
from newsletter.site.site import Site

URL = "https://letters.example.org/archive"
SETTINGS = Settings.model_validate(
    {
        "newsletter": {
            "name": "Small & Quiet",
            "organization": "Small Press",
            "from": "Small Press <news@example.org>",
            "address": "Small Press, 1 Example Street, 12345 Example Town",
            "website": "https://www.example.org",
            "reason": "You receive this letter because you signed up for it.",
            "timezone": "America/Los_Angeles",
        },
        "service": {"url": "https://news.example.org"},
    }
)
HTML = (
    '<section class="part letter"><p>Dear &amp; quiet friends,</p>'
    f'<p class="tile" aria-hidden="true">Feb 25</p><p><a href="{URL}/2026-01/">Before</a> '
    f'<img class="full" src="{URL}/i/cup-0123456789ab.png" alt="A cup" width="536" height="302" loading="lazy"></p>'
    '<div class="wide" role="group" tabindex="0"><table><tbody><tr><td class="right">1</td></tr></tbody></table></div>'
    "</section>"
)
FEBRUARY = IssuePage(
    issue="2026-02",
    id="2026-02",
    language="en",
    is_original=True,
    is_listed=True,
    day=date(2026, 2, 19),
    title='A "small" <letter> & more',
    description="A few words about small things.",
    html=HTML,
    picture=PagePicture("cup-0123456789ab.png", "A cup", 536, 302),
    pictures=("cup-0123456789ab.png",),
)
SPANISH = replace(FEBRUARY, language="es", is_original=False, title="Una carta pequeña")
JANUARY = replace(FEBRUARY, issue="2026-01", id="2026-01", day=date(2026, 1, 15), title="January", picture=None)
UNLISTED = replace(FEBRUARY, issue="draft", id="draft", is_listed=False, title="A secret")
PAGES = (JANUARY, FEBRUARY, SPANISH, UNLISTED)
LATER = datetime(2026, 3, 1, 12, tzinfo=UTC)


def made(_kind: str, _ingredients: bytes, make: Callable[[], bytes]) -> bytes:
    return make()


def site_of(*pages: IssuePage, changed: dict[str, datetime] | None = None, is_searched: bool = False) -> Site:
    return Site(SETTINGS, URL, pages, changed=changed or {}, logos={}, is_searched=is_searched, recall=made)
