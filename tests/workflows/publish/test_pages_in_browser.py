"""The pages of the archive in a real browser: axe, narrow windows, right to left, and without scripts."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from newsletter.config import load_config
from newsletter.destinations.site_kinds import headers_of
from newsletter.workflows.publish.publish import make_edition
from tests.browser import running_browser
from tests.web.axe import violations
from tests.workflows.publish.test_events import EVENT, NOW, SERIES
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

HOST = "https://letters.example.org"
ARCHIVE = f'\n[archive]\nurl = "{HOST}"\nto = "site"\nvisibility = "public"\n'
SETTINGS = f'{CONFIG}\n[languages]\noffered = ["ar"]\n{ARCHIVE}'
TABLE = "\n## Prices\n\n| Day | Price |\n|---|---|\n| Friday | 20 |\n\n> A quiet sentence.\n"
TEA = "title: شاي\nsubtitle: معنا\nlocation: عبر الإنترنت\nbutton:\n  label: انضموا\n"
ARABIC = {
    "letter.ar.md": "---\ngreeting: مرحباً {{ first_name | default('بكم') }}،\n---\nرسالة صغيرة.\n",
    "events/index.ar.md": "---\ntitle: فعاليات\n---\n",
    "events/tea.ar.md": f"---\n{TEA}---\nتعالوا.\n",
    "events/six.ar.md": "---\ntitle: ستة أسابيع\n---\n",
}
KEYS = "subject.ar: رسالة\npreheader.ar: كلمات قليلة\ntitle.ar: رسالة صغيرة\n"
PAST = "<h1>An old letter</h1><p>Dear friends,</p><table><tr><th>Day</th></tr><tr><td>Friday</td></tr></table>"
PAGES = ("", "ar/", "2026-02/", "2026-02/ar/", "draft/", "2020-old/", "404.html")
EVENTS = ("events/2026-02-tea/ar/", "events/2026-02-six/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An archive in two languages, with events, a past issue, older issues, and an issue that is in no list."""
    february = {
        "issue.yaml": KEYS + ISSUE + "  - events\n",
        "letter.md": LETTER + TABLE,
        "events/index.md": "---\ntitle: Events\n---\n",
        "events/tea.md": EVENT,
        "events/six.md": SERIES,
        **ARABIC,
    }
    older = {f"issues/{year}-01/{name}": text for year in (2023, 2024, 2025) for name, text in (
        ("issue.yaml", ISSUE.replace("2026-02-19", f"{year}-01-19")), ("letter.md", LETTER)
    )}  # fmt: skip
    root = write_workspace(
        tmp_path_factory.mktemp("archive"),
        {
            "newsletter.toml": SETTINGS,
            **{f"issues/2026-02/{name}": text for name, text in february.items()},
            **older,
            "issues/draft/issue.yaml": f"visibility: unlisted\n{ISSUE}",
            "issues/draft/letter.md": LETTER,
            "archive/2020-old/issue.yaml": "subject: An old letter\ndate: 2020-05-04\n",
            "archive/2020-old/page.html": PAST,
        },
    )
    return {file.path: file.content for file in make_edition(load_config(root), None, now=NOW).files}


def opened(browser: Browser, files: dict[str, bytes], path: str, *, scripts: bool = True) -> Page:
    context = browser.new_context(java_script_enabled=scripts, timezone_id="Europe/Berlin")
    context.route("**/*", lambda route: answer(route, files))
    page = context.new_page()
    page.goto(f"{HOST}/{path}", wait_until="load")
    return page


def answer(route: Route, files: dict[str, bytes]) -> None:
    path = urlsplit(route.request.url).path[1:]
    path = f"{path}index.html" if path.endswith("/") or not path else path
    if path in files:
        route.fulfill(body=files[path], content_type=headers_of(path).content_type)
    else:
        route.fulfill(status=404)


@pytest.mark.parametrize("path", [*PAGES, *EVENTS])
def test_a_page_has_no_fault_that_axe_finds_and_fits_each_window(
    browser: Browser, files: dict[str, bytes], path: str
) -> None:
    page = opened(browser, files, path)
    assert violations(page, widths=(1280, 320)) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.evaluate("document.documentElement.dir") == ("rtl" if "ar/" in path else "ltr")


@pytest.mark.parametrize("path", [*PAGES, *EVENTS])
def test_without_scripts_a_page_says_all_that_it_says_with_them(
    browser: Browser, files: dict[str, bytes], path: str
) -> None:
    """Scripts only add: the times on the reader's clock, and the search, whose place the list of all issues takes."""
    shown = "[...document.querySelectorAll('.local, .search')].forEach(one => one.remove())"
    plain, complete = opened(browser, files, path, scripts=False), opened(browser, files, path)
    complete.evaluate(shown)
    said = [" ".join(page.locator("body").inner_text().split()) for page in (plain, complete)]
    assert said[0] == said[1] != ""
    links = [[link.get_attribute("href") for link in page.get_by_role("link").all()] for page in (plain, complete)]
    assert links[0] == links[1] != []
    assert not plain.locator(".search, .local").first.is_visible()


def test_the_search_finds_a_word_and_shows_its_page(browser: Browser, files: dict[str, bytes]) -> None:
    if not any(path.startswith("pagefind/") for path in files):
        pytest.skip("pagefind is not installed here")
    page = opened(browser, files, "")
    page.get_by_role("searchbox").fill("quiet sentence")
    found = page.locator(".results a").first
    found.wait_for()
    assert str(found.get_attribute("href")).endswith("/2026-02/")


def test_events_of_an_issue_are_told_on_the_clock_of_the_browser(browser: Browser, files: dict[str, bytes]) -> None:
    page = opened(browser, files, "2026-02/")
    assert page.locator(".local").all_inner_texts() == ["In your time zone: Wed, Feb 25, 5:00 – 8:00 PM"]
