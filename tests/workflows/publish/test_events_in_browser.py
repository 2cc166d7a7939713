"""The page of an event in a real browser: its times in the zone of the browser, axe, and narrow windows."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from newsletter.destinations.site_kinds import headers_of
from tests.browser import running_browser
from tests.web.axe import violations
from tests.workflows.publish.test_events import ARCHIVE, EVENT, SERIES, make, workspace
from tests.workspaces import CONFIG

CANCELED = EVENT.replace(
    "location", "deadline:\n  label: Early bird ends\n  date: 2026-02-20\nstatus: canceled\nlocation"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of an event, a series and a canceled event, in English and in Arabic."""
    found = {}
    for language in ("en", "ar"):
        root = tmp_path_factory.mktemp(language)
        config = CONFIG.replace('timezone = "', f'language = "{language}"\ntimezone = "') + ARCHIVE
        made = make(workspace(root, {"tea": EVENT, "six": SERIES, "off": CANCELED}, config=config)).files
        found |= {f"{language}/{path}": text for path, text in made.items()}
    return found


def opened(browser: Browser, pages: dict[str, str], name: str, zone: str, **options: object) -> Page:
    context = browser.new_context(timezone_id=zone, **options)  # type: ignore[arg-type]
    context.route("**/*", lambda route: answer(route, pages))
    page = context.new_page()
    language, event = name.split("-")
    page.goto(f"https://archive.example.org/{language}/events/2026-02-{event}/index.html", wait_until="load")
    return page


def answer(route: Route, pages: dict[str, str]) -> None:
    path = urlsplit(route.request.url).path[1:]
    route.fulfill(body=pages[path], content_type=headers_of(path).content_type)


@pytest.mark.parametrize(
    ("zone", "added"),
    [
        ("Europe/Berlin", "In your time zone: Wed, Feb 25, 5:00 – 8:00 PM"),
        ("Asia/Tokyo", "In your time zone: Thu, Feb 26, 1:00 – 4:00 AM"),
        ("America/Vancouver", ""),  # has the same clock on that day
    ],
)
def test_the_times_of_the_browsers_zone_are_added_where_they_differ(
    browser: Browser, pages: dict[str, str], zone: str, added: str
) -> None:
    page = opened(browser, pages, "en-tea", zone)
    assert [" ".join(text.split()) for text in page.locator(".local").all_inner_texts()] == [added] * bool(added)
    assert "8:00–11:00 am PT" in page.locator(".when").inner_text()


def test_each_date_of_a_series_has_its_own_local_time(browser: Browser, pages: dict[str, str]) -> None:
    page = opened(browser, pages, "en-six", "Europe/Berlin")
    said = [" ".join(text.split()) for text in page.locator(".dates .local").all_inner_texts()]
    assert [text.partition(", ")[2] for text in said] == [
        "Feb 25, 6:00 – 7:00 PM",
        "Mar 4, 6:00 – 7:00 PM",
        "Mar 11, 5:00 – 6:00 PM",
        "Mar 18, 5:00 – 6:00 PM",
        "Mar 25, 5:00 – 6:00 PM",
        "Apr 1, 6:00 – 7:00 PM",
    ]


@pytest.mark.parametrize("name", ["en-tea", "en-six", "en-off", "ar-tea", "ar-six"])
def test_a_page_has_no_fault_that_axe_finds_and_fits_a_narrow_window(
    browser: Browser, pages: dict[str, str], name: str
) -> None:
    page = opened(browser, pages, name, "Europe/Berlin")
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_phone_gets_outlooks_link_for_phones(browser: Browser, pages: dict[str, str]) -> None:
    phone = opened(
        browser, pages, "en-tea", "UTC", has_touch=True, is_mobile=True, viewport={"width": 360, "height": 800}
    )
    desk = opened(browser, pages, "en-tea", "UTC")
    for page, path in ((phone, "deeplink"), (desk, "action")):
        shown = [link for link in page.get_by_role("link", name="Outlook.com").all() if link.is_visible()]
        assert f"/calendar/0/{path}/compose" in str(shown[0].get_attribute("href"))
