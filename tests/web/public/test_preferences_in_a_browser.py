"""The pages with preferences and data, in a real browser: used with the keyboard, and judged by axe."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from newsletter.model.edit import Edit
from newsletter.model.preferences import LinkRequestKind
from newsletter.store.editing import edit_people
from newsletter.store.subscribers import find_subscriber
from tests.store.builders import NOW
from tests.web.public.conftest import TOPICS, ServedPages
from tests.web.public.test_leaving_in_a_browser import judge
from tests.workspaces import CONFIG

ANA = "ana@example.org"


@pytest.fixture
def settings() -> str:
    """What newsletter.toml says."""
    return f'{CONFIG}{TOPICS}\n[tracking]\nmode = "consented"\n'


_HIGH = """[...document.querySelectorAll(".address")]
    .filter(each => each.getBoundingClientRect().height > 1.5 * parseFloat(getComputedStyle(each).lineHeight))
    .map(each => each.textContent)"""  # the addresses that break over lines
PICTURES = Path(folder) if (folder := os.environ.get("PICTURES")) else None  # to look at the pages
SCREENS = (("en", "light", 1280), ("de", "dark", 320), ("ar", "light", 320), ("he", "dark", 800))


def opened(browser: Browser, scheme: str, width: int) -> BrowserContext:
    """A browser window of this size."""
    return browser.new_context(ignore_https_errors=True, viewport={"width": width, "height": 800}, color_scheme=scheme)


class Visitor:
    """Ana at a page, who takes her time before she presses a button."""

    def __init__(self, served: ServedPages, page: Page, pictures: Path | None = None) -> None:
        self._served, self.page, self._pictures, self._shown = served, page, pictures, 0

    def goes_to(self, path: str) -> None:
        self.page.goto(f"https://127.0.0.1:{self._served.port}{path}")
        self.judges()

    def presses(self, form: str) -> None:
        self._served.later(seconds=10)
        self.page.locator(f"form:has(input[name=do][value={form}]) button").focus()
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.judges()

    def judges(self) -> None:
        judge(self.page)
        assert self.page.evaluate(_HIGH) == []
        if self._pictures:
            self._shown += 1
            self.page.screenshot(path=self._pictures / f"{self._shown:02}.png", full_page=True)


@pytest.mark.parametrize(("language", "scheme", "width"), SCREENS)
def test_every_page_of_preferences_is_usable_by_everyone(
    browser: Browser, served_to_browsers: ServedPages, language: str, scheme: str, width: int
) -> None:
    served = served_to_browsers
    edit_people(served.database, [ANA], Edit(cells={"language": language}), shown=0, now=NOW)
    context = opened(browser, scheme, width)
    ana = Visitor(served, context.new_page(), PICTURES and PICTURES / f"{language}-{scheme}-{width}")
    page = ana.page

    ana.goes_to(served.preferences(ANA))
    page.fill("#first_name", "https://example.org/")
    page.fill("#pause", "2026-02-01")
    ana.presses("save")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("alert").get_by_role("link").last.click()
    expect(page.locator("#pause")).to_be_focused()
    page.fill("#first_name", "Ana María")
    page.fill("#pause", "2026-04-01")
    page.select_option("#timezone", "Asia/Tokyo")
    page.check("input[type=checkbox][name=tracking]")
    page.uncheck("input[value=events]")
    ana.presses("save")
    expect(page.get_by_role("status")).to_be_focused()
    found = find_subscriber(served.database, ANA)
    assert found is not None
    assert (found.record.first_name, found.record.timezone) == ("Ana María", "Asia/Tokyo")
    assert found.record.tracking_consented_at is not None
    ana.presses("data")
    page.fill("#email", "nobody")
    ana.presses("address")
    page.fill("#email", "new@example.org")
    ana.presses("address")
    ana.goes_to(served.asked(ANA, LinkRequestKind.OLD_ADDRESS))
    ana.presses("confirm")
    ana.goes_to(served.asked(ANA, LinkRequestKind.DATA))
    ana.presses("show")
    ana.goes_to(served.asked(ANA, LinkRequestKind.NEW_ADDRESS))
    ana.presses("confirm")
    ana.goes_to(served.preferences("new@example.org", days_ago=400))
    ana.presses("preferences")
    ana.goes_to(served.preferences("new@example.org"))
    ana.presses("data")
    ana.goes_to(served.asked("new@example.org", LinkRequestKind.DATA))
    ana.presses("delete")
    assert find_subscriber(served.database, "new@example.org") is None
    context.close()
